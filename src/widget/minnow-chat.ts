import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit'
import type { Engine } from '../contract/engine'
import type { ChatPanel } from './chat-panel'
import { minnowChatStyle } from './minnow-chat-style'
import type { MinnowChatEvents } from './minnow-chat-types'
import { shellStrings, type ShellStrings } from './strings/shell'

declare global {
  interface HTMLElementTagNameMap {
    'minnow-chat': MinnowChat
  }
  interface HTMLElementEventMap extends MinnowChatEvents {}
}

/**
 * A chat with a model on the visitor's device, for any page: a button that opens a panel, or a part of the
 * page. Nothing but this element is loaded before it is opened, and the model not before the first question.
 *
 * @attr model - URL of a manifest or GGUF file. Default: the embedded SmolLM2-135M-Instruct.
 * @attr {'button' | 'inline'} mode - A button at the corner that opens a panel (default), or a panel in its
 *   place.
 * @attr {'auto' | 'light' | 'dark'} theme - Default 'auto': as the visitor's system.
 * @attr label - Of the button, and the panel's title. Default: "Ask Minnow" in the language.
 * @attr language - BCP 47. Default: the browser's.
 * @attr context-selector - CSS selector of the element of the page whose text is given to the model with each
 *   question.
 * @attr remote - Address of a larger model's OpenAI-compatible interface (your own key proxy); asked by
 *   `policy`.
 * @attr remote-model - Name of the model there.
 * @attr policy - When the remote is asked: a mode ('only-on-device', 'prefer-on-device', …) or a policy as
 *   JSON.
 * @attr frame - Where the engine runs in a frame of Minnow's origin: 'auto' (default) where the page's CSP
 *   leaves no other way, 'always', 'never', or the URL of the frame's page.
 * @attr {boolean} expanded - Whether it is open.
 *
 * @fires minnow-answer - An answer is complete, or was stopped. `detail`: `AnswerDetail`.
 * @fires minnow-escalate - A remote is asked. `detail`: `EscalateDetail`.
 * @fires minnow-human - The policy wants a person to look at an answer. `detail`: `HumanDetail`.
 * @fires minnow-error - Something failed, and the visitor was told. `detail`: `ErrorDetail`.
 * @fires minnow-open - It was opened.
 * @fires minnow-close - It was closed.
 *
 * @slot header - In the place of the title.
 * @slot empty - Shown while nothing was asked.
 * @slot disclaimer - In the place of the small print at the end.
 *
 * @csspart button - The button that opens it.
 * @csspart panel - What is opened.
 * @csspart header - Its head, with the title and the button that closes it.
 * @csspart close - The button that closes it.
 * @csspart disclaimer - The small print.
 * @csspart conversation - Questions and answers.
 * @csspart composer - The form at the end.
 *
 * @cssprop --minnow-accent - Colour of buttons and links.
 * @cssprop --minnow-on-accent - Of text on it.
 * @cssprop --minnow-paper - Background.
 * @cssprop --minnow-ink - Text.
 * @cssprop --minnow-soft - Quiet text.
 * @cssprop --minnow-line - Lines between parts.
 * @cssprop --minnow-wash - Background of questions and inputs.
 * @cssprop --minnow-alert - Errors.
 * @cssprop --minnow-font - Font family.
 * @cssprop --minnow-font-size - Default 16px.
 * @cssprop --minnow-radius - Of the panel's corners. Default 14px.
 * @cssprop --minnow-width - Of the panel. Default 400px; inline 100%.
 * @cssprop --minnow-height - Of the panel. Default 600px; inline 480px.
 * @cssprop --minnow-inset - Distance of the button from the window's edges. Default 20px.
 */
