import { css, html, LitElement, nothing, type TemplateResult } from 'lit'
import { describeError, type ErrorWords } from './error-words'
import { errorText } from './error-text'
import { sizeOf } from './size-words'
import { strings, type Strings } from './strings'
import { theme } from './theme'

/** Something besides models that lies on this device. */
export interface KeptPart {
  readonly kind: keyof Strings['store']['kept']
  /** About: as it would be written to a file. */
  readonly bytes: number
  /** Deletes all of it. Absent where it is not to be deleted alone. */
  readonly remove?: (() => Promise<void>) | undefined
}

/** Each part with its size, and a button that deletes it once it was pressed twice. */
export class KeptList extends LitElement {
  static override properties = {
    parts: { state: true },
    sure: { state: true },
    problem: { state: true },
  }
  declare parts: readonly KeptPart[]
  /** The part whose deletion was asked for once. */
  declare sure: KeptPart['kind'] | null
  declare problem: ErrorWords | null
  #read: () => Promise<readonly KeptPart[]> = () => Promise.resolve([])

  constructor() {
    super()
    this.parts = []
    this.sure = null
    this.problem = null
  }

  /** Shows what `read` gives, and reads again after a deletion. Of a browser that does not tell, nothing is shown. */
  async show(read: () => Promise<readonly KeptPart[]>): Promise<void> {
    this.#read = read
    this.sure = null
    this.problem = null
    await this.#refresh()
  }

  async #refresh(): Promise<void> {
    this.parts = await this.#read().catch(() => [])
  }

  async #remove({ kind, remove }: KeptPart): Promise<void> {
    this.problem = null
    if (this.sure !== kind) {
      this.sure = kind
      return
    }
    this.sure = null
    try {
      await remove?.()
    } catch (error) {
      this.problem = describeError(error)
    }
    await this.#refresh()
    await this.updateComplete
    this.renderRoot.querySelector<HTMLElement>('h3')?.focus()
  }

  override render(): TemplateResult | typeof nothing {
    if (this.parts.length === 0) return nothing
    const { store: words } = strings()
    return html`<section aria-labelledby="kept">
      <h3 id="kept" tabindex="-1">${words.others}</h3>
      ${this.parts.map((part) => {
        const name = words.kept[part.kind]
        const action = this.sure === part.kind ? words.deleteSure : words.delete
        return html`<div class="part">
          <p class="soft small">${sizeOf(part.bytes)} · ${name}</p>
          ${
            part.remove === undefined || part.bytes === 0
              ? nothing
              : html`<button
                  type="button"
                  class="plain danger"
                  aria-label=${words.about(action, name)}
                  @click=${() => this.#remove(part)}
                >
                  ${action}
                </button>`
          }
        </div>`
      })}
      ${this.problem === null ? nothing : html`<div class="error" role="alert">${errorText(this.problem)}</div>`}
    </section>`
  }

  static override styles = [
    theme,
    css`
      section {
        display: grid;
        gap: 0.5rem;
      }

      h3 {
        font-size: 1rem;
        font-weight: 650;
      }

      .part {
        display: flex;
        flex-wrap: wrap;
        align-items: baseline;
        justify-content: space-between;
        gap: 0 1.25rem;
      }

      .plain {
        font-size: 0.9375rem;
      }
    `,
  ]
}
