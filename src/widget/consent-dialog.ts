import { css, html, LitElement, nothing, type TemplateResult } from 'lit'
import type { ConsentAnswer, ConsentQuestion } from '../router/consent'
import { markedText, messagesOf, redactionNote } from './sent-text'
import { dialogTheme, theme } from './theme'

/** Where a request would go. */
export interface Destination {
  /** Without a path or a key, for instance 'https://openrouter.ai'. */
  readonly origin: string
  /** A key is wanted, and none is there: it was not kept. */
  readonly wantsKey: boolean
  /** Gets the key that was typed. */
  onKey(key: string): void
}

const ROLES: Readonly<Record<string, string>> = {
  system: 'Instruction',
  user: 'You',
  assistant: 'Earlier answer',
}

interface Pending {
  readonly question: ConsentQuestion
  readonly destination: Destination
  answer(answer: ConsentAnswer): void
}

/** Asks before the first byte leaves: shows where to, and exactly what. */
export class ConsentDialog extends LitElement {
  static override properties = { pending: { state: true } }
  declare pending: Pending | null
  #turn: Promise<unknown> = Promise.resolve()

  constructor() {
    super()
    this.pending = null
  }

  /** One question at a time; 'no' where it is closed or the question is no longer asked. */
  ask(question: ConsentQuestion, destination: Destination): Promise<ConsentAnswer> {
    const asked = this.#turn.then(() => this.#show(question, destination))
    this.#turn = asked
    return asked
  }

  async #show(question: ConsentQuestion, destination: Destination): Promise<ConsentAnswer> {
    if (question.signal.aborted) return 'no'
    const answered = new Promise<ConsentAnswer>((resolve) => {
      this.pending = { question, destination, answer: resolve }
    })
    const onAbort = (): void => this.pending?.answer('no')
    question.signal.addEventListener('abort', onAbort, { once: true })
    try {
      await this.updateComplete
      const dialog = this.renderRoot.querySelector('dialog')
      if (dialog?.open === false) dialog.showModal()
      return await answered
    } finally {
      question.signal.removeEventListener('abort', onAbort)
      this.renderRoot.querySelector('dialog')?.close()
      this.pending = null
    }
  }

  #answer(answer: ConsentAnswer): void {
    const input = this.renderRoot.querySelector<HTMLInputElement>('#key')
    if (input !== null) {
      const key = input.value.trim()
      input.value = ''
      if (answer !== 'no' && key !== '') this.pending?.destination.onKey(key)
    }
    this.pending?.answer(answer)
  }

  override render(): TemplateResult | typeof nothing {
    const { pending } = this
    // The dialog stays, so that focus returns to where it was when it closes.
    return html`<dialog
      aria-labelledby="title"
      @cancel=${(event: Event) => {
        event.preventDefault()
        this.#answer('no')
      }}
    >
      ${pending === null ? nothing : this.#content(pending)}
    </dialog>`
  }

  #content({ question, destination }: Pending): TemplateResult {
    const { text, redacted, model, purpose } = question
    const messages = messagesOf(text)
    return html`
      <div class="head"><h2 id="title">Send this to ${model}?</h2></div>
      <div class="body">
        <section>
          <p>
            ${purpose === 'verify' ? 'To check the answer of this device,' : 'To answer,'} this text would
            leave the device, to <strong>${destination.origin}</strong>.
          </p>
          ${redactionNote(redacted)}
          ${
            messages === null
              ? nothing
              : html`<div class="messages" tabindex="0" role="region" aria-label="The text">
                  ${messages.map(
                    ({ role, content }) =>
                      html`<div class="message">
                        <small>${ROLES[role] ?? role}</small>
                        <p>${markedText(content, redacted)}</p>
                      </div>`,
                  )}
                </div>`
          }
          <details ?open=${messages === null}>
            <summary class="small">The whole request</summary>
            <pre tabindex="0" aria-label="The whole request">${markedText(text, redacted)}</pre>
          </details>
        </section>
        ${
          destination.wantsKey
            ? html`<div class="field">
                <label for="key">Key for ${destination.origin}</label>
                <input id="key" type="password" autocomplete="off" spellcheck="false" />
                <small>It was not kept when the page was closed.</small>
              </div>`
            : nothing
        }
      </div>
      <div class="foot">
        <button class="secondary start" type="button" autofocus @click=${() => this.#answer('no')}>
          Keep on device
        </button>
        <button class="secondary" type="button" @click=${() => this.#answer('scope')}>
          Always in this conversation
        </button>
        <button type="button" @click=${() => this.#answer('once')}>Send once</button>
      </div>
    `
  }

  static override styles = [
    theme,
    dialogTheme,
    css`
      .messages {
        display: grid;
        gap: 0.75rem;
        max-height: 18rem;
        padding: 0.75rem 1rem;
        overflow: auto;
        border: 1px solid var(--_line);
        border-radius: 0.5rem;
        background: var(--_wash);
      }

      .message p {
        overflow-wrap: anywhere;
        white-space: pre-wrap;
      }
    `,
  ]
}