export class MinnowChat extends LitElement {
  static override styles = minnowChatStyle
  static override properties = {
    model: {},
    mode: { reflect: true },
    theme: { reflect: true },
    label: {},
    language: {},
    contextSelector: { attribute: 'context-selector' },
    remote: {},
    remoteModel: { attribute: 'remote-model' },
    policy: {},
    frame: {},
    expanded: { type: Boolean, reflect: true },
    context: { attribute: false },
    engine: { attribute: false },
    panel: { state: true },
    failed: { state: true },
  }

  declare model: string | null
  declare mode: 'button' | 'inline'
  declare theme: 'auto' | 'light' | 'dark'
  declare label: string | null
  declare language: string | null
  declare contextSelector: string | null
  declare remote: string | null
  declare remoteModel: string | null
  declare policy: string | null
  declare frame: string | null
  declare expanded: boolean
  /** What the model shall know of the page, or what gives it for each question; before `context-selector`. */
  declare context: string | (() => string | Promise<string>) | null
  /** Answers in the place of an engine of its own: any engine or router. It is not disposed of here. */
  declare engine: Engine | null
  declare private panel: ChatPanel | null
  declare private failed: boolean
  #loading: Promise<ChatPanel> | null = null

  constructor() {
    super()
    this.model = null
    this.mode = 'button'
    this.theme = 'auto'
    this.label = null
    this.language = null
    this.contextSelector = null
    this.remote = null
    this.remoteModel = null
    this.policy = null
    this.frame = null
    this.expanded = false
    this.context = null
    this.engine = null
    this.panel = null
    this.failed = false
  }

  /** Opens it and loads what it needs. Rejects where that cannot be loaded. */
  async open(): Promise<void> {
    this.expanded = true
    await this.#loadPanel()
  }

  /** Closes it; an answer under way goes on. Inline it stays in sight. */
  close(): void {
    this.expanded = false
  }

  /** Opens it and asks. Resolves when the answer is complete, was stopped or failed: events tell which. */
  async ask(question: string): Promise<void> {
    await this.open()
    await (await this.#loadPanel()).ask(question)
  }

  /** Stops the answer under way. */
  stop(): void {
    this.panel?.stop()
  }

  /** Forgets the conversation. */
  clear(): void {
    this.panel?.clear()
  }

  override connectedCallback(): void {
    super.connectedCallback()
    // What was moved is not on top any more.
    if (this.hasUpdated) this.#showOnTop()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    // An element that is only moved is connected again at once.
    queueMicrotask(() => {
      if (!this.isConnected) this.panel?.release()
    })
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('expanded') && this.expanded) this.#loadPanel().catch(() => undefined)
    if (this.panel === null) return
    this.#configure(this.panel)
    if (changed.has('language')) this.panel.speak(this.language).catch(() => undefined)
  }

  protected override updated(changed: PropertyValues<this>): void {
    this.#showOnTop()
    if (!changed.has('expanded') || (changed.get('expanded') === undefined && !this.expanded)) return
    this.dispatchEvent(
      new CustomEvent(this.expanded ? 'minnow-open' : 'minnow-close', {
        bubbles: true,
        composed: true,
        detail: null,
      }),
    )
    if (!this.expanded) this.renderRoot.querySelector<HTMLElement>('.launcher')?.focus()
    else if (this.panel === null) this.renderRoot.querySelector<HTMLElement>('.panel')?.focus()
    else this.panel.focus()
  }

