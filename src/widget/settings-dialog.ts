import { html, LitElement, nothing, type TemplateResult } from 'lit'
import { live } from 'lit/directives/live.js'
import type { RemoteModel } from '../contract/remote'
import { parsePolicy, type Policy, type PolicyInput } from '../router/policy/schema'
import {
  isSameOrigin,
  MODES,
  readDraft,
  readPolicy,
  writePolicy,
  type DraftErrors,
  type DraftField,
  type SettingsDraft,
} from './settings-form'
import { fieldError, listModels, pricesOf, remoteSection, type RemoteForm } from './settings-remote'
import { limitsSection, personalDataSection, type ChangePolicy } from './settings-limits'
import { escalationStrings } from './strings/escalation'
import type { StoredSettings } from './settings-store'
import { describeError, type ErrorWords } from './error-words'
import { dialogTheme, theme } from './theme'

/** What was saved. `key`: the one in force, null for none; it is stored only where `keepKey`. */
export interface SettingsChange {
  readonly settings: Omit<StoredSettings, 'key'>
  readonly key: string | null
  readonly keepKey: boolean
}

const EMPTY: SettingsDraft = { policyText: '{}', baseUrl: '', model: '', inputPrice: '', outputPrice: '' }

/**
 * The settings.
 * @fires minnow-settings - `detail` is a `SettingsChange`.
 * @fires minnow-show-usage
 * @fires minnow-show-calibration
 */
export class SettingsDialog extends LitElement {
  static override properties = {
    draft: { state: true },
    errors: { state: true },
    hasKey: { state: true },
    keepKey: { state: true },
    models: { state: true },
    note: { state: true },
  }

  declare draft: SettingsDraft
  declare errors: DraftErrors
  declare hasKey: boolean
  declare keepKey: boolean
  /** What the server lists, once it was asked. */
  declare models: readonly RemoteModel[]
  /** What became of asking it. */
  declare note: ErrorWords | null
  /** Never part of what is rendered. */
  #key: string | null = null
  #keyOrigin = ''

  constructor() {
    super()
    this.draft = EMPTY
    this.errors = {}
    this.hasKey = false
    this.keepKey = false
    this.models = []
    this.note = null
  }

  /** @param key the one in force; it is kept where no other is typed and the server stays the same. */
  async show(settings: StoredSettings, key: string | null): Promise<void> {
    const { remote, policy } = settings
    this.draft = {
      // Whole, so that there is something to change.
      policyText: writePolicy(parsePolicy(policy)),
      baseUrl: remote?.baseUrl ?? '',
      model: remote?.model ?? '',
      inputPrice: remote?.price?.inputPerMillion.toString() ?? '',
      outputPrice: remote?.price?.outputPerMillion.toString() ?? '',
    }
    this.errors = {}
    this.#key = key
    this.#keyOrigin = remote?.baseUrl ?? ''
    this.hasKey = key !== null
    this.keepKey = settings.key !== null
    this.models = []
    this.note = null
    await this.updateComplete
    this.#dialog?.showModal()
  }

