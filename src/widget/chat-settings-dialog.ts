import { css, html, LitElement, type TemplateResult } from 'lit'
import { live } from 'lit/directives/live.js'
import type { RoutingMode } from '../contract/route'
import { DEFAULT_CHAT_SETTINGS, type ChatSettings } from './chat-settings'
import { strings } from './strings'
import { dialogTheme, theme } from './theme'

/**
 * Instruction, sampling and mode of one conversation.
 * @fires minnow-chat-settings - `detail` is a `ChatSettings`.
 */
export class ChatSettingsDialog extends LitElement {
  static override properties = { draft: { state: true } }
  declare draft: ChatSettings

  constructor() {
    super()
    this.draft = DEFAULT_CHAT_SETTINGS
  }

  async show(settings: ChatSettings): Promise<void> {
    this.draft = settings
    this.requestUpdate()
    await this.updateComplete
    this.#dialog?.showModal()
  }

  get #dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector('dialog')
  }

  #set(change: Partial<ChatSettings>): void {
    this.draft = { ...this.draft, ...change }
  }

  #submit(event: Event): void {
    event.preventDefault()
    this.#dialog?.close()
    this.dispatchEvent(new CustomEvent('minnow-chat-settings', { detail: this.draft }))
  }

  override render(): TemplateResult {
    const words = strings().chatSettings
    const { draft } = this
    return html`<dialog aria-labelledby="title">
      <form @submit=${(event: Event) => this.#submit(event)}>
        <div class="head"><h2 id="title">${words.title}</h2></div>
        <div class="body">
          <div class="field">
            <label for="system">${words.system}</label>
            <textarea
              id="system"
              rows="4"
              dir="auto"
              aria-describedby="system-words"
              .value=${live(draft.system)}
              @input=${(event: Event) => this.#set({ system: (event.target as HTMLTextAreaElement).value })}
            ></textarea>
            <small id="system-words">${words.systemWords}</small>
          </div>
          <div class="pair">
            ${this.#number('temperature', words.temperature, { max: 2, step: 0.1, words: words.temperatureWords })}
            ${this.#number('topP', words.topP, { max: 1, step: 0.05, words: words.topPWords })}
          </div>
          <div class="pair">
            ${this.#number('maxTokens', words.maxTokens, { min: 1, max: 8192, step: 1 })}
            <div class="field">
              <label for="mode">${words.mode}</label>
              <select
                id="mode"
                @change=${(event: Event) => {
                  const { value } = event.target as HTMLSelectElement
                  this.#set({ mode: value === '' ? null : (value as RoutingMode) })
                }}
              >
                <option value="" .selected=${live(draft.mode === null)}>${words.modeDefault}</option>
                ${Object.entries(words.modes).map(
                  ([mode, label]) =>
                    html`<option value=${mode} .selected=${live(draft.mode === mode)}>${label}</option>`,
                )}
              </select>
            </div>
          </div>
        </div>
        <div class="foot">
          <button
            class="secondary start"
            type="button"
            @click=${() => {
              this.draft = DEFAULT_CHAT_SETTINGS
            }}
          >
            ${words.reset}
          </button>
          <button class="secondary" type="button" @click=${() => this.#dialog?.close()}>
            ${words.cancel}
          </button>
          <button type="submit">${words.save}</button>
        </div>
      </form>
    </dialog>`
  }

  #number(
    field: 'temperature' | 'topP' | 'maxTokens',
    label: string,
    { min = 0, max, step, words = '' }: { min?: number; max: number; step: number; words?: string },
  ): TemplateResult {
    return html`<div class="field">
      <label for=${field}>${label}</label>
      <input
        id=${field}
        type="number"
        required
        min=${min}
        max=${max}
        step=${step}
        aria-describedby="${field}-words"
        .value=${live(String(this.draft[field]))}
        @change=${(event: Event) => {
          const { valueAsNumber, validity } = event.target as HTMLInputElement
          if (validity.valid) this.#set({ [field]: valueAsNumber })
        }}
      />
      <small id="${field}-words">${words}</small>
    </div>`
  }

  static override styles = [
    theme,
    dialogTheme,
    css`
      .field {
        align-content: start;
      }

      .field > :is(input, select) {
        align-self: start;
      }
    `,
  ]
}
