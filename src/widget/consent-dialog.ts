import { css, html, LitElement, nothing, type TemplateResult } from 'lit'
import type { ConsentAnswer, ConsentQuestion } from '../router/consent'
import { markedText, messagesOf, redactionNote } from './sent-text'
import { languageOf } from './strings'
import { detailStrings } from './strings/details'
import { dialogTheme, theme } from './theme'

const ROLES: Readonly<Record<string, string>> = {
  system: 'Instruction',
  user: 'You',
  assistant: 'Earlier answer',
}

/** Without path, and never with a key. */
const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : 'its server')

interface Pending {
  readonly question: ConsentQuestion
  /** Gets the key that was typed; null: none is wanted. */
  readonly onKey: ((key: string) => void) | null
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

  /**
   * One question at a time; 'no' where it is closed or the question is no longer asked.
   * @param onKey gets the key that was typed; null: none is wanted
   */
  ask(question: ConsentQuestion, onKey: Pending['onKey'] = null): Promise<ConsentAnswer> {
    const asked = this.#turn.then(() => this.#show(question, onKey))
    this.#turn = asked
    return asked
  }

  async #show(question: ConsentQuestion, onKey: Pending['onKey']): Promise<ConsentAnswer> {
    await detailStrings.load(languageOf(this))
    if (question.signal.aborted) return 'no'
    const answered = new Promise<ConsentAnswer>((resolve) => {
      this.pending = { question, onKey, answer: resolve }
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
      if (answer !== 'no' && key !== '') this.pending?.onKey?.(key)
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

  #content({ question, onKey }: Pending): TemplateResult {
    const { requests, text, redacted, purpose } = question
    const models = [...new Set(requests.map(({ model }) => model))].join(' or ')
    const origins = [...new Set(requests.map(({ url }) => originOf(url)))]
    const messages = messagesOf(text)
    return html`
      <div class="head"><h2 id="title">Send this to ${models}?</h2></div>
      <div class="body">
        <section>
          <p>
            ${purpose === 'verify' ? 'To check the answer of this device,' : 'To answer,'} this text would
            leave the device, to
            ${origins.map((origin, index) => [index === 0 ? '' : ' or ', html`<strong>${origin}</strong>`])}.
          </p>
          ${redactionNote(redacted, detailStrings.of(this))}
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
            ${requests.map(
              ({ url, body }) =>
                html`${requests.length > 1 ? html`<small>${url}</small>` : nothing}
                  <pre tabindex="0" aria-label="The whole request">${markedText(body, redacted)}</pre>`,
            )}
          </details>
        </section>
        ${
          onKey !== null
            ? html`<div class="field">
                <label for="key">Key for ${origins.join(' or ')}</label>
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
