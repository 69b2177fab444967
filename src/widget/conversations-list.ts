import { css, html, LitElement, nothing, type TemplateResult } from 'lit'
import { live } from 'lit/directives/live.js'
import type { Conversation } from './conversations-store'
import { strings } from './strings'
import { theme } from './theme'

/** What a reader does with the list. */
export type ConversationAction =
  | { readonly type: 'open' | 'remove' | 'markdown'; readonly id: string }
  | { readonly type: 'rename'; readonly id: string; readonly title: string }
  | { readonly type: 'import'; readonly file: File }
  | { readonly type: 'begin' | 'export' | 'remove-all' }

/**
 * All conversations of this device: search, open, rename, delete, export, import.
 * @fires minnow-conversation - `detail` is a `ConversationAction`.
 */
export class ConversationList extends LitElement {
  static override properties = {
    conversations: { attribute: false },
    current: { attribute: false },
    search: { attribute: false },
    notice: { attribute: false },
    query: { state: true },
    found: { state: true },
    opened: { state: true },
    renaming: { state: true },
    sure: { state: true },
  }
  /** The newest first; null where none can be kept. */
  declare conversations: readonly Conversation[] | null
  declare current: string
  declare search: ((text: string) => Promise<ReadonlySet<string>>) | null
  /** What became of an import; '' for nothing. */
  declare notice: string
  declare query: string
  declare found: ReadonlySet<string> | null
  /** Whose actions are shown. */
  declare opened: string | null
  declare renaming: string | null
  /** What is about to be deleted: an id, or 'all'. */
  declare sure: string | null
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor() {
    super()
    this.conversations = []
    this.current = ''
    this.search = null
    this.notice = ''
    this.query = ''
    this.found = null
    this.opened = null
    this.renaming = null
    this.sure = null
  }