  /**
   * In the top layer neither stacking nor transforms of the page matter. Browsers without it have the fixed
   * position.
   */
  #showOnTop(): void {
    for (const each of this.renderRoot.querySelectorAll<HTMLElement>('[popover]:not([hidden])')) {
      if ('showPopover' in each && !each.matches(':popover-open')) each.showPopover()
    }
  }

  async #loadPanel(): Promise<ChatPanel> {
    this.#loading ??= this.#createPanel()
    try {
      return await this.#loading
    } catch (error) {
      // So that opening it again tries again.
      this.#loading = null
      throw error
    }
  }

  async #createPanel(): Promise<ChatPanel> {
    this.failed = false
    try {
      const { createChatPanel } = await import('./chat-panel')
      const panel = await createChatPanel(this.language)
      this.#configure(panel)
      panel.setAttribute('exportparts', 'conversation, composer')
      this.panel = panel
      await this.updateComplete
      await panel.updateComplete
      if (this.expanded && this.mode === 'button') panel.focus()
      return panel
    } catch (error) {
      this.failed = true
      const detail = { code: 'network', message: String(error), error }
      this.dispatchEvent(new CustomEvent('minnow-error', { bubbles: true, composed: true, detail }))
      throw error
    }
  }

  #configure(panel: ChatPanel): void {
    const { model, remote, remoteModel, policy, frame, engine } = this
    panel.settings = { model, remote, remoteModel, policy, frame, engine, context: () => this.#context() }
  }

  async #context(): Promise<string | null> {
    const { context, contextSelector } = this
    if (context !== null) return typeof context === 'function' ? context() : context
    if (contextSelector === null) return null
    const root = this.getRootNode() as Document | ShadowRoot
    return root.querySelector<HTMLElement>(contextSelector)?.innerText ?? null
  }

  #onKeydown(event: KeyboardEvent): void {
    // In a dialog it answers the dialog.
    const isInDialog = event.composedPath().some((each) => each instanceof HTMLDialogElement)
    if (event.key !== 'Escape' || event.defaultPrevented || isInDialog) return
    event.preventDefault()
    this.close()
  }

  override render(): TemplateResult {
    const words = shellStrings(this.language)
    const label = this.label ?? words.ask
    return html`<div class="root" lang=${this.language ?? nothing}>
      ${this.mode === 'inline' ? this.#inline(label, words) : this.#floating(label, words)}
    </div>`
  }

  #floating(label: string, words: ShellStrings): TemplateResult {
    return html`<button
        class="launcher"
        part="button"
        popover="manual"
        type="button"
        aria-haspopup="dialog"
        aria-expanded=${this.expanded ? 'true' : 'false'}
        ?hidden=${this.expanded}
        @click=${() => {
          this.expanded = true
        }}
      >
        <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 5h16v11H10l-5 4v-4H4z" /></svg>
        <span>${label}</span>
      </button>
      ${
        this.expanded
          ? html`<div
              class="panel floating"
              part="panel"
              popover="manual"
              role="dialog"
              aria-label=${label}
              tabindex="-1"
              @keydown=${this.#onKeydown}
            >
              ${this.#content(label, words)}
            </div>`
          : nothing
      }`
  }

  #inline(label: string, words: ShellStrings): TemplateResult {
    return html`<div
      class="panel ${this.expanded ? '' : 'unopened'}"
      part="panel"
      role="region"
      aria-label=${label}
      tabindex="-1"
    >
      ${
        this.expanded
          ? this.#content(label, words)
          : html`<div class="start">
              <slot name="empty"></slot>
              <button
                class="launcher"
                part="button"
                type="button"
                @click=${() => {
                  this.expanded = true
                }}
              >
                ${label}
              </button>
              ${this.#disclaimer(words)}
            </div>`
      }
    </div>`
  }

  #content(label: string, words: ShellStrings): TemplateResult {
    return html`<div class="head" part="header">
        <slot name="header"><span class="title">${label}</span></slot>
        ${
          this.mode === 'inline'
            ? nothing
            : html`<button
                class="close"
                part="close"
                type="button"
                aria-label=${words.close}
                title=${words.close}
                @click=${() => this.close()}
              >
                <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M6 6l12 12M18 6L6 18" /></svg>
              </button>`
        }
      </div>
      <div class="body">
        ${this.panel ?? html`<p class="wait" role="status">${this.failed ? words.failed : words.loading}</p>`}
      </div>
      ${this.#disclaimer(words)}`
  }

  #disclaimer(words: ShellStrings): TemplateResult {
    return html`<div class="disclaimer" part="disclaimer">
      <slot name="disclaimer">${words.disclaimer}</slot>
    </div>`
  }
}
