import { css, html, LitElement, nothing, type TemplateResult } from 'lit'
import { isEngineError } from '../../contract/error'
import { errorText } from '../error-text'
import { describeError, type ErrorWords } from '../error-words'
import { strings } from '../strings'
import { theme } from '../theme'
import type { DocumentFault } from './document-error'
import type { DocumentLibrary } from './document-library'
import type { StoredDocument } from './document-text'

interface Reading {
  readonly name: string
  readonly fraction: number
  readonly controller: AbortController
}

/**
 * The documents of a conversation: add them by button or by dropping, watch them being read, remove, show and summarise them.
 * @fires minnow-document-open - `detail` is a document's id.
 * @fires minnow-document-summarise - `detail` is a document's id.
 */
export class DocumentsPanel extends LitElement {
  static override properties = {
    library: { attribute: false },
    documents: { attribute: false },
    busy: { type: Boolean },
    reading: { state: true },
    failures: { state: true },
    said: { state: true },
  }
  declare library: DocumentLibrary | null
  /** Those that are there, as the library tells them. */
  declare documents: readonly StoredDocument[]
  /** Something is being answered, so no summary can begin. */
  declare busy: boolean
  declare reading: Reading | null
  declare failures: readonly { readonly name: string; readonly words: ErrorWords }[]
  /** For screen readers. */
  declare said: string

  constructor() {
    super()
    this.library = null
    this.documents = []
    this.busy = false
    this.reading = null
    this.failures = []
    this.said = ''
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.reading?.controller.abort()
  }

  /** Lets the visitor choose files. */
  choose(): void {
    this.renderRoot.querySelector('input')?.click()
  }

  /** Reads files one after the other; what fails is said, and the others are read all the same. */
  async add(files: Iterable<File>): Promise<void> {
    const words = strings().documents
    this.failures = []
    const controller = new AbortController()
    for (const file of files) {
      if (controller.signal.aborted) break
      this.reading = { name: file.name, fraction: 0, controller }
      try {
        await this.library?.add(file, {
          signal: controller.signal,
          onProgress: (fraction) => {
            this.reading = { name: file.name, fraction, controller }
          },
        })
        this.said = words.added(file.name)
      } catch (error) {
        if (controller.signal.aborted) break
        this.failures = [...this.failures, { name: file.name, words: wordsOf(error) }]
      }
    }
    this.reading = null
  }

  async #remove({ id, name }: StoredDocument): Promise<void> {
    await this.library?.remove(id)
    this.said = strings().documents.removed(name)
    await this.updateComplete
    this.renderRoot.querySelector<HTMLElement>('.open, .add')?.focus()
  }

  #tell(type: 'open' | 'summarise', { id }: StoredDocument): void {
    this.dispatchEvent(
      new CustomEvent(`minnow-document-${type}`, { detail: id, bubbles: true, composed: true }),
    )
  }

  override render(): TemplateResult {
    const words = strings().documents
    return html`
      <input
        type="file"
        multiple
        hidden
        accept=".txt,.text,.md,.markdown,.html,.htm,.xhtml,.pdf,.csv,.json,.log,text/*,application/pdf"
        @change=${({ target }: { target: HTMLInputElement }) => {
          const files = [...(target.files ?? [])]
          target.value = ''
          void this.add(files)
        }}
      />
      ${
        this.documents.length === 0
          ? nothing
          : html`<ul aria-label=${words.title}>
                ${this.documents.map((document) => this.#item(document))}
              </ul>
              <p class="soft small">${words.asked(this.documents.length)}</p>`
      }
      ${this.reading === null ? nothing : this.#progress(this.reading)}
      ${this.failures.map(
        ({ name, words: why }) =>
          html`<div class="failure small" role="alert">
            <strong>${words.notAdded(name)}</strong> ${errorText(why)}
          </div>`,
      )}
      ${
        this.failures.length === 0
          ? nothing
          : html`<button
              class="plain small"
              type="button"
              @click=${() => {
                this.failures = []
              }}
            >
              ${words.dismiss}
            </button>`
      }
      <p class="visually-hidden" role="status">${this.said}</p>
    `
  }

  #item(document: StoredDocument): TemplateResult {
    const words = strings().documents
    const { name, pageStarts } = document
    return html`<li part="document">
      <button
        class="open"
        type="button"
        title=${words.open(name)}
        @click=${() => this.#tell('open', document)}
      >
        <bdi>${name}</bdi>
        ${pageStarts.length === 0 ? nothing : html`<small>${words.pages(pageStarts.length)}</small>`}
      </button>
      <button
        class="act"
        type="button"
        aria-label=${words.summarise(name)}
        ?disabled=${this.busy}
        @click=${() => this.#tell('summarise', document)}
      >
        ${words.summariseShort}
      </button>
      <button
        class="act close"
        type="button"
        aria-label=${words.remove(name)}
        title=${words.remove(name)}
        @click=${() => void this.#remove(document)}
      >
        <span aria-hidden="true">×</span>
      </button>
    </li>`
  }

  #progress({ name, fraction, controller }: Reading): TemplateResult {
    const words = strings().documents
    return html`<div class="reading">
      <label class="small" for="bar">${words.reading(name, Math.floor(fraction * 100))}</label>
      <progress id="bar" max="1" .value=${fraction}></progress>
      <button class="plain small" type="button" @click=${() => controller.abort()}>${words.stop}</button>
    </div>`
  }

  static override styles = [
    theme,
    css`
      :host {
        display: grid;
      }

      ul,
      .soft,
      .failure,
      .reading {
        margin-bottom: 0.375rem;
      }

      ul {
        display: flex;
        flex-wrap: wrap;
        gap: 0.375rem;
        max-height: 7.5rem;
        overflow-y: auto;
      }

      li {
        display: flex;
        max-width: 100%;
        align-items: stretch;
        overflow: hidden;
        border: 1px solid var(--_line);
        border-radius: 0.5rem;
        background: var(--_wash);
      }

      li button {
        min-height: 2.25rem;
        padding: 0.125rem 0.625rem;
        border-radius: 0;
        background: none;
        color: var(--_ink);
        font-size: 0.875rem;
        font-weight: 500;
      }

      li button:focus-visible {
        outline-offset: -2px;
      }

      .open {
        display: flex;
        min-width: 0;
        gap: 0.5rem;
        align-items: center;
      }

      .open bdi {
        overflow: hidden;
        max-width: 14rem;
        text-overflow: ellipsis;
        white-space: nowrap;
      }

      .open small {
        flex: none;
        color: var(--_soft);
        font-weight: 400;
      }

      li .act {
        flex: none;
        border-inline-start: 1px solid var(--_line);
        color: var(--_accent);
      }

      li .act:disabled {
        color: var(--_soft);
        cursor: default;
      }

      li .close {
        min-width: 2.25rem;
        padding: 0;
        font-size: 1.125rem;
      }

      .reading {
        display: flex;
        flex-wrap: wrap;
        gap: 0.25rem 0.75rem;
        align-items: center;
      }

      progress {
        flex: 1 1 6rem;
        height: 0.375rem;
        accent-color: var(--_accent);
      }

      .failure {
        overflow-wrap: anywhere;
        color: var(--_alert);
      }

      .plain {
        justify-self: start;
      }
    `,
  ]
}

function wordsOf(error: unknown): ErrorWords {
  const { faults } = strings().documents
  const words = describeError(error)
  const reason = isEngineError(error) ? error.details['reason'] : undefined
  const title =
    typeof reason === 'string' && Object.hasOwn(faults, reason)
      ? faults[reason as DocumentFault]
      : words.title
  return { ...words, title }
}
