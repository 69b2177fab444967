import { css, html, LitElement, nothing, type TemplateResult } from 'lit'
import { strings } from '../strings'
import { dialogTheme, theme } from '../theme'

/** A place in a document's text, or a whole text where `start` is `end`. */
export interface ShownPassage {
  /** Above the text: where it stands. */
  readonly place: string
  readonly text: string
  readonly start: number
  readonly end: number
}

/** Characters shown before and behind a passage at first, and how many more at once. */
const AROUND = 600

/** Shows a passage, marked, in the text around it. All of it is text, whatever the document held. */
export class PassageDialog extends LitElement {
  static override properties = {
    shown: { state: true },
    charactersBefore: { state: true },
    charactersAfter: { state: true },
  }
  declare shown: ShownPassage | null
  declare charactersBefore: number
  declare charactersAfter: number

  constructor() {
    super()
    this.shown = null
    this.charactersBefore = AROUND
    this.charactersAfter = AROUND
  }

  async show(passage: ShownPassage): Promise<void> {
    this.shown = passage
    this.charactersBefore = AROUND
    this.charactersAfter = passage.start === passage.end ? 4 * AROUND : AROUND
    await this.updateComplete
    const dialog = this.renderRoot.querySelector('dialog')
    if (dialog?.open === false) dialog.showModal()
    this.renderRoot.querySelector('mark')?.scrollIntoView({ block: 'center' })
  }

  override render(): TemplateResult {
    // The dialog stays, so that focus returns to where it was when it closes.
    return html`<dialog aria-labelledby="title">
      ${this.shown === null ? nothing : this.#content(this.shown)}
    </dialog>`
  }

  #content({ place, text, start, end }: ShownPassage): TemplateResult {
    const words = strings().documents
    const from = Math.max(0, start - this.charactersBefore)
    const to = Math.min(text.length, end + this.charactersAfter)
    const parts = [
      from === 0 ? '' : '…',
      text.slice(from, start),
      start === end ? '' : html`<mark>${text.slice(start, end)}</mark>`,
      text.slice(end, to),
      to === text.length ? '' : '…',
    ]
    return html`
      <div class="head">
        <h2 id="title"><bdi>${place}</bdi></h2>
      </div>
      <div class="body" tabindex="0" role="region" aria-label=${words.passage} dir="auto">
        ${
          from === 0
            ? nothing
            : html`<button
                class="plain small"
                type="button"
                @click=${() => {
                  this.charactersBefore += 4 * AROUND
                }}
              >
                ${words.before}
              </button>`
        }
        <p class="text">${parts}</p>
        ${
          to === text.length
            ? nothing
            : html`<button
                class="plain small"
                type="button"
                @click=${() => {
                  this.charactersAfter += 4 * AROUND
                }}
              >
                ${words.after}
              </button>`
        }
      </div>
      <div class="foot">
        <button type="button" autofocus @click=${() => this.renderRoot.querySelector('dialog')?.close()}>
          ${words.close}
        </button>
      </div>
    `
  }

  static override styles = [
    theme,
    dialogTheme,
    css`
      h2 {
        overflow-wrap: anywhere;
      }

      .body {
        gap: 0.5rem;
      }

      .text {
        overflow-wrap: anywhere;
        line-height: 1.6;
        white-space: pre-wrap;
      }

      mark {
        padding: 0.125rem 0;
        outline: 0;
        background: color-mix(in srgb, var(--_accent) 18%, transparent);
        color: inherit;
        font-weight: inherit;
      }

      .plain {
        justify-self: start;
      }
    `,
  ]
}
