import { css, html, LitElement, nothing, type TemplateResult } from 'lit'
import type { WaitingQuestion } from '../router/queues'
import { escalationStrings } from './strings/escalation'
import { theme } from './theme'

/**
 * Questions that wait for the network.
 * @fires minnow-waiting-send
 * @fires minnow-waiting-remove - `detail` is the question's id.
 */
export class WaitingList extends LitElement {
  static override properties = { questions: { attribute: false }, sending: { type: Boolean } }
  declare questions: readonly WaitingQuestion[]
  declare sending: boolean

  constructor() {
    super()
    this.questions = []
    this.sending = false
  }

  override render(): TemplateResult | typeof nothing {
    const { questions, sending } = this
    if (questions.length === 0) return nothing
    const words = escalationStrings.of(this).waiting
    return html`<details>
      <summary>${words.count(questions.length)}</summary>
      <ul>
        ${questions.map(({ id, messages }) => {
          const text = messages.findLast(({ role }) => role === 'user')?.content ?? ''
          return html`<li>
            <span>${text}</span>
            <button
              class="plain"
              type="button"
              aria-label=${words.forgetQuestion(text)}
              @click=${() => this.dispatchEvent(new CustomEvent('minnow-waiting-remove', { detail: id }))}
            >
              ${words.forget}
            </button>
          </li>`
        })}
      </ul>
      <button
        class="plain"
        type="button"
        ?disabled=${sending}
        @click=${() => this.dispatchEvent(new CustomEvent('minnow-waiting-send'))}
      >
        ${sending ? words.sending : words.send}
      </button>
    </details>`
  }

  static override styles = [
    theme,
    css`
      :host {
        display: block;
        font-size: 0.875rem;
      }

      li {
        display: flex;
        align-items: baseline;
        justify-content: space-between;
        gap: 1rem;
      }

      li span {
        min-width: 0;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
    `,
  ]
}
