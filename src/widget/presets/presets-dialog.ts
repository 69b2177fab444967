import { css, html, LitElement, nothing, type TemplateResult } from 'lit'
import { strings, type Language } from '../strings'
import { dialogTheme, theme } from '../theme'
import type { Preset, PresetField, PresetValues, Words } from './preset'
import { PRESETS } from './presets'

export interface PresetChoice {
  readonly id: string
  readonly values: PresetValues
}

function inLanguage(words: Words): string {
  return words[strings().language as Language]
}

/** The job of a preset with what was filled in, as the question that the conversation shows. */
export function questionOf(preset: Preset, values: PresetValues): string {
  const lines = preset.fields.map(({ name, label, options }) => {
    const value = (values[name] ?? '').trim()
    const option = options?.find((one) => one.value === value)
    const shown = option === undefined ? value : inLanguage(option.words)
    return shown.includes('\n') ? `${inLanguage(label)}:\n${shown}` : `${inLanguage(label)}: ${shown}`
  })
  return [inLanguage(preset.title), ...lines].join('\n')
}

/**
 * The jobs a small model is good for: a list, and a form for the one that was chosen.
 * @fires minnow-preset - `detail` is a `PresetChoice`.
 */
export class PresetsDialog extends LitElement {
  static override properties = { preset: { state: true }, busy: { type: Boolean } }
  declare preset: Preset | null
  /** Something is being answered, so no job can begin. */
  declare busy: boolean

  constructor() {
    super()
    this.preset = null
    this.busy = false
  }

  /** Opens the list, or the form of one job with what is known of it. */
  async show(id?: string, values: PresetValues = {}): Promise<void> {
    this.preset = PRESETS.find((preset) => preset.id === id) ?? null
    await this.updateComplete
    for (const [name, value] of Object.entries(values)) {
      const field = this.#fieldOf(name)
      if (field !== null) field.value = value
    }
    const dialog = this.renderRoot.querySelector('dialog')
    if (dialog?.open === false) dialog.showModal()
    this.#focusFirst()
  }

  #close(): void {
    this.renderRoot.querySelector('dialog')?.close()
  }

  #fieldOf(name: string): HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement | null {
    return this.renderRoot.querySelector(`[name="${CSS.escape(name)}"]`)
  }

  #focusFirst(): void {
    this.renderRoot.querySelector<HTMLElement>('.body :is(textarea, input, select, .job)')?.focus()
  }

  async #choose(preset: Preset | null): Promise<void> {
    this.preset = preset
    await this.updateComplete
    this.#focusFirst()
  }

  #submit(event: Event, preset: Preset): void {
    event.preventDefault()
    const values = Object.fromEntries(
      preset.fields.map(({ name }) => [name, this.#fieldOf(name)?.value.trim() ?? '']),
    )
    const missing = preset.fields.find(({ name }) => values[name] === '')
    if (missing !== undefined) {
      const field = this.#fieldOf(missing.name)
      field?.setCustomValidity(strings().presets.missing)
      field?.reportValidity()
      field?.addEventListener('input', () => field.setCustomValidity(''), { once: true })
      return
    }
    this.#close()
    const detail: PresetChoice = { id: preset.id, values }
    this.dispatchEvent(new CustomEvent('minnow-preset', { detail, bubbles: true, composed: true }))
  }

  override render(): TemplateResult {
    const { preset } = this
    return html`<dialog aria-labelledby="title">
      ${preset === null ? this.#list() : this.#form(preset)}
    </dialog>`
  }

  #list(): TemplateResult {
    const words = strings().presets
    return html`
      <div class="head"><h2 id="title">${words.title}</h2></div>
      <div class="body">
        <ul>
          ${PRESETS.map(
            (preset) =>
              html`<li>
                <button class="job" type="button" @click=${() => void this.#choose(preset)}>
                  <span>${inLanguage(preset.title)}</span>
                  <small>${inLanguage(preset.hint)}${this.#note(preset)}</small>
                </button>
              </li>`,
          )}
        </ul>
      </div>
      <div class="foot">
        <button class="secondary" type="button" @click=${() => this.#close()}>${words.close}</button>
      </div>
    `
  }

  #note({ level }: Preset): string {
    return level === 'better-with-bigger' ? ` · ${strings().presets.better}` : ''
  }

  #form(preset: Preset): TemplateResult {
    const words = strings().presets
    return html`<form novalidate @submit=${(event: Event) => this.#submit(event, preset)}>
      <div class="head">
        <h2 id="title">${inLanguage(preset.title)}</h2>
        <small>${inLanguage(preset.hint)}${this.#note(preset)}</small>
      </div>
      <div class="body">
        ${preset.fields.map((field) => this.#field(field))}
        ${this.busy ? html`<p class="soft small" role="status">${strings().turn.answering}</p>` : nothing}
      </div>
      <div class="foot">
        <button class="secondary start" type="button" @click=${() => void this.#choose(null)}>
          ${words.back}
        </button>
        <button class="secondary" type="button" @click=${() => this.#close()}>${words.close}</button>
        <button type="submit" ?disabled=${this.busy}>${words.run}</button>
      </div>
    </form>`
  }

  #field({ name, label, kind, options = [], initial = '' }: PresetField): TemplateResult {
    const control =
      kind === 'text'
        ? html`<textarea id=${name} name=${name} rows="5" dir="auto" .value=${initial}></textarea>`
        : kind === 'line'
          ? html`<input
              id=${name}
              name=${name}
              type="text"
              dir="auto"
              autocomplete="off"
              .value=${initial}
            />`
          : html`<select id=${name} name=${name}>
              ${options.map(
                ({ value, words }) =>
                  html`<option value=${value} ?selected=${value === initial}>${inLanguage(words)}</option>`,
              )}
            </select>`
    return html`<div class="field"><label for=${name}>${inLanguage(label)}</label>${control}</div>`
  }

  static override styles = [
    theme,
    dialogTheme,
    css`
      .body {
        gap: 1rem;
      }

      ul {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(15rem, 100%), 1fr));
        gap: 0.5rem;
      }

      .job {
        display: grid;
        width: 100%;
        height: 100%;
        align-content: start;
        border: 1px solid var(--_line);
        background: none;
        color: var(--_ink);
        text-align: start;
      }

      .job:hover {
        border-color: var(--_accent);
        filter: none;
      }

      .job small {
        font-weight: 400;
      }

      .head {
        justify-content: flex-start;
      }

      .head small {
        flex: 1 1 100%;
      }

      textarea {
        font: inherit;
        line-height: 1.5;
      }
    `,
  ]
}