  #act(action: ConversationAction): void {
    this.dispatchEvent(
      new CustomEvent('minnow-conversation', { detail: action, bubbles: true, composed: true }),
    )
  }

  #type(query: string): void {
    this.query = query
    clearTimeout(this.#timer)
    if (query.trim() === '') {
      this.found = null
      return
    }
    this.#timer = setTimeout(() => {
      void this.search?.(query.trim()).then((found) => {
        if (this.query === query) this.found = found
      })
    }, 150)
  }

  /** Once to ask, once to do. */
  #remove(what: string, action: ConversationAction): void {
    if (this.sure !== what) {
      this.sure = what
      return
    }
    this.sure = null
    this.opened = null
    this.#act(action)
  }

  override render(): TemplateResult {
    const words = strings().conversations
    const { conversations, found, query } = this
    if (conversations === null) return html`<p class="soft small">${words.unavailable}</p>`
    const shown = found === null ? conversations : conversations.filter(({ id }) => found.has(id))
    return html`
      ${
        conversations.length === 0
          ? nothing
          : html`<input
              type="search"
              aria-label=${words.search}
              placeholder=${words.search}
              .value=${live(query)}
              @input=${(event: Event) => this.#type((event.target as HTMLInputElement).value)}
            />`
      }
      ${
        shown.length === 0
          ? html`<p class="soft small">${found === null ? words.none : words.nothingFound}</p>`
          : html`<ul>
              ${shown.map((each) => this.#item(each))}
            </ul>`
      }
      <p class="soft small" role="status">${this.notice}</p>
      <div class="all">
        <button
          class="plain"
          type="button"
          @click=${() => this.renderRoot.querySelector('input[type=file]')?.dispatchEvent(new MouseEvent('click'))}
        >
          ${words.import}
        </button>
        <input
          type="file"
          accept="application/json,.json"
          hidden
          @change=${(event: Event) => {
            const input = event.target as HTMLInputElement
            const [file] = input.files ?? []
            input.value = ''
            if (file !== undefined) this.#act({ type: 'import', file })
          }}
        />
        ${
          conversations.length === 0
            ? nothing
            : html`<button class="plain" type="button" @click=${() => this.#act({ type: 'export' })}>
                  ${words.export}
                </button>
                <button
                  class="plain danger"
                  type="button"
                  @click=${() => this.#remove('all', { type: 'remove-all' })}
                >
                  ${this.sure === 'all' ? words.deleteAllForGood : words.deleteAll}
                </button>`
        }
      </div>
    `
  }

  #item({ id, title, updatedAt }: Conversation): TemplateResult {
    const words = strings().conversations
    const isOpened = this.opened === id
    return html`<li class=${id === this.current ? 'current' : ''}>
      ${
        this.renaming === id
          ? this.#renameForm(id, title)
          : html`<div class="row">
              <button
                class="title"
                type="button"
                aria-current=${id === this.current ? 'true' : 'false'}
                @click=${() => this.#act({ type: 'open', id })}
              >
                <span dir="auto">${title}</span><small>${whenOf(updatedAt)}</small>
              </button>
              <button
                class="more"
                type="button"
                aria-label=${words.more(title)}
                aria-expanded=${isOpened ? 'true' : 'false'}
                @click=${() => {
                  this.opened = isOpened ? null : id
                  this.sure = null
                }}
              >
                <svg viewBox="0 0 20 20" aria-hidden="true">
                  <circle cx="4" cy="10" r="1.4" />
                  <circle cx="10" cy="10" r="1.4" />
                  <circle cx="16" cy="10" r="1.4" />
                </svg>
              </button>
            </div>`
      }
      ${
        isOpened && this.renaming !== id
          ? html`<div class="actions">
              <button
                class="plain"
                type="button"
                @click=${() => {
                  this.renaming = id
                }}
              >
                ${words.rename}
              </button>
              <button class="plain" type="button" @click=${() => this.#act({ type: 'markdown', id })}>
                ${words.asMarkdown}
              </button>
              <button
                class="plain danger"
                type="button"
                @click=${() => this.#remove(id, { type: 'remove', id })}
              >
                ${this.sure === id ? words.deleteForGood : words.delete}
              </button>
            </div>`
          : nothing
      }
    </li>`
  }

  #renameForm(id: string, title: string): TemplateResult {
    const words = strings().conversations
    return html`<form
      @submit=${(event: Event) => {
        event.preventDefault()
        const typed = this.renderRoot.querySelector<HTMLInputElement>('#title')?.value.trim() ?? ''
        this.renaming = null
        this.opened = null
        if (typed !== '') this.#act({ type: 'rename', id, title: typed })
      }}
      @keydown=${(event: KeyboardEvent) => {
        if (event.key !== 'Escape') return
        event.stopPropagation()
        event.preventDefault()
        this.renaming = null
      }}
    >
      <input id="title" type="text" dir="auto" maxlength="200" aria-label=${words.newTitle} .value=${title} />
      <button type="submit">${words.save}</button>
    </form>`
  }

  protected override updated(changed: Map<PropertyKey, unknown>): void {
    if (changed.has('renaming') && this.renaming !== null) {
      this.renderRoot.querySelector<HTMLInputElement>('#title')?.select()
    }
  }

  static override styles = [
    theme,
    css`
      :host {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        align-content: start;
        gap: 0.75rem;
        font-size: 0.9375rem;
      }

      input:not([type='file']) {
        width: 100%;
        min-height: 2.5rem;
        padding: 0.25rem 0.625rem;
        border: 1px solid var(--_line);
        border-radius: 0.5rem;
        background: var(--_paper);
        color: inherit;
        font: inherit;
      }

      input:focus-visible {
        outline: 2px solid var(--_accent);
        outline-offset: 1px;
      }

      li {
        content-visibility: auto;
        contain-intrinsic-block-size: auto 3.25rem;
        border-radius: 0.5rem;
      }

      .current {
        background: var(--_wash);
      }

      .row {
        display: flex;
        align-items: stretch;
      }

      .title {
        display: grid;
        flex: 1;
        min-width: 0;
        padding: 0.375rem 0.5rem;
        background: none;
        color: inherit;
        font-weight: 400;
        line-height: 1.35;
        text-align: start;
      }

      .title span {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }

      .title:focus-visible,
      .more:focus-visible {
        outline-offset: -2px;
      }

      .title:hover,
      .more:hover {
        background: var(--_wash);
      }

      .current .title {
        font-weight: 600;
      }

      small {
        color: var(--_soft);
        font-size: 0.8125rem;
        font-weight: 400;
      }

      .more {
        flex: none;
        display: grid;
        place-items: center;
        width: 2.5rem;
        padding: 0;
        background: none;
        color: var(--_soft);
      }

      svg {
        width: 1.125rem;
        fill: currentcolor;
      }

      .actions,
      .all {
        display: flex;
        flex-wrap: wrap;
        gap: 0 1rem;
      }

      .actions {
        padding: 0 0.5rem 0.375rem;
      }

      .actions button,
      .all button {
        font-size: 0.875rem;
      }

      .all {
        padding-top: 0.5rem;
        border-top: 1px solid var(--_line);
      }

      form {
        display: flex;
        gap: 0.375rem;
        padding: 0.25rem;
      }

      form input {
        flex: 1;
        min-width: 0;
      }

      form button {
        min-height: 2.5rem;
        padding: 0.25rem 0.75rem;
      }

      [role='status']:empty {
        display: none;
      }
    `,
  ]
}

/** The hour today, else the day. */
function whenOf(at: number): string {
  const date = new Date(at)
  const isToday = date.toDateString() === new Date().toDateString()
  const format: Intl.DateTimeFormatOptions = isToday ? { timeStyle: 'short' } : { dateStyle: 'medium' }
  return new Intl.DateTimeFormat(strings().language, format).format(date)
}
