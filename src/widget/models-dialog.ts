import { css, html, LitElement, nothing, type TemplateResult } from 'lit'
import type { LoadProgress } from '../contract/engine'
import type { ModelStore, StorageRoom, StoredModel } from '../contract/model-store'
import { describeError, type ErrorWords } from './error-words'
import { errorText } from './error-text'
import { define } from './define'
import { KeptList, type KeptPart } from './kept-list'
import { saveBlob } from './save-file'
import { sizeOf } from './size-words'
import { strings } from './strings'
import { dialogTheme, theme } from './theme'

/** What runs: an import or an update, one at a time. */
interface Transfer {
  readonly words: string
  readonly controller: AbortController
  progress: LoadProgress | null
}

export interface ModelsDialogOptions {
  /** The URL that the engine in use was made of: a manifest's, or `StoredModel.url`. */
  current?: string
  /** What else this origin keeps. Default: nothing is said of it. */
  others?: () => Promise<readonly KeptPart[]>
}

const KEPT_LIST = 'minnow-kept-list'

/**
 * What is on this device: models with their sizes and last use, room, adding by file or address, taking along, deleting.
 * Fires 'minnow-model-chosen' with the `StoredModel` as its detail when a person wants to use another one,
 * 'minnow-model-deleted' when one was deleted.
 */
export class ModelsDialog extends LitElement {
  static override properties = {
    models: { state: true },
    room: { state: true },
    transfer: { state: true },
    sure: { state: true },
    waiting: { state: true },
    problems: { state: true },
    said: { state: true },
    isDropping: { state: true },
  }
  declare models: readonly StoredModel[] | null
  declare room: StorageRoom | null
  declare transfer: Transfer | null
  /** Key of the model whose deletion was asked for once. */
  declare sure: string | null
  /** Transfers that come after it. */
  declare waiting: number
  declare problems: readonly ErrorWords[]
  declare said: string
  declare isDropping: boolean
  #store: ModelStore | null = null
  #current: string | null = null
  /** One transfer after the other. */
  #queue: Promise<void> = Promise.resolve()
  #stopListening: () => void = () => undefined

  constructor() {
    super()
    this.models = null
    this.room = null
    this.transfer = null
    this.waiting = 0
    this.sure = null
    this.problems = []
    this.said = ''
    this.isDropping = false
  }

  async show(store: ModelStore, { current, others }: ModelsDialogOptions = {}): Promise<void> {
    this.#store = store
    this.#current = current ?? null
    this.sure = null
    this.said = ''
    this.problems = []
    this.#stopListening()
    this.#stopListening = store.subscribe(() => void this.#read())
    define(KEPT_LIST, KeptList)
    await this.#read()
    await this.updateComplete
    if (others !== undefined) await this.renderRoot.querySelector<KeptList>(KEPT_LIST)?.show(others)
    const dialog = this.renderRoot.querySelector('dialog')
    if (dialog?.open === false) dialog.showModal()
  }

