import DOMPurify from 'dompurify'
import { writeHtml, type MarkdownBlock } from './markdown-grammar'
import { strings, type Strings } from './strings'

export { readBlocks, type MarkdownBlock } from './markdown-grammar'

const TAGS =
  'p br hr h3 h4 h5 h6 blockquote ul ol li pre code strong em del a table thead tbody tr th td'.split(' ')
const ATTRIBUTES = ['href', 'start', 'scope', 'data-align', 'data-kind', 'data-language']

/** What may begin in another direction than the page. Of a list all items have one, as their markers stand in one line. */
const TEXTS = 'p:not(li p), ul, ol, h3, h4, h5, h6, th, td, blockquote'

/** A block as nodes: twice without anything that could run, load or submit, once by how it is written and once by a sieve. */
export function renderBlock(block: MarkdownBlock, words = strings().markdown): DocumentFragment {
  const fragment = DOMPurify.sanitize(writeHtml(block), {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    ALLOWED_URI_REGEXP: /^(?:https?:\/\/|mailto:)/i,
    RETURN_DOM_FRAGMENT: true,
  })
  for (const link of fragment.querySelectorAll('a')) {
    link.target = '_blank'
    link.rel = 'noopener noreferrer'
  }
  for (const text of fragment.querySelectorAll<HTMLElement>(TEXTS)) text.dir = 'auto'
  for (const table of fragment.querySelectorAll('table')) frameTable(table, words)
  for (const pre of fragment.querySelectorAll('pre')) {
    const frame = new CodeFrame(pre.dataset['language'] ?? '', words)
    frame.code = pre.textContent
    pre.replaceWith(frame.element)
  }
  return fragment
}

/** Scrolls where it is too wide; its columns have one width each, so that nothing moves while rows are added. */
function frameTable(table: HTMLTableElement, words: Strings['markdown']): void {
  const frame = document.createElement('div')
  frame.className = 'table'
  frame.role = 'region'
  frame.tabIndex = 0
  frame.ariaLabel = words.table
  const columns = table.rows[0]?.cells.length ?? 1
  table.style.setProperty('--columns', String(columns))
  table.replaceWith(frame)
  frame.append(table)
}

/** Code with its language and a button that copies it. */
export class CodeFrame {
  readonly element: HTMLElement
  readonly #language: string
  readonly #code: HTMLElement
  readonly #text = document.createTextNode('')

  constructor(language: string, words = strings().markdown) {
    this.#language = language
    const name = document.createElement('span')
    name.textContent = language === '' ? words.code : language
    const copy = document.createElement('button')
    copy.type = 'button'
    copy.className = 'plain'
    copy.textContent = words.copy
    copy.addEventListener('click', () => void this.#copy(copy, words))
    const head = document.createElement('div')
    head.className = 'code-head'
    head.append(name, copy)
    this.#code = document.createElement('code')
    this.#code.append(this.#text)
    const pre = document.createElement('pre')
    pre.dir = 'ltr'
    pre.tabIndex = 0
    pre.role = 'region'
    pre.ariaLabel = words.codeIn(language)
    pre.append(this.#code)
    this.element = document.createElement('div')
    this.element.className = 'code'
    this.element.append(head, pre)
  }

  get code(): string {
    return this.#text.data
  }

  /** What is only added is only appended. */
  set code(code: string) {
    const { data } = this.#text
    if (code.startsWith(data)) this.#text.appendData(code.slice(data.length))
    else this.#text.data = code
  }

  /** Colours it; where that fails it stays as it is. */
  async highlight(): Promise<void> {
    const { highlight } = await import('./markdown-code')
    const html = await highlight(this.code, this.#language)
    if (html === null) return
    const fragment = DOMPurify.sanitize(html, {
      ALLOWED_TAGS: ['span'],
      ALLOWED_ATTR: ['class'],
      RETURN_DOM_FRAGMENT: true,
    })
    if (fragment.textContent === this.code) this.#code.replaceChildren(fragment)
  }

  async #copy(button: HTMLButtonElement, words: Strings['markdown']): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.code)
      button.textContent = words.copied
    } catch {
      // No clipboard without HTTPS, or not allowed: then it is marked for the keyboard.
      getSelection()?.selectAllChildren(this.#code)
      button.textContent = words.marked
    }
    setTimeout(() => {
      button.textContent = words.copy
    }, 2000)
  }
}
