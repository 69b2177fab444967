import { css, html, LitElement, nothing, type TemplateResult } from 'lit'
import type { ConsentAnswer, ConsentQuestion } from '../router/consent'
import { markedText, messagesOf, redactionNote } from './sent-text'
import { languageOf } from './strings'
import { detailStrings } from './strings/details'
import { escalationStrings } from './strings/escalation'
import { dialogTheme, theme } from './theme'

/** Without path, and never with a key. */
const originOf = (url: string): string | null => (URL.canParse(url) ? new URL(url).origin : null)

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
    const language = languageOf(this)
    await Promise.all([detailStrings.load(language), escalationStrings.load(language)])
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
    const words = escalationStrings.of(this).consent
    const models = [...new Set(requests.map(({ model }) => model))].join(words.or)
    const origins = [...new Set(requests.map(({ url }) => originOf(url) ?? words.itsServer))]
    const messages = messagesOf(text)
    return html`
      <div class="head"><h2 id="title">${words.title(models)}</h2></div>
      <div class="body">
        <section>
          <p>
            ${purpose === 'verify' ? words.verify : words.answer}
            ${origins.map((origin, index) => [index === 0 ? '' : words.or, html`<strong>${origin}</strong>`])}.
          </p>
          ${redactionNote(redacted, detailStrings.of(this))}
          ${
            messages === null
              ? nothing
              : html`<div class="messages" tabindex="0" role="region" aria-label=${words.text}>
                  ${messages.map(
                    ({ role, content }) =>
                      html`<div class="message">
                        <small>${words.roles[role] ?? role}</small>
                        <p>${markedText(content, redacted)}</p>
                      </div>`,
                  )}
                </div>`
          }
          <details ?open=${messages === null}>
            <summary class="small">${words.wholeRequest}</summary>
            ${requests.map(
              ({ url, body }) =>
                html`${requests.length > 1 ? html`<small>${url}</small>` : nothing}
                  <pre tabindex="0" aria-label=${words.wholeRequest}>${markedText(body, redacted)}</pre>`,
            )}
          </details>
        </section>
        ${
          onKey !== null
            ? html`<div class="field">
                <label for="key">${words.key(origins.join(words.or))}</label>
                <input id="key" type="password" autocomplete="off" spellcheck="false" />
                <small>${words.keyWords}</small>
              </div>`
            : nothing
        }
      </div>
      <div class="foot">
        <button class="secondary start" type="button" autofocus @click=${() => this.#answer('no')}>
          ${words.no}
        </button>
        <button class="secondary" type="button" @click=${() => this.#answer('scope')}>${words.scope}</button>
        <button type="button" @click=${() => this.#answer('once')}>${words.once}</button>
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
