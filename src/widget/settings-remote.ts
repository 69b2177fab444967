import { html, nothing, type TemplateResult } from 'lit'
import { live } from 'lit/directives/live.js'
import type { RemoteModel } from '../contract/remote'
import { createRemoteEngine } from '../router/providers/remote-engine'
import { errorText } from './error-text'
import type { ErrorWords } from './error-words'
import type { DraftErrors, DraftField, SettingsDraft } from './settings-form'
import { strings } from './strings'
import { escalationStrings } from './strings/escalation'

/** Servers that are known to have OpenAI's interface, to choose from; any other will do. */
const PROVIDERS: readonly { readonly name: string; readonly baseUrl: string }[] = [
  { name: 'OpenRouter', baseUrl: 'https://openrouter.ai/api/v1' },
  { name: 'OpenAI', baseUrl: 'https://api.openai.com/v1' },
  { name: 'Ollama', baseUrl: 'http://localhost:11434/v1' },
  { name: 'llama.cpp', baseUrl: 'http://localhost:8080/v1' },
  { name: 'vLLM', baseUrl: 'http://localhost:8000/v1' },
  { name: 'LiteLLM', baseUrl: 'http://localhost:4000/v1' },
]

/** What the part of the settings on the bigger model shows and does. */
export interface RemoteForm {
  readonly draft: SettingsDraft
  readonly errors: DraftErrors
  readonly hasKey: boolean
  readonly keepKey: boolean
  readonly models: readonly RemoteModel[]
  readonly note: ErrorWords | null
  set(field: DraftField, value: string): void
  setKeepKey(keep: boolean): void
  forgetKey(): void
  readModels(): void
}

/** The models of a server. @throws EngineError where it cannot be asked */
export async function listModels(baseUrl: string, key: string | null): Promise<RemoteModel[]> {
  const remote = createRemoteEngine({ baseUrl, model: 'any', ...(key === null ? {} : { apiKey: key }) })
  try {
    return await remote.models()
  } finally {
    await remote.dispose()
  }
}

/** Prices of a listed model, as the draft has them; nothing where the server does not tell. */
export function pricesOf(
  models: readonly RemoteModel[],
  id: string,
): Partial<Pick<SettingsDraft, 'inputPrice' | 'outputPrice'>> {
  const price = models.find((model) => model.id === id)?.price
  if (price === undefined || price === null) return {}
  // A price a token times a million leaves crumbs.
  const written = (usd: number): string => String(Number(usd.toPrecision(12)))
  return { inputPrice: written(price.inputPerMillion), outputPrice: written(price.outputPerMillion) }
}

export function remoteSection(form: RemoteForm): TemplateResult {
  const { draft, hasKey, keepKey, models, note } = form
  const words = escalationStrings.of().settings
  return html`<section aria-labelledby="remote-title">
    <h3 id="remote-title">${words.remote}</h3>
    <small>${words.remoteWords}</small>
    ${textField(form, 'baseUrl', words.address, { type: 'url', placeholder: PROVIDERS[0]!.baseUrl, list: 'providers' })}
    <datalist id="providers">
      ${PROVIDERS.map(({ name, baseUrl }) => html`<option value=${baseUrl}>${name}</option>`)}
    </datalist>
    ${textField(form, 'model', words.model, { placeholder: words.modelPlaceholder, list: 'models' })}
    <datalist id="models">${models.map(({ id }) => html`<option value=${id}></option>`)}</datalist>
    <div>
      <button
        class="plain"
        type="button"
        ?disabled=${!URL.canParse(draft.baseUrl.trim())}
        @click=${() => form.readModels()}
      >
        ${words.readModels}
      </button>
      <div class="soft small" role="status">${note === null ? nothing : errorText(note)}</div>
    </div>
    <div class="field">
      <label for="key">${words.key}</label>
      <input
        id="key"
        type="password"
        autocomplete="off"
        spellcheck="false"
        placeholder=${hasKey ? words.keyPlaceholder : ''}
        aria-describedby="key-words"
      />
      <small id="key-words">${words.keyWords}</small>
    </div>
    <label class="choice">
      <input
        id="keep-key"
        type="checkbox"
        .checked=${live(keepKey)}
        @change=${(event: Event) => form.setKeepKey((event.target as HTMLInputElement).checked)}
      />
      <span>${words.rememberKey}</span>
      <small>${words.rememberKeyWords}</small>
    </label>
    ${
      hasKey
        ? html`<div>
            <button class="plain danger" type="button" @click=${() => form.forgetKey()}>
              ${words.forgetKey}
            </button>
          </div>`
        : nothing
    }
    <div class="pair">
      ${textField(form, 'inputPrice', words.inputPrice, { inputmode: 'decimal', placeholder: '$' })}
      ${textField(form, 'outputPrice', words.outputPrice, {
        inputmode: 'decimal',
        placeholder: '$',
      })}
    </div>
  </section>`
}

interface TextFieldOptions {
  type?: string
  inputmode?: string
  placeholder: string
  /** Id of the choices. */
  list?: string
}

function textField(
  { draft, errors, set }: RemoteForm,
  field: DraftField,
  label: string,
  { type = 'text', inputmode = '', placeholder, list = '' }: TextFieldOptions,
): TemplateResult {
  const error = errors[field]
  return html`<div class="field">
    <label for=${field}>${label}</label>
    <input
      id=${field}
      type=${type}
      inputmode=${inputmode || nothing}
      list=${list || nothing}
      placeholder=${placeholder}
      autocomplete="off"
      spellcheck="false"
      .value=${live(draft[field])}
      aria-invalid=${error === undefined ? 'false' : 'true'}
      aria-describedby=${error === undefined ? nothing : `${field}-error`}
      @input=${(event: Event) => set(field, (event.target as HTMLInputElement).value)}
    />
    ${fieldError(field, error)}
  </div>`
}

export function fieldError(
  field: DraftField,
  error: ErrorWords | undefined,
): TemplateResult | typeof nothing {
  return error === undefined
    ? nothing
    : html`<div class="error" id="${field}-error">${errorText(error, strings().page, true)}</div>`
}
