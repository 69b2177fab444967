import { createEngine } from '../client/create-engine'
import { DEFAULT_MODEL_PATH } from '../client/model-reference'
import type { BackendPreference, EngineInfo, Usage } from '../contract/engine'
import type { AnswerAction } from '../widget/answer-footer'
import type { Escalation } from '../widget/escalation'
import { badgeOf, progressOf } from '../widget/route-words'
import { hasSettings } from '../widget/settings-database'
import { loadMarkdown } from '../widget/markdown-text'
import { pickLanguage, setLanguage, strings } from '../widget/strings'
import type { Turn } from '../widget/turn'
import { defineTurnElements } from '../widget/turn-elements'
import { TurnList, type TurnActionDetail } from '../widget/turn-list'
import { Chat } from '../widget/chat'
import { Announcer } from '../widget/chat-announcer'
import type { EngineState } from '../widget/chat-engine'
import type { Incoming } from './incoming'
import { startPwa } from './pwa'
import { translatePage } from './translate-page'
import { trustOwnScripts } from './trusted-types'
import { describeError, describeFigures, describeProgress } from './words'

trustOwnScripts()
await setLanguage(pickLanguage(navigator.languages))
defineTurnElements()
translatePage()

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
const settings = find('settings', HTMLButtonElement)
const waiting = find('waiting', HTMLElement)
const turns = find('conversation', TurnList)
const announcer = new Announcer(status)

let retry: (() => void) | null = null
let loadingEscalation: Promise<Escalation> | null = null
/** The router and its elements: from the start where settings were saved, else when they are first wanted. */
let escalation: Promise<Escalation | null> = hasSettings().then((saved) => (saved ? loadEscalation() : null))

const chat = new Chat({
  open: ({ onProgress, signal }) =>
    createEngine({
      model: new URL(DEFAULT_MODEL_PATH, document.baseURI),
      backend: backend.value as BackendPreference,
      onProgress,
      signal,
    }),
  route: async (local) => (await escalation)?.routerOver(local) ?? local,
  trace: async (id) => (await escalation)?.trace(id) ?? null,
  events: {
    engineChanged: showEngine,
    turnsChanged(shown) {
      welcome.hidden = shown.length > 0
      restart.hidden = shown.length === 0
      hideFailure()
      turns.busy = chat.busy
      turns.show(shown)
      if (chat.busy) showBusy(true)
    },
    answerGrew(turn, text) {
      turns.grow(turn)
      announcer.grow(text)
    },
    answerReplaced(turn) {
      turns.refresh(turn)
      announcer.begin()
    },
    turnChanged(turn) {
      if (chat.busy) hideFailure()
      turns.refresh(turn)
      showBusy(chat.busy, turn)
    },
    measured: showFigures,
    failed: showFailure,
  },
})

turns.lookUp = async (id) => (await escalation)?.lookUp(id) ?? null
turns.placeOf = (turn) => {
  const siblings = chat.siblings(turn)
  return { number: siblings.indexOf(turn) + 1, count: siblings.length }
}
turns.addEventListener('minnow-turn', (event) => {
  void act((event as CustomEvent<TurnActionDetail>).detail)
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
  // In a dialog it answers the dialog.
  const isInDialog = event.composedPath().some((each) => each instanceof HTMLDialogElement)
  if (event.key === 'Escape' && !isInDialog) chat.stop()
})

settings.addEventListener('click', () => {
  loadEscalation().then(
    (loaded) => loaded.showSettings(),
    (error: unknown) => showFailure(error, () => settings.click()),
  )
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

const pwa = startPwa({
  title: find('title', HTMLElement),
  notices: find('notices', HTMLElement),
  draft: input,
  isUntouched: () => welcome.hidden === false,
  onIncoming: (incoming) => void takeIncoming(incoming),
})

chat.load()
// Before the first answer, and after all that it waits for.
loadMarkdown().catch(() => undefined)

/** What other programs share is put into the composer, and asked by whoever reads it there. */
async function takeIncoming({ text, files, startsNew }: Incoming): Promise<void> {
  if (startsNew) chat.clear()
  const texts = await Promise.all(files.map((file) => file.text()))
  input.value = [input.value, text, ...texts].filter((each) => each !== '').join('\n\n')
  input.focus()
}

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
    announcer.say(strings().page.ready)
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

function showBusy(busy: boolean, turn: Turn | null = null): void {
  pwa.setBusy(busy)
  const { composer, turn: words } = strings()
  button.textContent = busy ? composer.stop : composer.send
  turns.busy = busy
  if (!busy) {
    announcer.end()
    announcer.say(words.complete(turn?.route ? badgeOf(turn.route).text : ''))
  } else if (turn?.progress) announcer.say(`${progressOf(turn.progress)}.`)
  else if (turn === null) {
    announcer.begin()
    announcer.say(words.answering)
  }
}

function showFailure(error: unknown, tryAgain: () => void): void {
  const { title, detail } = describeError(error)
  failureTitle.textContent = title
  failureDetail.textContent = detail
  retry = tryAgain
  failure.hidden = false
}

/** Once; after a failure anew. */
function loadEscalation(): Promise<Escalation> {
  loadingEscalation ??= openEscalation()
  escalation = loadingEscalation
  loadingEscalation.catch(() => {
    loadingEscalation = null
    // Whoever asks next is answered on the device.
    escalation = Promise.resolve(null)
  })
  return loadingEscalation
}

async function openEscalation(): Promise<Escalation> {
  const { Escalation } = await import('../widget/escalation')
  return Escalation.open({
    host: document.body,
    waiting,
    local: () => chat.engine(),
    onAnswered({ id, messages }, completion, route) {
      const question = messages.findLast(({ role }) => role === 'user')?.content ?? ''
      void chat.settle(id, question, completion.choices[0]?.message.content ?? '', route)
    },
    onError: (error) => showFailure(error, () => undefined),
  })
}

async function act({ turn, action }: TurnActionDetail): Promise<void> {
  switch (action.type) {
    case 'regenerate':
      return chat.regenerate(turn)
    case 'continue':
      return chat.continueAnswer(turn)
    case 'edit':
      return chat.edit(turn, action.question)
    case 'answer':
      return actOnAnswer(turn, action.action)
    case 'previous':
    case 'next': {
      const siblings = chat.siblings(turn)
      const other = siblings[siblings.indexOf(turn) + (action.type === 'next' ? 1 : -1)]
      if (other !== undefined) chat.select(other)
    }
  }
}

async function actOnAnswer(turn: Turn, action: AnswerAction): Promise<void> {
  const loaded = await loadEscalation()
  if (turn.route !== null) await loaded.feedback(turn.route, action)
  if (action !== 'ask-bigger') return
  if (loaded.hasRemote) await chat.askBigger(turn)
  else await loaded.showSettings()
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