  /** Adds a file or the file at a URL: for what was dropped on the page or opened with it. Call show() before. */
  async add(source: File | URL): Promise<void> {
    const store = this.#store
    if (store === null) return
    const name = source instanceof URL ? source.pathname.split('/').at(-1)! : source.name
    await this.#run(strings().store.adding(name), async (options) => {
      const model = await store.import(source, options)
      this.said = strings().store.added(model.name)
    })
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#stopListening()
    this.transfer?.controller.abort()
  }

  async #read(): Promise<void> {
    const store = this.#store
    if (store === null) return
    try {
      const [models, room] = await Promise.all([store.list(), store.room()])
      this.models = models
      this.room = room
    } catch {
      this.problems = [{ title: strings().store.unreadable, detail: '' }]
    }
  }

  async #run(
    words: string,
    work: (options: { signal: AbortSignal; onProgress(progress: LoadProgress): void }) => Promise<void>,
  ): Promise<void> {
    if (this.transfer === null && this.waiting === 0) {
      this.problems = []
      this.said = ''
    }
    this.waiting++
    this.#queue = this.#queue.then(async () => {
      this.waiting--
      if (!this.isConnected) return
      const transfer: Transfer = { words, controller: new AbortController(), progress: null }
      const { signal } = transfer.controller
      this.transfer = transfer
      try {
        await work({ signal, onProgress: (progress) => (this.transfer = { ...transfer, progress }) })
      } catch (error) {
        if (!signal.aborted) this.problems = [...this.problems, describeError(error)]
      }
      this.transfer = null
      await this.#read()
    })
    await this.#queue
  }

  async #update({ key, name }: StoredModel): Promise<void> {
    await this.#run(strings().store.updating(name), async (options) => {
      await this.#store?.update(key, options)
    })
  }

  async #export({ key }: StoredModel): Promise<void> {
    try {
      const file = await this.#store?.export(key)
      if (file !== undefined) saveBlob(file.name, file)
    } catch (error) {
      this.problems = [describeError(error)]
    }
  }

  async #delete({ key }: StoredModel): Promise<void> {
    if (this.sure !== key) {
      this.sure = key
      return
    }
    this.sure = null
    this.problems = []
    try {
      await this.#store?.delete(key)
      this.dispatchEvent(new CustomEvent('minnow-model-deleted', { bubbles: true, composed: true }))
    } catch (error) {
      this.problems = [describeError(error)]
    }
    await this.#read()
    await this.updateComplete
    this.renderRoot.querySelector<HTMLElement>('#close')?.focus()
  }

  async #persist(): Promise<void> {
    const isPersistent = (await this.#store?.persist()) === true
    this.said = isPersistent ? strings().store.persistent : strings().store.persistRefused
    await this.#read()
  }

  #addUrl(event: SubmitEvent): void {
    event.preventDefault()
    const field = this.renderRoot.querySelector<HTMLInputElement>('#url')
    const text = field?.value.trim() ?? ''
    if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
      this.problems = [{ title: strings().store.noUrl, detail: '' }]
      field?.focus()
      return
    }
    void this.add(new URL(text))
  }

  #addFiles(files: Iterable<File>): void {
    for (const file of files) void this.add(file)
  }

  #choose(model: StoredModel): void {
    this.#close()
    this.dispatchEvent(
      new CustomEvent('minnow-model-chosen', { detail: model, bubbles: true, composed: true }),
    )
  }

  #close(): void {
    this.renderRoot.querySelector('dialog')?.close()
  }

  override render(): TemplateResult {
    const { store: words } = strings()
    return html`<dialog
      aria-labelledby="title"
      class=${this.isDropping ? 'dropping' : ''}
      @dragover=${(event: DragEvent) => {
        event.preventDefault()
        this.isDropping = true
      }}
      @dragleave=${() => (this.isDropping = false)}
      @drop=${(event: DragEvent) => {
        event.preventDefault()
        this.isDropping = false
        this.#addFiles(event.dataTransfer?.files ?? [])
      }}
    >
      <div class="head"><h2 id="title">${words.title}</h2></div>
      <div class="body">
        <section aria-labelledby="title">
          <p class="soft small">${words.lead}</p>
          ${this.#list()} ${this.#roomBar()}
        </section>
        ${this.room?.kind === null ? nothing : this.#adding()} <minnow-kept-list></minnow-kept-list>
        <p class="small" role="status">${this.isDropping ? words.dropHere : this.said}</p>
        ${this.problems.map((problem) => html`<div class="error" role="alert">${errorText(problem)}</div>`)}
      </div>
      <div class="foot">
        <button id="close" type="button" autofocus @click=${() => this.#close()}>${words.close}</button>
      </div>
    </dialog>`
  }

  #list(): TemplateResult {
    const { store: words } = strings()
    if (this.room?.kind === null) return html`<p>${words.nowhere}</p>`
    // What comes just now is shown by its progress.
    const models = this.models?.filter((model) => this.transfer === null || !isPartialImport(model)) ?? []
    if (models.length === 0) return html`<p>${words.none}</p>`
    return html`<ul class="models">
      ${models.map((model) => this.#model(model))}
    </ul>`
  }

  #model(model: StoredModel): TemplateResult {
    const { store: words } = strings()
    const isCurrent = this.#current !== null && [model.url, ...model.sources].includes(this.#current)
    const isSure = this.sure === model.key
    const action = (word: string, run: () => unknown, kind = 'plain'): TemplateResult =>
      html`<button type="button" class=${kind} aria-label=${words.about(word, model.name)} @click=${run}>
        ${word}
      </button>`
    return html`<li>
      <h3>${model.name}</h3>
      <p class="soft small">${factsOf(model, isCurrent).join(' · ')}</p>
      ${notesOf(model, isCurrent).map((note) => html`<p class="small">${note}</p>`)}
      <div class="actions">
        ${
          model.update === null || this.transfer !== null
            ? nothing
            : action(words.getUpdate, () => this.#update(model))
        }
        ${isCurrent || !model.isComplete ? nothing : action(words.use, () => this.#choose(model))}
        ${model.isComplete ? action(words.export, () => this.#export(model)) : nothing}
        ${action(isSure ? words.deleteSure : words.delete, () => this.#delete(model), 'plain danger')}
      </div>
    </li>`
  }

  #roomBar(): TemplateResult | typeof nothing {
    const { store: words } = strings()
    const { room } = this
    if (room === null || room.kind === null) return nothing
    const { modelBytes, usedBytes, quotaBytes, isPersistent } = room
    const isKnown = usedBytes !== null && quotaBytes !== null
    const hasModels = modelBytes > 0
    return html`<div class="room">
      ${
        isKnown
          ? html`<meter aria-label=${words.roomLabel} min="0" max=${quotaBytes} value=${usedBytes}></meter>
              <p class="soft small">
                ${words.room(sizeOf(modelBytes), sizeOf(Math.max(0, quotaBytes - usedBytes)))}
              </p>`
          : html`<p class="soft small">${words.roomOfModels(sizeOf(modelBytes))}</p>`
      }
      ${
        isPersistent
          ? html`<p class="soft small">${words.persistent}</p>`
          : hasModels
            ? html`<p class="soft small">${words.persistWords}</p>
                <button type="button" class="plain" @click=${() => this.#persist()}>${words.persist}</button>`
            : nothing
      }
    </div>`
  }

  #adding(): TemplateResult {
    const { store: words } = strings()
    const { transfer } = this
    if (transfer !== null) {
      const { progress } = transfer
      return html`<section aria-labelledby="adding">
        <h3 id="adding">${transfer.words}</h3>
        <progress aria-labelledby="adding" max="1" .value=${progress?.fraction ?? 0}></progress>
        <div class="row">
          <p class="soft small">
            ${progress === null ? '' : words.progress(sizeOf(progress.loadedBytes), sizeOf(progress.totalBytes))}
          </p>
          <button type="button" class="secondary" @click=${() => transfer.controller.abort()}>
            ${words.cancel}
          </button>
        </div>
        ${this.waiting === 0 ? nothing : html`<p class="soft small">${words.waiting(this.waiting)}</p>`}
      </section>`
    }
    return html`<section aria-labelledby="add">
      <h3 id="add">${words.addTitle}</h3>
      <p class="soft small">${words.addWords}</p>
      <input
        id="file"
        class="visually-hidden"
        type="file"
        accept=".gguf"
        multiple
        tabindex="-1"
        aria-hidden="true"
        @change=${(event: Event) => {
          const input = event.target as HTMLInputElement
          this.#addFiles(input.files ?? [])
          input.value = ''
        }}
      />
      <div>
        <button
          type="button"
          class="secondary"
          @click=${() => this.renderRoot.querySelector<HTMLInputElement>('#file')?.click()}
        >
          ${words.chooseFile}
        </button>
      </div>
      <form class="address" novalidate @submit=${(event: SubmitEvent) => this.#addUrl(event)}>
        <label class="field"
          ><span class="small">${words.url}</span
          ><input id="url" type="url" autocomplete="off" inputmode="url"
        /></label>
        <button type="submit" class="secondary">${words.download}</button>
      </form>
    </section>`
  }

  static override styles = [
    theme,
    dialogTheme,
    css`
      .models {
        display: grid;
        gap: 1rem;
      }

      .models li {
        display: grid;
        gap: 0.25rem;
        padding: 0.75rem 1rem;
        border: 1px solid var(--_line);
        border-radius: 0.625rem;
      }

      h3 {
        overflow-wrap: anywhere;
      }

      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 0.25rem 1.25rem;
      }

      .room {
        display: grid;
        justify-items: start;
        gap: 0.25rem;
      }

      meter,
      progress {
        width: 100%;
        height: 0.5rem;
        accent-color: var(--_accent);
      }

      meter::-webkit-meter-optimum-value {
        background: var(--_accent);
      }

      .plain {
        font-size: 0.9375rem;
      }

      .row {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: space-between;
        gap: 0.5rem 1rem;
      }

      .address {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 0.5rem 0.75rem;
        align-items: end;
      }

      dialog.dropping .body {
        background: var(--_wash);
      }

      [role='status']:empty {
        display: none;
      }

      @media (width < 28rem) {
        .address {
          grid-template-columns: minmax(0, 1fr);
        }
      }
    `,
  ]
}

function factsOf(model: StoredModel, isCurrent: boolean): string[] {
  const { store: words } = strings()
  const { sizeBytes, quantization, licence, lastUsedAt, isImported } = model
  return [
    sizeOf(sizeBytes),
    quantization,
    ...(licence.startsWith('LicenseRef-') ? [] : [licence]),
    isCurrent ? words.inUse : lastUsedAt === null ? words.unused : words.used(dateOf(lastUsedAt)),
    ...(isImported ? [words.imported] : []),
  ]
}

function notesOf(model: StoredModel, isCurrent: boolean): string[] {
  const { store: words } = strings()
  const { isComplete, storedBytes, sizeBytes, state, update, sources } = model
  const notes: string[] = []
  if (!isComplete) {
    const partial = isPartialImport(model) ? words.partialImport : words.partial
    notes.push(partial(sizeOf(storedBytes), sizeOf(sizeBytes)))
  }
  if (isComplete && state === 'failed') notes.push(words.failed)
  if (isComplete && state === 'untried' && sources.length > 0 && isCurrent) notes.push(words.untried)
  if (update !== null) notes.push(words.update(sizeOf(update.sizeBytes)))
  return notes
}

function isPartialImport({ isImported, isComplete }: StoredModel): boolean {
  return isImported && !isComplete
}

function dateOf(time: number): string {
  return new Intl.DateTimeFormat(strings().language, { dateStyle: 'medium' }).format(time)
}
