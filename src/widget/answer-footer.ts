import { css, html, LitElement, nothing, svg, type PropertyValues, type TemplateResult } from 'lit'
import type { Usage } from '../contract/engine'
import type { SentRecord, SettledRoute } from '../contract/route'
import type { LedgerEntry } from '../router/ledger'
import { countOf, moneyOf, percentOf, secondsOf } from './figure-words'
import { badgeOf, explain } from './route-words'
import { markedText, redactionNote } from './sent-text'
import { theme } from './theme'

/** What a user can do with an answer. */
export type AnswerAction = 'up' | 'down' | 'ask-bigger'

const PURPOSES: Readonly<Record<SentRecord['purpose'], string>> = {
  answer: 'to be answered',
  verify: 'to check the answer of this device',
  shadow: 'to compare, unseen',
}

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
    said: { state: true },
    entry: { state: true },
  }

  declare route: SettledRoute | null
  /** What it took, where no ledger knows. */
  declare usage: Usage | null
  declare open: boolean
  /** Something is being answered, so nothing else can be asked. */
  declare busy: boolean
  declare lookUp: ((id: string) => Promise<LedgerEntry | null>) | null
  declare said: 'up' | 'down' | null
  declare entry: LedgerEntry | null

  constructor() {
    super()
    this.route = null
    this.usage = null
    this.open = false
    this.busy = false
    this.lookUp = null
    this.said = null
    this.entry = null
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('route') && changed.get('route')?.id !== this.route?.id) {
      this.said = null
      this.entry = null
    }
    if (this.open && (changed.has('open') || changed.has('route'))) void this.#lookUpEntry()
  }

  async #lookUpEntry(): Promise<void> {
    const { route, lookUp } = this
    if (route === null || lookUp === null) return
    const entry = await lookUp(route.id).catch(() => null)
    if (this.route === route) this.entry = entry
  }

  protected override updated(changed: PropertyValues<this>): void {
    const isOpened = this.open && changed.get('open') === false
    if (isOpened || (this.open && changed.has('entry'))) this.scrollIntoView({ block: 'nearest' })
  }

  #act(action: AnswerAction): void {
    if (action !== 'ask-bigger') this.said = action
    this.dispatchEvent(new CustomEvent('minnow-answer-action', { detail: action }))
  }

  override render(): TemplateResult | typeof nothing {
    const { route, open, said, busy } = this
    if (route === null) return nothing
    const { text, tone } = badgeOf(route)
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
                  class="plain"
                  type="button"
                  ?disabled=${busy}
                  @click=${() => this.#act('ask-bigger')}
                >
                  Ask the bigger model
                </button>`
              : nothing
          }
          ${this.#thumb('up', 'Good answer', said)} ${this.#thumb('down', 'Bad answer', said)}
        </span>
      </div>
      <div id="details" part="details" ?hidden=${!open}>${open ? this.#details(route) : nothing}</div>
    `
  }

  #thumb(kind: 'up' | 'down', label: string, said: 'up' | 'down' | null): TemplateResult {
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

  #details(route: SettledRoute): TemplateResult {
    const rows: (readonly [string, string])[] = [['Why', explain(route)]]
    const { confidence, decision } = route
    if (confidence !== null) {
      const wanted =
        decision.threshold === null ? '' : `; wanted: ${percentOf(Math.min(1, decision.threshold))}`
      rows.push(['Confidence', `${percentOf(confidence)} likely to be right${wanted}`])
    }
    rows.push(['Cost', costOf(route)], ...this.#figures())
    return html`
      <dl>
        ${rows.map(
          ([term, words]) =>
            html`<div>
              <dt>${term}</dt>
              <dd>${words}</dd>
            </div>`,
        )}
      </dl>
      <h3>What was sent</h3>
      ${
        route.sent.length === 0
          ? html`<p>Nothing left this device.</p>`
          : route.sent.map(
              (sent) => html`
                <p class="destination">
                  To <strong>${sent.to}</strong>, ${PURPOSES[sent.purpose]}
                  ${sent.attempt > 1 ? `, attempt ${sent.attempt}` : nothing}
                </p>
                ${redactionNote(sent.redacted)}
                <pre tabindex="0" aria-label="The exact text">${markedText(sent.text, sent.redacted)}</pre>
              `,
            )
      }
    `
  }

  #figures(): (readonly [string, string])[] {
    const { entry, usage } = this
    if (entry === null) {
      if (usage === null) return []
      const { timeToFirstTokenMs, decodeMs } = usage.minnow
      return [
        ['Tokens', `${countOf(usage.prompt_tokens)} read, ${countOf(usage.completion_tokens)} written here`],
        [
          'Time',
          `${secondsOf(timeToFirstTokenMs + decodeMs)}; first word after ${secondsOf(timeToFirstTokenMs)}`,
        ],
      ]
    }
    const { tokens, latencyMs } = entry
    const parts: string[] = []
    if (tokens.localIn + tokens.localOut > 0) {
      const unseen = tokens.wastedLocal > 0 ? ` (${countOf(tokens.wastedLocal)} not shown)` : ''
      parts.push(`here ${countOf(tokens.localIn)} read, ${countOf(tokens.localOut)} written${unseen}`)
    }
    if (tokens.remoteIn + tokens.remoteOut > 0) {
      const guess = tokens.estimated ? ', about' : ''
      parts.push(`away${guess} ${countOf(tokens.remoteIn)} read, ${countOf(tokens.remoteOut)} written`)
    }
    const times = [
      ['first word after', latencyMs.firstText ?? 0],
      ['this device', latencyMs.local],
      ['bigger model', latencyMs.remote],
      ['search for personal data', latencyMs.scan],
      ['waiting for your consent', latencyMs.consent],
    ] as const
    return [
      ['Tokens', parts.join('; ') || 'none'],
      [
        'Time',
        [
          `${secondsOf(latencyMs.total)} in all`,
          ...times.filter(([, ms]) => ms > 0).map(([words, ms]) => `${words} ${secondsOf(ms)}`),
        ].join('; '),
      ],
    ]
  }

  static override styles = [
    theme,
    css`
      :host {
        display: block;
        font-size: 0.875rem;
        line-height: 1.5;
      }

      .row,
      .actions {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0 0.25rem;
      }

      .row {
        justify-content: space-between;
        gap: 0 1rem;
      }

      .badge {
        display: inline-flex;
        align-items: center;
        gap: 0.5rem;
        max-width: 100%;
        min-height: 2rem;
        padding: 0.125rem 0.25rem 0.125rem 0;
        border-radius: 0.375rem;
        background: none;
        color: var(--_soft);
        font-weight: 500;
        text-align: start;
      }

      .badge .text {
        min-width: 0;
        overflow-wrap: anywhere;
      }

      .dot {
        flex: none;
        width: 0.5rem;
        height: 0.5rem;
        border: 2px solid var(--_accent);
        border-radius: 50%;
        background: var(--_accent);
      }

      .away .dot {
        background: none;
      }

      .doubt {
        color: var(--_alert);
      }

      .doubt .dot {
        border-color: var(--_alert);
        border-radius: 0;
        background: none;
        rotate: 45deg;
      }

      svg {
        fill: none;
        stroke: currentcolor;
        stroke-width: 1.5;
        stroke-linecap: round;
        stroke-linejoin: round;
      }

      .chevron {
        flex: none;
        width: 0.75rem;
      }

      [aria-expanded='true'] .chevron {
        rotate: 180deg;
      }

      .icon {
        display: inline-grid;
        place-items: center;
        width: 2.25rem;
        min-height: 2.25rem;
        padding: 0;
        background: none;
        color: var(--_soft);
      }

      .icon svg {
        width: 1.125rem;
      }

      .icon[aria-pressed='true'] {
        color: var(--_accent);
      }

      .icon[aria-pressed='true'] svg {
        fill: color-mix(in srgb, currentcolor 25%, transparent);
      }

      svg.down {
        rotate: 180deg;
      }

      .plain {
        margin-inline-end: 0.5rem;
      }

      .plain:disabled {
        color: var(--_soft);
        cursor: default;
      }

      #details {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 0.5rem;
        margin-top: 0.5rem;
        padding: 0.875rem 1rem 1rem;
        border: 1px solid var(--_line);
        border-radius: 0.5rem;
      }

      dl {
        display: grid;
        gap: 0.25rem;
      }

      dl div {
        display: grid;
        grid-template-columns: 6rem minmax(0, 1fr);
        gap: 0 0.75rem;
      }

      dt {
        color: var(--_soft);
      }

      h3 {
        margin-top: 0.5rem;
        font-size: inherit;
        font-weight: 650;
      }

      .destination {
        overflow-wrap: anywhere;
      }

      @media (width < 28rem) {
        dl div {
          grid-template-columns: minmax(0, 1fr);
        }

        dl div + div {
          margin-top: 0.375rem;
        }
      }
    `,
  ]
}

const THUMB = svg`<path d="M3 9h3v8H3zM6 9.5 9.5 3c1.2 0 2 .9 1.8 2.1L10.8 8h4.4c1.2 0 2 1 1.7 2.2l-1.3 5.4c-.2.8-.9 1.4-1.8 1.4H6" />`

function costOf({ cost, sent }: SettledRoute): string {
  if (cost.spentUsd > 0) {
    const saved = cost.savedUsd > 0 ? `, ${moneyOf(cost.savedUsd)} saved` : ''
    return `${moneyOf(cost.spentUsd)} spent${saved}`
  }
  if (sent.length > 0 && !cost.priced) return 'not known: no price is set for this model'
  return cost.savedUsd > 0 ? `nothing; ${moneyOf(cost.savedUsd)} saved` : 'nothing'
}
