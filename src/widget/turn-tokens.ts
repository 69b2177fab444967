import { css, html, LitElement, nothing, type TemplateResult } from 'lit'
import type { TokenLogprob } from '../contract/engine'
import { percentOf } from './figure-words'
import { strings } from './strings'
import { theme } from './theme'

/** From these probabilities on a token has the next paler tint; above the first it has none. */
const STEPS = [0.9, 0.6, 0.3, 0.1] as const

/**
 * An answer with each token tinted by how likely it was, and on hover or focus what else might have stood there. One stop
 * of the Tab key; arrow keys go from token to token.
 */
export class TurnTokens extends LitElement {
  static override properties = { tokens: { attribute: false }, shown: { state: true }, at: { state: true } }
  declare tokens: readonly TokenLogprob[]
  /** Whose alternatives are shown. */
  declare shown: number | null
  /** Where the Tab key comes in. */
  declare at: number

  constructor() {
    super()
    this.tokens = []
    this.shown = null
    this.at = 0
  }

  #tokenElement(index: number): HTMLElement | null {
    return this.renderRoot.querySelector(`[data-index='${index}']`)
  }

  #indexOf(event: Event): number | null {
    const { index } = (event.target as HTMLElement).dataset
    return index === undefined ? null : Number(index)
  }

  #onKey(event: KeyboardEvent): void {
    const last = this.tokens.length - 1
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -last, End: last }[event.key]
    if (event.key === 'Escape' && this.shown !== null) {
      event.stopPropagation()
      this.shown = null
    }
    if (step === undefined) return
    event.preventDefault()
    this.at = Math.min(last, Math.max(0, this.at + step))
    this.#tokenElement(this.at)?.focus()
  }

  protected override updated(): void {
    const panel = this.renderRoot.querySelector<HTMLElement>('#alternatives')
    if (panel === null || !('showPopover' in panel)) return
    const token = this.shown === null ? null : this.#tokenElement(this.shown)
    if (token === null) {
      if (panel.matches(':popover-open')) panel.hidePopover()
      return
    }
    if (!panel.matches(':popover-open')) panel.showPopover()
    const { left, bottom, top } = token.getBoundingClientRect()
    const { width, height } = panel.getBoundingClientRect()
    const y = bottom + height + 8 > innerHeight ? top - height - 4 : bottom + 4
    panel.style.insetInlineStart = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`
    panel.style.insetBlockStart = `${Math.max(8, y)}px`
  }

  override render(): TemplateResult {
    const { tokens, shown, at } = this
    const words = strings(this).tokens
    const show = (event: Event): void => {
      this.shown = this.#indexOf(event)
    }
    const hide = (): void => {
      this.shown = null
    }
    return html`<div
        class="tokens"
        role="group"
        aria-label=${words.label}
        dir="auto"
        @mouseover=${show}
        @mouseleave=${hide}
        @focusin=${(event: Event) => {
          const index = this.#indexOf(event)
          if (index !== null) this.at = index
          show(event)
        }}
        @focusout=${hide}
        @keydown=${(event: KeyboardEvent) => this.#onKey(event)}
      >
        ${tokens.map(
          ({ token, logprob }, index) =>
            html`<span
              class="token step${stepOf(Math.exp(logprob))}"
              role="button"
              tabindex=${index === at ? 0 : -1}
              data-index=${index}
              aria-describedby="alternatives"
              >${token}</span
            >`,
        )}
      </div>
      <div id="alternatives" role="tooltip" popover="manual">
        ${shown === null ? nothing : this.#alternatives(tokens[shown])}
      </div>`
  }

  #alternatives(token: TokenLogprob | undefined): TemplateResult | typeof nothing {
    if (token === undefined) return nothing
    const others = token.top_logprobs.filter((other) => other.token !== token.token)
    const row = (text: string, logprob: number, isChosen: boolean): TemplateResult =>
      html`<li class=${isChosen ? 'chosen' : ''}>
        <span dir="auto">${visible(text)}</span><span>${percentOf(Math.exp(logprob))}</span>
      </li>`
    return html`<ul>
      ${row(token.token, token.logprob, true)}
      ${others.map((other) => row(other.token, other.logprob, false))}
    </ul>`
  }

  static override styles = [
    theme,
    css`
      .tokens {
        overflow-wrap: anywhere;
        white-space: pre-wrap;
      }

      .token {
        border-radius: 0.1875rem;
        cursor: help;
      }

      .step1 {
        background: color-mix(in srgb, var(--_alert) 8%, transparent);
      }

      .step2 {
        background: color-mix(in srgb, var(--_alert) 16%, transparent);
      }

      .step3 {
        background: color-mix(in srgb, var(--_alert) 24%, transparent);
        text-decoration: underline dotted var(--_alert);
      }

      .step4 {
        background: color-mix(in srgb, var(--_alert) 32%, transparent);
        text-decoration: underline var(--_alert);
      }

      #alternatives {
        position: fixed;
        inset: auto;
        width: max-content;
        min-width: 9rem;
        max-width: min(20rem, 90vw);
        margin: 0;
        padding: 0.5rem 0.75rem;
        border: 1px solid var(--_line);
        border-radius: 0.5rem;
        background: var(--_paper);
        color: var(--_ink);
        font-size: 0.875rem;
        pointer-events: none;
      }

      li {
        display: flex;
        justify-content: space-between;
        gap: 1rem;
        color: var(--_soft);
        font-variant-numeric: tabular-nums;
      }

      li span:first-child {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: pre;
      }

      .chosen {
        color: var(--_ink);
        font-weight: 650;
      }
    `,
  ]
}

function stepOf(probability: number): number {
  const step = STEPS.findIndex((least) => probability >= least)
  return step < 0 ? STEPS.length : step
}

/** Blanks and line breaks as signs. */
function visible(text: string): string {
  return text.replaceAll(' ', '␣').replaceAll('\n', '↵').replaceAll('\t', '⇥')
}
