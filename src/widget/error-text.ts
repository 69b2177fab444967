import { html, nothing, type TemplateResult } from 'lit'
import type { ErrorWords } from './error-words'
import { strings } from './strings'

/**
 * What happened, in words; the technical message on request.
 * @param details what the request is called
 * @param isOpen shows it at once: it tells what to change
 */
export function errorText(
  { title, detail }: ErrorWords,
  { details } = strings().page,
  isOpen = false,
): TemplateResult {
  return html`<p>${title}</p>
    ${
      detail === ''
        ? nothing
        : html`<details class="small" ?open=${isOpen}>
            <summary>${details}</summary>
            <p lang="en">${detail}</p>
          </details>`
    }`
}