  get #dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector('dialog')
  }

  get #keyInput(): HTMLInputElement | null {
    return this.renderRoot.querySelector('#key')
  }

  #close(): void {
    if (this.#keyInput !== null) this.#keyInput.value = ''
    this.#key = null
    this.#dialog?.close()
  }

  #set(field: DraftField, value: string): void {
    this.draft = { ...this.draft, [field]: value, ...(field === 'model' ? pricesOf(this.models, value) : {}) }
    const { [field]: _gone, ...errors } = this.errors
    if (field !== 'policyText') this.errors = errors
    else {
      const read = readPolicy(value)
      this.errors = 'error' in read ? { ...errors, policyText: read.error } : errors
    }
  }

  /** Changes one setting within the policy's text. */
  #change(change: (policy: PolicyInput) => PolicyInput): void {
    const read = readPolicy(this.draft.policyText)
    if ('input' in read) this.#set('policyText', writePolicy(change(read.input)))
  }

  async #save(): Promise<void> {
    const read = readDraft(this.draft, new Date().toISOString().slice(0, 10))
    if ('errors' in read) {
      this.errors = read.errors
      await this.updateComplete
      const details = this.renderRoot.querySelector<HTMLDetailsElement>('#policy-part')
      if (read.errors.policyText !== undefined && details !== null) details.open = true
      const wrong = this.renderRoot.querySelector<HTMLElement>('[aria-invalid=true]')
      wrong?.focus()
      // With the words below it, which the focus alone may leave out of sight.
      wrong?.parentElement?.scrollIntoView({ block: 'center' })
      return
    }
    const { policy, remote } = read
    const key = remote === null ? null : this.#keyFor(remote.baseUrl)
    const detail: SettingsChange = {
      settings: { policy, remote: remote === null ? null : { ...remote, needsKey: key !== null } },
      key,
      keepKey: this.keepKey,
    }
    this.#close()
    this.dispatchEvent(new CustomEvent('minnow-settings', { detail }))
  }

  override render(): TemplateResult {
    const read = readPolicy(this.draft.policyText)
    const policy = 'policy' in read ? read.policy : null
    const words = escalationStrings.of().settings
    const change: ChangePolicy = (by) => this.#change(by)
    return html`<dialog
      aria-labelledby="title"
      @cancel=${(event: Event) => {
        event.preventDefault()
        this.#close()
      }}
    >
      <form
        novalidate
        @submit=${(event: Event) => {
          event.preventDefault()
          void this.#save()
        }}
      >
        <div class="head">
          <h2 id="title">${words.title}</h2>
          <button
            class="plain"
            type="button"
            @click=${() => {
              this.#close()
              this.dispatchEvent(new CustomEvent('minnow-show-usage'))
            }}
          >
            ${words.usage}
          </button>
        </div>
        <div class="body">
          ${policy === null ? this.#brokenPolicy() : [this.#modes(policy)]} ${remoteSection(this.#form)}
          ${
            policy === null
              ? nothing
              : [
                  limitsSection(policy, change, () => {
                    this.#close()
                    this.dispatchEvent(new CustomEvent('minnow-show-calibration'))
                  }),
                  personalDataSection(policy, change),
                ]
          }
          ${this.#policy()}
        </div>
        <div class="foot">
          <button class="secondary" type="button" @click=${() => this.#close()}>${words.cancel}</button>
          <button type="submit">${words.save}</button>
        </div>
      </form>
    </dialog>`
  }

  #brokenPolicy(): TemplateResult {
    return html`<p class="error">${escalationStrings.of().settings.brokenPolicy}</p>`
  }

  #modes({ mode }: Policy): TemplateResult {
    const words = escalationStrings.of().settings
    return html`<fieldset>
      <legend>${words.whoAnswers}</legend>
      ${MODES.map(
        (each) =>
          html`<label class="choice">
            <input
              type="radio"
              name="mode"
              .checked=${live(mode === each)}
              @change=${() => this.#change((policy) => ({ ...policy, mode: each }))}
            />
            <span>${words.modes[each].label}</span>
            <small>${words.modes[each].words}</small>
          </label>`,
      )}
    </fieldset>`
  }

  get #form(): RemoteForm {
    const { draft, errors, hasKey, keepKey, models, note } = this
    return {
      draft,
      errors,
      hasKey,
      keepKey,
      models,
      note,
      set: (field, value) => this.#set(field, value),
      setKeepKey: (keep) => {
        this.keepKey = keep
      },
      forgetKey: () => {
        this.hasKey = false
      },
      readModels: () => void this.#readModels(),
    }
  }

  /** Asks the server for its list, by the key that would be saved; nothing else is sent. */
  async #readModels(): Promise<void> {
    const words = escalationStrings.of().settings
    const { baseUrl } = this.draft
    this.note = { title: words.reading, detail: '' }
    try {
      this.models = await listModels(baseUrl.trim(), this.#keyFor(baseUrl.trim()))
      this.note = { title: words.models(this.models.length), detail: '' }
    } catch (error) {
      this.models = []
      this.note = describeError(error)
    }
  }

  /** The key that was typed, or the one in force where the server stays the same. */
  #keyFor(baseUrl: string): string | null {
    const typed = this.#keyInput?.value.trim() ?? ''
    if (typed !== '') return typed
    return this.hasKey && isSameOrigin(baseUrl, this.#keyOrigin) ? this.#key : null
  }

  #policy(): TemplateResult {
    const error = this.errors.policyText
    const words = escalationStrings.of().settings
    return html`<details id="policy-part">
      <summary>${words.policy}</summary>
      <div class="field">
        <label class="visually-hidden" for="policy">${words.policy}</label>
        <textarea
          id="policy"
          rows="12"
          spellcheck="false"
          .value=${live(this.draft.policyText)}
          aria-invalid=${error === undefined ? 'false' : 'true'}
          aria-describedby=${error === undefined ? 'policy-words' : 'policyText-error'}
          @input=${(event: Event) => this.#set('policyText', (event.target as HTMLTextAreaElement).value)}
        ></textarea>
        ${fieldError('policyText', error)}
        <small id="policy-words">${words.policyWords}</small>
      </div>
    </details>`
  }

  static override styles = [theme, dialogTheme]
}
