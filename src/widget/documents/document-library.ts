import type { Engine } from '../../contract/engine'
import { cutPassages } from './cut-passages'
import { createDocumentEngine } from './document-engine'
import { documentError } from './document-error'
import type { DocumentStore } from './document-store'
import type { StoredDocument } from './document-text'
import { collectInTurns } from './in-turns'
import { PassageIndex } from './passage-index'
import { readDocument, type PdfOpener } from './read-document'
import { createSummaryEngine } from './summarise'

/** Documents of a conversation, at most. */
export const MOST_DOCUMENTS = 20

export interface LibraryOptions {
  store: DocumentStore
  openPdf: PdfOpener
  /** Other documents are there, or fewer. */
  onChange(documents: readonly StoredDocument[]): void
}

/** The documents of the conversation that is open: kept, indexed, asked. Knows no DOM. */
export class DocumentLibrary {
  readonly #options: LibraryOptions
  #conversationId = ''
  #documents: StoredDocument[] = []
  #index = new PassageIndex()
  /** Changes come one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: LibraryOptions) {
    this.#options = options
    options.store.listen((conversationId) => {
      if (conversationId === null || conversationId === this.#conversationId) void this.#reload()
    })
  }

  get documents(): readonly StoredDocument[] {
    return this.#documents
  }

  /** Shows the documents of another conversation. */
  async open(conversationId: string, signal?: AbortSignal): Promise<void> {
    await this.#inTurn(async () => {
      if (conversationId !== this.#conversationId) await this.#load(conversationId, signal)
    })
  }

  /** What another tab deleted is not read here any more either. */
  async #reload(): Promise<void> {
    await this.#inTurn(async () => this.#load(this.#conversationId)).catch(() => {
      this.#show([], new PassageIndex())
    })
  }

  async #load(conversationId: string, signal?: AbortSignal): Promise<void> {
    const documents = await this.#options.store.list(conversationId)
    const index = new PassageIndex()
    for (const document of documents) await indexDocument(index, document, signal)
    this.#conversationId = conversationId
    this.#show(documents, index)
  }

  /**
   * Reads a file, keeps it and makes it findable.
   * @throws EngineError 'invalid-argument' whose `details.reason` is a `DocumentFault`; `signal.reason`
   */
  async add(
    file: File,
    { signal, onProgress }: { signal?: AbortSignal; onProgress?: (fraction: number) => void } = {},
  ): Promise<StoredDocument> {
    return this.#inTurn(async () => {
      if (this.#documents.length >= MOST_DOCUMENTS) {
        throw documentError(
          'too-many',
          `A conversation has at most ${MOST_DOCUMENTS} documents. Remove one, or begin another conversation.`,
        )
      }
      const read = await readDocument(file, {
        openPdf: this.#options.openPdf,
        ...(signal === undefined ? {} : { signal }),
        ...(onProgress === undefined ? {} : { onProgress }),
      })
      const document: StoredDocument = {
        ...read,
        id: crypto.randomUUID(),
        conversationId: this.#conversationId,
        name: file.name,
        sizeBytes: file.size,
        at: Date.now(),
      }
      try {
        await indexDocument(this.#index, document, signal)
        await this.#options.store.put(document)
      } catch (error) {
        this.#index.remove(document.id)
        throw error
      }
      this.#show([...this.#documents, document], this.#index)
      return document
    })
  }

  async remove(id: string): Promise<void> {
    await this.#inTurn(async () => {
      const document = this.#documents.find((one) => one.id === id)
      if (document === undefined) return
      await this.#options.store.delete(document)
      this.#index.remove(id)
      this.#show(
        this.#documents.filter((one) => one !== document),
        this.#index,
      )
    })
  }

  /** Deletes the documents of a conversation, or of all. */
  async forget(conversationId?: string): Promise<void> {
    await this.#inTurn(async () => {
      await this.#options.store.clear(conversationId)
      const isOpen = conversationId === undefined || conversationId === this.#conversationId
      if (isOpen) this.#show([], new PassageIndex())
    })
  }

  /** What answers from these documents. */
  engineOver(inner: Engine, nothingFound: string): Engine {
    return createDocumentEngine(inner, this.#index, { nothingFound })
  }

  /** What summarises one of them; null where it is gone. */
  summaryEngineOver(inner: Engine, id: string): Engine | null {
    const document = this.#documents.find((one) => one.id === id)
    return document === undefined ? null : createSummaryEngine(inner, document)
  }

  #show(documents: StoredDocument[], index: PassageIndex): void {
    this.#documents = documents
    this.#index = index
    this.#options.onChange(documents)
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }
}

async function indexDocument(
  index: PassageIndex,
  document: StoredDocument,
  signal: AbortSignal | undefined,
): Promise<void> {
  await collectInTurns(index.add(document, cutPassages(document)), signal)
}
