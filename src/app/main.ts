import type { BackendPreference, Citation, Engine } from '../contract/engine'
import { isEngineError } from '../contract/error'
import { Chat } from '../widget/chat'
import { Announcer } from '../widget/chat-announcer'
import type { EngineState } from '../widget/chat-engine'
import type { ChatSettings } from '../widget/chat-settings'
import type { ChatSettingsDialog } from '../widget/chat-settings-dialog'
import { loadMarkdown } from '../widget/markdown-text'
import { badgeOf, progressOf } from '../widget/route-words'
import { pickLanguage, setLanguage, strings } from '../widget/strings'
import type { Turn } from '../widget/turn'
import { defineTurnElements } from '../widget/turn-elements'
import { TurnList, type TurnActionDetail } from '../widget/turn-list'
import { noteOf } from '../widget/turn-view'
import { acceptDrops } from './accept-drops'
import { EscalationConnection } from './connect-escalation'
import { connectJobs } from './connect-jobs'
import { hideFailure, provideRemedies, showFailure } from './failure'
import { hideReason, measureSpeed, showFigures, showSaving, startFigures, wantsTokens } from './figures-panel'
import { find } from './find'
import type { Incoming } from './incoming'
import { showNotKept } from './notices'
import { Offer } from './offer'
import { PageModels } from './page-models'
import { startPwa } from './pwa'
import { recall, remember } from './remember'
import type { Sidebar } from './sidebar'
import { translatePage } from './translate-page'
import { trustOwnScripts } from './trusted-types'
import { actOnTurn } from './turn-actions'
import { describeProgress } from './words'

trustOwnScripts()
await setLanguage(pickLanguage(navigator.languages))
defineTurnElements()
translatePage()

const form = find('composer', HTMLFormElement)
const input = find('question', HTMLTextAreaElement)
const button = find('send', HTMLButtonElement)
const restart = find('restart', HTMLButtonElement)
const adjust = find('adjust', HTMLButtonElement)
const loading = find('loading', HTMLElement)
const loadingWords = find('loading-words', HTMLElement)
const loadingBar = find('loading-bar', HTMLProgressElement)
const backend = find('backend', HTMLSelectElement)
const welcome = find('welcome', HTMLElement)
const settings = find('settings', HTMLButtonElement)
const notices = find('notices', HTMLElement)
const drawer = find('drawer', HTMLDialogElement)
const turns = find('conversation', TurnList)
const announcer = new Announcer(find('status', HTMLElement))
const models = new PageModels({
  onChosen: () => chat.reload(),
  onDeleted: () => offer.withdraw(),
  remove: {
    async conversations() {
      await conversations
      await jobs.forget(null)
      await sidebar?.keeper?.removeAll()
    },
    documents: () => jobs.forget(null),
    usage: async () => (await escalation.load()).wipe(),
  },
})
const offer = new Offer({
  section: find('offer', HTMLElement),
  words: find('offer-words', HTMLElement),
  button: find('offer-button', HTMLButtonElement),
  describe: (signal) => models.describe(signal),
  hasRoomFor: (bytes) => models.hasRoomFor(bytes),
  onAgreed: () => models.persist(),
})

let sidebar: Sidebar | null = null
let measuring = new AbortController()
let isBusy = false
/** The last thing that failed did so for want of the network. */
let lacksNetwork = false
/** Whose failure was told last. */
let failedTurn: Turn | null = null

const chat = new Chat({
  open: openModel,
  route: async (local, turn) =>
    jobs.engineOver((await (await escalation.current)?.routerOver(local)) ?? local, turn),
  trace: async (id) => (await escalation.current)?.trace(id) ?? null,
  wantsTokens,
  events: {
    engineChanged: showEngine,
    turnsChanged(shown) {
      jobs.conversationChanged()
      welcome.hidden = shown.length > 0
      restart.hidden = shown.length === 0
      // What failed in another conversation or branch is no matter here.
      if (failedTurn !== null && !shown.includes(failedTurn)) hideFailure()
      turns.busy = chat.busy
      turns.show(shown)
      showSaving(shown)
      if (chat.busy) showBusy(true)
      if (chat.answering !== null) sidebar?.keeper?.note(chat.answering)
      else void sidebar?.keeper?.noteView()
    },
    answerGrew(turn, text) {
      turns.grow(turn)
      announcer.grow(text)
      sidebar?.keeper?.note(turn)
    },
    answerReplaced(turn) {
      turns.refresh(turn)
      announcer.begin()
    },
    turnChanged(turn) {
      turns.refresh(turn)
      showBusy(chat.busy, turn)
      if (!chat.busy) showSaving(chat.turns)
      sidebar?.keeper?.note(turn)
    },
    measured: showFigures,
    failed(error, retry, turn) {
      showFailure(error, retry)
      failedTurn = turn
      lacksNetwork = isEngineError(error, 'network')
    },
  },
})

