import { createEngine, type CreateEngineOptions } from '../client/create-engine'
import { DEFAULT_MODEL_PATH } from '../client/model-reference'
import { openModelStore } from '../client/model-store'
import type { Engine } from '../contract/engine'
import { isEngineError } from '../contract/error'
import type { ModelDescription, ModelStore, StoredModel } from '../contract/model-store'
import { define } from '../widget/define'
import type { ModelsDialog } from '../widget/models-dialog'
import { readKept, type KeptRemovers } from './kept-here'
import { forget, recall, remember } from './remember'

const NAME = 'minnow-models-dialog'
const CHOSEN_KEY = 'minnow-model'

export interface PageModelsOptions {
  /** Another model is to be loaded. */
  onChosen(): void
  /** The visitor deleted one. */
  onDeleted(): void
  /** Delete what lies here besides models. */
  remove: KeptRemovers
}

/** Which model the page uses, and the dialog of those on this device. */
export class PageModels {
  readonly #store: ModelStore = openModelStore()
  readonly #options: PageModelsOptions

  constructor(options: PageModelsOptions) {
    this.#options = options
  }

  /** The page's own, or what the visitor chose instead. */
  get current(): string {
    return recall(CHOSEN_KEY) ?? new URL(DEFAULT_MODEL_PATH, document.baseURI).href
  }

  /** What is to be said before it is downloaded. */
  async describe(signal: AbortSignal): Promise<ModelDescription> {
    return this.#withCurrent((url) => this.#store.describe(url, { signal }))
  }

  /** Whether so much more can be kept here, as far as the browser says; true where it does not. */
  async hasRoomFor(bytes: number): Promise<boolean> {
    const { kind, usedBytes, quotaBytes } = await this.#store.room()
    return kind !== null && (usedBytes === null || quotaBytes === null || quotaBytes - usedBytes >= bytes)
  }

  async createEngine(options: Omit<CreateEngineOptions, 'model'>): Promise<Engine> {
    return this.#withCurrent((model) => createEngine({ ...options, model }))
  }

  /** Asks the browser not to clear models by itself; on the visitor's click. */
  persist(): void {
    this.#store.persist().catch(() => undefined)
  }

  async showDialog(): Promise<ModelsDialog> {
    const { ModelsDialog } = await import('../widget/models-dialog')
    define(NAME, ModelsDialog)
    let dialog = document.querySelector<ModelsDialog>(NAME)
    if (dialog === null) {
      dialog = document.createElement(NAME) as ModelsDialog
      dialog.addEventListener('minnow-model-chosen', (event) => {
        this.#choose((event as CustomEvent<StoredModel>).detail)
      })
      dialog.addEventListener('minnow-model-deleted', () => this.#options.onDeleted())
      document.body.append(dialog)
    }
    await dialog.show(this.#store, { current: this.current, others: () => readKept(this.#options.remove) })
    return dialog
  }

  /** Adds files of models: dropped, or opened with the page. */
  async add(files: readonly File[]): Promise<void> {
    const dialog = await this.showDialog()
    await Promise.all(files.map((file) => dialog.add(file)))
  }

  /** A chosen model that is gone is no longer chosen. */
  async #withCurrent<T>(use: (url: string) => Promise<T>): Promise<T> {
    try {
      return await use(this.current)
    } catch (error) {
      if (!isEngineError(error, 'invalid-argument') || recall(CHOSEN_KEY) === null) throw error
      forget(CHOSEN_KEY)
      return use(this.current)
    }
  }

  #choose({ url, sources }: StoredModel): void {
    const own = new URL(DEFAULT_MODEL_PATH, document.baseURI).href
    if (sources.includes(own)) forget(CHOSEN_KEY)
    else remember(CHOSEN_KEY, url)
    this.#options.onChosen()
  }
}
