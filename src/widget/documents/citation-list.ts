import { css, html, LitElement, nothing, type TemplateResult } from 'lit'
import type { Citation } from '../../contract/engine'
import { strings } from '../strings'
import { theme } from '../theme'

/** Where a passage stands, in words: document, title above it, page. */
export function placeOf({ document, headings, page }: Citation): string {
  const parts = [document, ...headings.slice(-1), ...(page === null ? [] : [strings().documents.page(page)])]
  return parts.join(', ')
}

/** Labels that stand in an answer as "[1]". */
export function labelsIn(answer: string): Set<number> {
  return new Set([...answer.matchAll(/\[(\d{1,3})\]/g)].map(([, label]) => Number(label)))
}

/**
 * The passages of an answer as chips: first those it cites, then what else was read for it.
 * @fires minnow-citation - `detail` is the `Citation` that was chosen.
 */
export class CitationList extends LitElement {
  static override properties = { citations: { attribute: false }, answer: { attribute: false } }
  declare citations: readonly Citation[]
  /** The answer's text, whose labels tell what it cites. */
  declare answer: string

  constructor() {
    super()
    this.citations = []
    this.answer = ''
  }

  override render(): TemplateResult | typeof nothing {
    if (this.citations.length === 0) return nothing
    const labels = labelsIn(this.answer)
    const isCited = ({ label }: Citation): boolean => labels.has(label)
    const others = this.citations.filter((citation) => !isCited(citation))
    return html`
      <ul aria-label=${strings().documents.citations}>
        ${this.citations.filter(isCited).map((citation) => html`<li>${this.#chip(citation)}</li>`)}
      </ul>
      ${
        others.length === 0
          ? nothing
          : html`<details>
              <summary class="small">${strings().documents.alsoRead}</summary>
              <ul>
                ${others.map((citation) => html`<li>${this.#chip(citation)}</li>`)}
              </ul>
            </details>`
      }
    `
  }

  #chip(citation: Citation): TemplateResult {
    const place = placeOf(citation)
    return html`<button
      part="citation"
      type="button"
      aria-haspopup="dialog"
      aria-label=${strings().documents.source(citation.label, place)}
      title=${place}
      @click=${() =>
        this.dispatchEvent(
          new CustomEvent('minnow-citation', { detail: citation, bubbles: true, composed: true }),
        )}
    >
      <span aria-hidden="true">${citation.label}</span><bdi>${place}</bdi>
    </button>`
  }

  static override styles = [
    theme,
    css`
      :host {
        display: grid;
        gap: 0.25rem;
        margin-block: 0.5rem;
      }

      ul {
        display: flex;
        flex-wrap: wrap;
        gap: 0.375rem;
      }

      li {
        max-width: 100%;
      }

      details ul {
        margin-top: 0.25rem;
      }

      button {
        display: flex;
        max-width: 100%;
        min-height: 2rem;
        gap: 0.375rem;
        align-items: center;
        padding: 0.125rem 0.625rem 0.125rem 0.25rem;
        border: 1px solid var(--_line);
        border-radius: 1rem;
        background: none;
        color: var(--_ink);
        font-size: 0.8125rem;
        font-weight: 500;
      }

      button span {
        flex: none;
        min-width: 1.375rem;
        border-radius: 0.6875rem;
        background: var(--_accent);
        color: var(--_on-accent);
        font-weight: 650;
        line-height: 1.375rem;
        text-align: center;
      }

      details button span {
        background: var(--_soft);
        color: var(--_paper);
      }

      bdi {
        overflow: hidden;
        max-width: 18rem;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
    `,
  ]
}