const escalation = new EscalationConnection({
  host: document.body,
  waiting: find('waiting', HTMLElement),
  local: () => chat.engine(),
  async onLate(late) {
    await conversations
    await (sidebar?.keeper ?? chat).settle(late)
  },
  onChanged: () => chat.stop(),
  onError: (error) => showFailure(error),
})

const jobs = connectJobs({
  chat,
  host: document.body,
  panel: find('documents', HTMLElement),
  addDocuments: find('add-documents', HTMLButtonElement),
  showPresets: find('show-presets', HTMLButtonElement),
  onError: (error) => showFailure(error),
})
turns.addEventListener('minnow-citation', (event) => {
  jobs.showCitation((event as CustomEvent<Citation>).detail)
})

turns.lookUp = async (id) => (await escalation.current)?.lookUp(id) ?? null
turns.placeOf = (turn) => {
  const siblings = chat.siblings(turn)
  return { number: siblings.indexOf(turn) + 1, count: siblings.length }
}
turns.addEventListener('minnow-turn', (event) => {
  const { detail } = event as CustomEvent<TurnActionDetail>
  actOnTurn(detail, { chat, turns, escalation, keepNow }).catch((error: unknown) => showFailure(error))
})
startFigures((tinted) => {
  turns.tinted = tinted
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
  void ask(question).then((isAsked) => {
    // What another question was quicker than is not lost.
    if (!isAsked) input.value = [question, input.value].filter((each) => each !== '').join('\n\n')
  })
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
  escalation.load().then(
    (loaded) => loaded.showSettings(),
    (error: unknown) => showFailure(error, () => settings.click()),
  )
})

find('models', HTMLButtonElement).addEventListener('click', showModels)

adjust.addEventListener('click', () => {
  showChatSettings().catch((error: unknown) => showFailure(error, () => adjust.click()))
})

restart.addEventListener('click', () => {
  if (sidebar?.keeper) void sidebar.keeper.begin().then(() => sidebar?.refresh())
  else chat.clear()
  input.focus()
})

for (const example of document.querySelectorAll<HTMLButtonElement>('.example')) {
  example.addEventListener('click', () => {
    void ask(example.textContent.trim())
    input.focus()
  })
}

const BACKEND_KEY = 'minnow-backend'
chooseBackend(new URLSearchParams(location.search).get('backend') ?? recall(BACKEND_KEY) ?? 'auto')
backend.addEventListener('change', () => {
  remember(BACKEND_KEY, backend.value)
  hideFailure()
  chat.reload()
})

addEventListener('online', () => {
  if (!lacksNetwork) return
  lacksNetwork = false
  // A question is asked again by who asked it; the model may come meanwhile.
  if (failedTurn === null) hideFailure()
  chat.load()
})

provideRemedies(() => ({
  'new-conversation': () => restart.click(),
  settings: () => settings.click(),
  models: showModels,
  processor:
    backend.value === 'webgpu'
      ? () => {
          backend.value = 'wasm'
          backend.dispatchEvent(new Event('change'))
        }
      : undefined,
}))

const pwa = startPwa({
  title: find('title', HTMLElement),
  notices,
  draft: input,
  isUntouched: () => welcome.hidden === false && loading.hidden !== false,
  onIncoming: (incoming) => void takeIncoming(incoming),
})

acceptDrops(document.body, (files) => void takeIncoming({ text: '', files, startsNew: false }))
find('close-drawer', HTMLButtonElement).addEventListener('click', () => drawer.close())
const conversations = openConversations()
chat.load()
// Before the first answer, and after all that it waits for.
loadMarkdown().catch(() => undefined)

