import type { Citation, Engine } from '../contract/engine'
import type { Chat } from '../widget/chat'
import { hasDocuments } from '../widget/documents/document-database'
import type { Jobs } from '../widget/jobs'
import { strings } from '../widget/strings'
import type { Turn, TurnJob } from '../widget/turn'

export interface JobsConnection {
  /** What answers a turn over `inner`. */
  engineOver(inner: Engine, turn: Turn): Promise<Engine>
  /** Asks, from the conversation's documents where there are any. */
  ask(question: string): Promise<void>
  /** Another conversation is shown. */
  conversationChanged(): void
  showCitation(citation: Citation): void
  /** Deletes the documents of a conversation; null: of all. */
  forget(conversation: string | null): void
  setBusy(busy: boolean): void
}

export interface ConnectJobsOptions {
  chat: Chat
  host: HTMLElement
  panel: HTMLElement
  addDocuments: HTMLButtonElement
  showPresets: HTMLButtonElement
  onError(error: unknown): void
}

/** Documents and presets in the page: loaded when they are first wanted, or when there are documents already. */
export function connectJobs(options: ConnectJobsOptions): JobsConnection {
  const { chat, host, panel, addDocuments, showPresets, onError } = options
  let loading: Promise<Jobs> | null = null

  const load = (): Promise<Jobs> => {
    loading ??= import('../widget/jobs').then(async ({ Jobs }) => {
      const { openPdf } = await import('./open-pdf')
      const jobs = await Jobs.open({
        host,
        panel,
        openPdf,
        onAsk: (question, job) => void chat.ask(question, job),
      })
      await jobs.openConversation(chat.id)
      return jobs
    })
    loading.catch(() => {
      loading = null
    })
    return loading
  }
  const use = (work: (jobs: Jobs) => unknown): void => {
    load().then(work).catch(onError)
  }

  addDocuments.addEventListener('click', () => use((jobs) => jobs.chooseFiles()))
  showPresets.addEventListener('click', () => use((jobs) => jobs.showPresets()))
  acceptDrops(host, (files) => use((jobs) => jobs.addFiles(files)))

  return {
    async engineOver(inner, { job }) {
      return job === null ? inner : (await load()).engineOver(inner, job)
    },
    async ask(question) {
      const jobs = await (loading ?? ((await hasDocuments()) ? load() : null))?.catch(() => null)
      const job: TurnJob | null = jobs?.jobOfQuestion() ?? null
      await chat.ask(question, job)
    },
    conversationChanged() {
      if (loading !== null) use((jobs) => jobs.openConversation(chat.id))
      else void hasDocuments().then((has) => has && use((jobs) => jobs.openConversation(chat.id)))
    },
    forget(conversation) {
      void hasDocuments().then((has) => has && use((jobs) => jobs.forget(conversation ?? undefined)))
    },
    showCitation: (citation) => use((jobs) => jobs.showCitation(citation)),
    setBusy(busy) {
      if (loading !== null) use((jobs) => jobs.setBusy(busy))
    },
  }
}

/** Files dropped anywhere on the page but on a dialog; models are left to others. */
function acceptDrops(host: HTMLElement, onFiles: (files: File[]) => void): void {
  const veil = document.createElement('div')
  veil.className = 'drop-veil'
  veil.hidden = true
  host.append(veil)
  const holdsFiles = (event: DragEvent): boolean =>
    event.dataTransfer?.types.includes('Files') === true &&
    !event.composedPath().some((each) => each instanceof HTMLDialogElement)
  document.addEventListener('dragover', (event) => {
    if (!holdsFiles(event)) return
    event.preventDefault()
    veil.textContent = strings().documents.drop
    veil.hidden = false
  })
  document.addEventListener('dragleave', ({ relatedTarget }) => {
    if (relatedTarget === null) veil.hidden = true
  })
  document.addEventListener('drop', (event) => {
    veil.hidden = true
    if (!holdsFiles(event)) return
    event.preventDefault()
    const files = [...(event.dataTransfer?.files ?? [])].filter(({ name }) => !/\.gguf$/i.test(name))
    if (files.length > 0) onFiles(files)
  })
}
