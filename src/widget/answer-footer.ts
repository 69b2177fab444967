import { html, LitElement, nothing, svg, type PropertyValues, type TemplateResult } from 'lit'
import type { Usage } from '../contract/engine'
import type { SettledRoute } from '../contract/route'
import type { LedgerEntry } from '../router/ledger'
import type { answerDetails } from './answer-details'
import { answerFooterStyle } from './answer-footer-style'
import { badgeOf } from './route-words'
import { languageOf, strings } from './strings'
import { theme } from './theme'
import type { Turn } from './turn'

/** What a user can do with an answer. */
export type AnswerAction = 'up' | 'down' | 'ask-bigger'

/**
 * Below an answer: whose it is, what it took, what was sent for it, and what may be done with it.
 * @fires minnow-answer-action - `detail` is an `AnswerAction`.
 */
export class AnswerFooter extends LitElement {
  static override shadowRootOptions: ShadowRootInit = {
    ...LitElement.shadowRootOptions,
    delegatesFocus: true,
  }
  static override properties = {
    route: { attribute: false },
    usage: { attribute: false },
    open: { type: Boolean },
    busy: { type: Boolean },
    lookUp: { attribute: false },
    said: { attribute: false },
    entry: { state: true },
    draw: { state: true },
  }

  declare route: SettledRoute | null
  /** What it took, where no ledger knows. */
  declare usage: Usage | null
  declare open: boolean
  /** Something is being answered, so nothing else can be asked. */
  declare busy: boolean
  declare lookUp: ((id: string) => Promise<LedgerEntry | null>) | null
  declare said: Turn['said']
  declare entry: LedgerEntry | null
  /** Draws the details; loaded when they are first shown. */
  declare draw: typeof answerDetails | null

  constructor() {
    super()
    this.route = null
    this.usage = null
    this.open = false
    this.busy = false
    this.lookUp = null
    this.said = null
    this.entry = null
    this.draw = null
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('route') && changed.get('route')?.id !== this.route?.id) this.entry = null
    if (!this.open) return
    if (changed.has('open') || changed.has('route')) void this.#lookUpEntry()
    if (changed.has('open')) this.#loadDetails().catch(() => undefined)
  }

  async #loadDetails(): Promise<void> {
    const loaded = await import('./answer-details')
    await loaded.loadDetailWords(languageOf(this))
    this.draw = loaded.answerDetails
  }

  async #lookUpEntry(): Promise<void> {
    const { route, lookUp } = this
    if (route === null || lookUp === null) return
    const entry = await lookUp(route.id).catch(() => null)
    if (this.route === route) this.entry = entry
  }

  protected override updated(changed: PropertyValues<this>): void {
    const isOpened = this.open && changed.get('open') === false
    if (isOpened || (this.open && (changed.has('entry') || changed.has('draw'))))
      this.scrollIntoView({ block: 'nearest' })
  }

  #act(action: AnswerAction): void {
    this.dispatchEvent(new CustomEvent('minnow-answer-action', { detail: action }))
  }

  override render(): TemplateResult | typeof nothing {
    const { route, open, said, busy, draw } = this
    if (route === null) return nothing
    const words = strings(this)
    const { text, tone } = badgeOf(route, words)
    const isLocal = ['local', 'unverified', 'verified'].includes(route.source.kind)
    return html`
      <div class="row">
        <button
          class="badge ${tone}"
          part="badge"
          type="button"
          aria-expanded=${open ? 'true' : 'false'}
          aria-controls="details"
          @click=${() => {
            this.open = !open
          }}
        >
          <span class="dot" aria-hidden="true"></span><span class="text">${text}</span>
          <svg class="chevron" viewBox="0 0 12 12" aria-hidden="true"><path d="M2 4l4 4 4-4" /></svg>
        </button>
        <span class="actions">
          <slot></slot>
          ${
            isLocal
              ? html`<button
                  class="plain bigger"
                  type="button"
                  ?disabled=${busy}
                  @click=${() => this.#act('ask-bigger')}
                >
                  ${words.route.askBigger}
                </button>`
              : nothing
          }
          ${this.#thumb('up', words.route.good, said)} ${this.#thumb('down', words.route.bad, said)}
        </span>
      </div>
      <div id="details" part="details" ?hidden=${!open}>
        ${open && draw !== null ? draw({ route, entry: this.entry, usage: this.usage }, this) : nothing}
      </div>
    `
  }

  #thumb(kind: 'up' | 'down', label: string, said: Turn['said']): TemplateResult {
    return html`<button
      class="icon"
      type="button"
      aria-label=${label}
      title=${label}
      aria-pressed=${said === kind ? 'true' : 'false'}
      @click=${() => this.#act(kind)}
    >
      <svg class=${kind} viewBox="0 0 20 20" aria-hidden="true">${THUMB}</svg>
    </button>`
  }

  static override styles = [theme, answerFooterStyle]
}

const THUMB = svg`<path d="M3 9h3v8H3zM6 9.5 9.5 3c1.2 0 2 .9 1.8 2.1L10.8 8h4.4c1.2 0 2 1 1.7 2.2l-1.3 5.4c-.2.8-.9 1.4-1.8 1.4H6" />`
