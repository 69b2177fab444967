import type { Citation, Engine } from '../contract/engine'
import { define } from './define'
import { CitationList, placeOf } from './documents/citation-list'
import { DocumentLibrary } from './documents/document-library'
import { openDocumentStore, openMemoryDocumentStore } from './documents/document-store'
import { DocumentsPanel } from './documents/documents-panel'
import { PassageDialog } from './documents/passage-dialog'
import type { PdfOpener } from './documents/read-document'
import { createPresetEngine } from './presets/preset-engine'
import { PRESETS } from './presets/presets'
import { PresetsDialog, questionOf, type PresetChoice } from './presets/presets-dialog'
import { strings } from './strings'
import type { TurnJob } from './turn'

export interface JobsOptions {
  /** Where the dialogs are put. */
  host: HTMLElement
  /** Shows the documents; upgraded here. */
  panel: HTMLElement
  openPdf: PdfOpener
  /** Something is to be answered in the way of `job`. */
  onAsk(question: string, job: TurnJob): void
}

/** Documents and presets with their elements, for a page. Loaded when they are first wanted. */
export class Jobs {
  readonly #library: DocumentLibrary
  readonly #panel: DocumentsPanel
  readonly #passages: PassageDialog
  readonly #presets: PresetsDialog

  static async open(options: JobsOptions): Promise<Jobs> {
    define('minnow-citations', CitationList)
    define('minnow-documents', DocumentsPanel)
    define('minnow-passage', PassageDialog)
    define('minnow-presets', PresetsDialog)
    const store = await openDocumentStore().catch(() => openMemoryDocumentStore())
    return new Jobs(options, store)
  }

  private constructor(
    { host, panel, openPdf, onAsk }: JobsOptions,
    store: Awaited<ReturnType<typeof openDocumentStore>>,
  ) {
    this.#panel = panel as DocumentsPanel
    this.#library = new DocumentLibrary({
      store,
      openPdf,
      onChange: (documents) => {
        this.#panel.documents = documents
      },
    })
    this.#panel.library = this.#library
    this.#panel.addEventListener('minnow-document-open', (event) => {
      void this.#showDocument((event as CustomEvent<string>).detail)
    })
    this.#panel.addEventListener('minnow-document-summarise', (event) => {
      const id = (event as CustomEvent<string>).detail
      const document = this.#library.documents.find((one) => one.id === id)
      if (document === undefined) return
      onAsk(strings().documents.summaryQuestion(document.name), { type: 'summary', document: id })
    })
    this.#passages = document.createElement('minnow-passage') as PassageDialog
    this.#presets = document.createElement('minnow-presets') as PresetsDialog
    this.#presets.addEventListener('minnow-preset', (event) => {
      const { id, values } = (event as CustomEvent<PresetChoice>).detail
      const preset = PRESETS.find((one) => one.id === id)
      if (preset !== undefined) onAsk(questionOf(preset, values), { type: 'preset', id, values })
    })
    host.append(this.#passages, this.#presets)
  }

  /** Shows the documents of a conversation. */
  async openConversation(id: string): Promise<void> {
    await this.#library.open(id)
  }

  /** Forgets the documents of a conversation, or of all. */
  async forget(conversation?: string): Promise<void> {
    await this.#library.forget(conversation)
  }

  /** How a question of the conversation that is open is answered; null: as usual. */
  jobOfQuestion(): TurnJob | null {
    return this.#library.documents.length === 0 ? null : { type: 'documents' }
  }

  /** What does a turn's job over `inner`. Where its document or preset is gone, `inner` itself answers. */
  engineOver(inner: Engine, job: TurnJob): Engine {
    switch (job.type) {
      case 'documents':
        return this.#library.engineOver(inner, strings().documents.nothingFound)
      case 'summary':
        return this.#library.summaryEngineOver(inner, job.document) ?? inner
      case 'preset': {
        const preset = PRESETS.find(({ id }) => id === job.id)
        return preset === undefined ? inner : createPresetEngine(inner, preset, job.values)
      }
    }
  }

  /** While something is answered, no other job can begin. */
  setBusy(busy: boolean): void {
    this.#panel.busy = busy
    this.#presets.busy = busy
  }

  chooseFiles(): void {
    this.#panel.choose()
  }

  async addFiles(files: Iterable<File>): Promise<void> {
    await this.#panel.add(files)
  }

  async showPresets(): Promise<void> {
    await this.#presets.show()
  }

  async showCitation(citation: Citation): Promise<void> {
    const document = this.#library.documents.find(({ id }) => id === citation.documentId)
    const { text, start, end } = citation
    const whole = document?.text.slice(start, end) === text
    await this.#passages.show({
      place: placeOf(citation),
      // Of a document that is gone the passage is still there.
      ...(whole ? { text: document.text, start, end } : { text, start: 0, end: text.length }),
    })
  }

  async #showDocument(id: string): Promise<void> {
    const document = this.#library.documents.find((one) => one.id === id)
    if (document !== undefined) {
      await this.#passages.show({ place: document.name, text: document.text, start: 0, end: 0 })
    }
  }
}
