import type { Citation, Engine } from '../contract/engine'
import type { Chat } from '../widget/chat'
import { hasDocuments } from '../widget/documents/document-database'
import type { Jobs } from '../widget/jobs'
import type { Turn, TurnJob } from '../widget/turn'

export interface JobsConnection {
  /** What answers a turn over `inner`. */
  engineOver(inner: Engine, turn: Turn): Promise<Engine>
  /** Asks, from the conversation's documents where there are any. False where something else is being answered. */
  ask(question: string): Promise<boolean>
  /** Adds them to the conversation's documents. */
  addFiles(files: File[]): void
  /** Another conversation is shown. */
  conversationChanged(): void
  showCitation(citation: Citation): void
  /** Deletes the documents of a conversation; null: of all. */
  forget(conversation: string | null): Promise<void>
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
      jobs.setBusy(chat.busy)
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

  return {
    async engineOver(inner, { job }) {
      return job === null ? inner : (await load()).engineOver(inner, job)
    },
    async ask(question) {
      const jobs = await (loading ?? ((await hasDocuments()) ? load() : null))?.catch(() => null)
      const job: TurnJob | null = jobs?.jobOfQuestion() ?? null
      return chat.ask(question, job)
    },
    addFiles: (files) => use((jobs) => jobs.addFiles(files)),
    conversationChanged() {
      if (loading !== null) use((jobs) => jobs.openConversation(chat.id))
      else void hasDocuments().then((has) => has && use((jobs) => jobs.openConversation(chat.id)))
    },
    async forget(conversation) {
      if (await hasDocuments()) await (await load()).forget(conversation ?? undefined)
    },
    showCitation: (citation) => use((jobs) => jobs.showCitation(citation)),
    setBusy(busy) {
      if (loading !== null) use((jobs) => jobs.setBusy(busy))
    },
  }
}