function ask(question: string): Promise<boolean> {
  measuring.abort()
  return jobs.ask(question)
}

async function openModel({
  onProgress,
  signal,
}: Parameters<ConstructorParameters<typeof Chat>[0]['open']>[0]): Promise<Engine> {
  loading.hidden = true
  turns.waiting = strings().offer.waiting
  try {
    await offer.agreed(signal)
  } finally {
    turns.waiting = ''
  }
  loading.hidden = false
  return models.createEngine({ backend: backend.value as BackendPreference, onProgress, signal })
}

/** Keeps conversations, and shows the one again that was shown before a reload. */
async function openConversations(): Promise<void> {
  try {
    const { openSidebar } = await import('./sidebar')
    sidebar = await openSidebar({
      chat,
      aside: find('sidebar', HTMLElement),
      drawer,
      opener: find('open-drawer', HTMLButtonElement),
      onOpened: () => input.focus(),
      onRemoved: (id) => void jobs.forget(id).catch((error: unknown) => showFailure(error)),
      onError: (error) => showFailure(error),
    })
    // What was asked meanwhile.
    for (const turn of chat.allTurns) sidebar.keeper?.note(turn)
  } catch (error) {
    showFailure(error, () => void openConversations())
  }
}

function showModels(): void {
  models.showDialog().catch((error: unknown) => showFailure(error, showModels))
}

async function showChatSettings(): Promise<void> {
  const { ChatSettingsDialog } = await import('../widget/chat-settings-dialog')
  const name = 'minnow-chat-settings'
  if (customElements.get(name) === undefined) customElements.define(name, ChatSettingsDialog)
  let dialog = document.querySelector<ChatSettingsDialog>(name)
  if (dialog === null) {
    dialog = document.createElement(name) as ChatSettingsDialog
    dialog.addEventListener(name, (event) => {
      chat.settings = (event as CustomEvent<ChatSettings>).detail
      void sidebar?.keeper?.noteView()
    })
    document.body.append(dialog)
  }
  await dialog.show(chat.settings)
}

/** Text goes into the composer, and is asked by whoever reads it there; models to the store, other files to documents. */
async function takeIncoming({ text, files, startsNew }: Incoming): Promise<void> {
  await conversations
  if (startsNew && !restart.hidden) restart.click()
  const isModel = ({ name }: File): boolean => /\.gguf$/i.test(name)
  if (files.some(isModel)) void models.add(files.filter(isModel))
  if (!files.every(isModel)) jobs.addFiles(files.filter((file) => !isModel(file)))
  input.value = [input.value, text].filter((each) => each !== '').join('\n\n')
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
  if (state.phase !== 'ready') {
    hideReason()
    measuring.abort()
    return
  }
  announcer.say(strings().page.ready)
  showNotKept(notices, state.info.notKept?.code ?? null, showModels)
  showFigures(null, state.info)
  void estimateSpeed()
}

/** Unless something is asked, which tells it as well. */
async function estimateSpeed(): Promise<void> {
  measuring = new AbortController()
  const { signal } = measuring
  if (chat.busy) return
  // It is only an estimate: without one nothing is shown.
  await chat
    .engine()
    .then((engine) => (signal.aborted ? undefined : measureSpeed(engine, chat.settings.system, signal)))
    .catch(() => undefined)
}

function showBusy(busy: boolean, turn: Turn | null = null): void {
  const begins = busy && !isBusy
  isBusy = busy
  pwa.setBusy(busy)
  jobs.setBusy(busy)
  const { composer, turn: words } = strings()
  button.textContent = busy ? composer.stop : composer.send
  turns.busy = busy
  if (begins) {
    hideFailure()
    announcer.begin()
    announcer.say(words.answering)
  }
  if (turn === null) return
  if (busy && turn.progress) announcer.say(`${progressOf(turn.progress)}.`)
  if (busy) return
  announcer.end()
  announcer.say(noteOf(turn.state) || words.complete(turn.route ? badgeOf(turn.route).text : ''))
}

function keepNow(turn: Turn): void {
  sidebar?.keeper?.note(turn)
  void sidebar?.keeper?.flush()
}
