import { createEngine } from '../client/create-engine'
import { DEFAULT_MODEL_PATH } from '../client/model-reference'
import type { BackendPreference, EngineInfo, Usage } from '../contract/engine'
import { Chat, type EngineState } from './chat'
import { TurnList } from './turn-list'
import { describeError, describeFigures, describeProgress } from './words'

const form = find('composer', HTMLFormElement)
const input = find('question', HTMLTextAreaElement)
const button = find('send', HTMLButtonElement)
const restart = find('restart', HTMLButtonElement)
const loading = find('loading', HTMLElement)
const loadingWords = find('loading-words', HTMLElement)
const loadingBar = find('loading-bar', HTMLProgressElement)
const failure = find('failure', HTMLElement)
const failureTitle = find('failure-title', HTMLElement)
const failureDetail = find('failure-detail', HTMLElement)
const retryButton = find('retry', HTMLButtonElement)
const figures = find('figures', HTMLElement)
const backend = find('backend', HTMLSelectElement)
const backendReason = find('backend-reason', HTMLElement)
const status = find('status', HTMLElement)
const welcome = find('welcome', HTMLElement)
const turns = new TurnList(find('turns', HTMLElement))

let retry: (() => void) | null = null

const chat = new Chat({
  open: ({ onProgress, signal }) =>
    createEngine({
      model: new URL(DEFAULT_MODEL_PATH, document.baseURI),
      backend: backend.value as BackendPreference,
      onProgress,
      signal,
    }),
  events: {
    engineChanged: showEngine,
    turnAdded(turn) {
      welcome.hidden = true
      restart.hidden = false
      hideFailure()
      turns.add(turn)
      showBusy(true)
    },
    answerGrew: (turn, text) => turns.append(turn, text),
    turnChanged(turn) {
      turns.update(turn)
      showBusy(chat.busy)
    },
    turnsCleared() {
      turns.clear()
      hideFailure()
      welcome.hidden = false
      restart.hidden = true
    },
    measured: showFigures,
    failed(error, tryAgain) {
      const { title, detail } = describeError(error)
      failureTitle.textContent = title
      failureDetail.textContent = detail
      retry = tryAgain
      failure.hidden = false
    },
  },
})

form.addEventListener('submit', (event) => {
  event.preventDefault()
  if (chat.busy) {
    chat.stop()
    return
  }
  const question = input.value.trim()
  if (question === '') return
  input.value = ''
  void chat.ask(question)
})

input.addEventListener('keydown', (event) => {
  // While an input method composes, Enter accepts its suggestion.
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault()
    if (!chat.busy) form.requestSubmit()
  }
})

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') chat.stop()
})

restart.addEventListener('click', () => {
  chat.clear()
  input.focus()
})

retryButton.addEventListener('click', () => {
  const again = retry
  hideFailure()
  again?.()
  input.focus()
})

for (const example of document.querySelectorAll<HTMLButtonElement>('.example')) {
  example.addEventListener('click', () => {
    void chat.ask(example.textContent.trim())
    input.focus()
  })
}

const BACKEND_KEY = 'minnow-backend'
chooseBackend(new URLSearchParams(location.search).get('backend') ?? remembered(BACKEND_KEY) ?? 'auto')
backend.addEventListener('change', () => {
  remember(BACKEND_KEY, backend.value)
  hideFailure()
  chat.reload()
})

chat.load()

/** What is no option is 'auto'. */
function chooseBackend(wanted: string): void {
  backend.value = wanted
  if (backend.value === '') backend.value = 'auto'
}

function showEngine(state: EngineState): void {
  loading.hidden = state.phase !== 'loading'
  if (state.phase === 'loading') {
    loadingWords.textContent = describeProgress(state.progress)
    loadingBar.value = state.progress?.fraction ?? 0
  }
  if (state.phase !== 'ready') backendReason.textContent = ''
  if (state.phase === 'ready') {
    status.textContent = 'The model is ready.'
    showFigures(null, state.info)
  }
}

function showFigures(usage: Usage | null, info: EngineInfo): void {
  backendReason.textContent = info.backendReason ?? ''
  figures.replaceChildren(
    ...describeFigures(usage, info).map(({ label, value }) => {
      const group = document.createElement('div')
      const term = document.createElement('dt')
      const definition = document.createElement('dd')
      term.textContent = label
      definition.textContent = value
      group.append(term, definition)
      return group
    }),
  )
}

function showBusy(busy: boolean): void {
  button.textContent = busy ? 'Stop' : 'Send'
  status.textContent = busy ? 'Minnow is answering.' : 'The answer is complete.'
}

/** null too where the browser keeps nothing. */
function remembered(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    // Then it holds for this visit.
  }
}

function hideFailure(): void {
  failure.hidden = true
  retry = null
}

function find<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id)
  if (!(found instanceof type)) throw new Error(`the page lacks its #${id}`)
  return found
}
