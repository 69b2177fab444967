import { cleanText } from './clean-text'
import type { DocumentText, Heading } from './document-text'

/** What holds no text of the page. */
const LEFT_OUT = new Set(
  (
    'applet audio base button canvas datalist dialog embed frame frameset head iframe img input link map math meta ' +
    'noembed noframes noscript object option param picture progress script select source style svg template textarea ' +
    'title track video'
  ).split(' '),
)
/** What stands in a line with the text around it; all else begins a paragraph. */
const INLINE = new Set(
  (
    'a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr q rp rt ruby s samp small ' +
    'span strike strong sub sup time tt u var wbr'
  ).split(' '),
)
const LINES = new Set(['li', 'tr', 'dt', 'dd', 'br', 'caption'])
const CELLS = new Set(['td', 'th'])
const UNSHOWN_STYLE =
  /(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|(?:opacity|font-size)\s*:\s*0+(?:\.0*)?[a-z%]*\s*(?:;|!|$))/i

/**
 * The text of a page as a reader would see it. It is parsed into a document of its own, which runs and loads nothing, and
 * of that only text is taken. What the page hides by attribute or in a style attribute is left out, so that it cannot
 * speak to the model behind the reader's back; hiding by a style sheet is not seen.
 */
export function readHtml(source: string): DocumentText {
  const page = new DOMParser().parseFromString(trusted(source), 'text/html')
  const writer = new TextWriter()
  writePage(page.body, writer)
  return { kind: 'html', text: writer.text, headings: writer.headings, pageStarts: [] }
}

interface HtmlPolicy {
  createHTML(text: string): string
}
let policy: HtmlPolicy | null = null

/** Where a page must say what it parses: nothing parsed here is ever put into a page. */
function trusted(source: string): string {
  const { trustedTypes } = globalThis as {
    trustedTypes?: { createPolicy(name: string, rules: HtmlPolicy): HtmlPolicy }
  }
  if (trustedTypes === undefined) return source
  policy ??= trustedTypes.createPolicy('minnow-documents', { createHTML: (text) => text })
  return policy.createHTML(source)
}

/** Walks without recursion: a page may be nested as deep as it likes. */
function writePage(root: Node, writer: TextWriter): void {
  let node: Node | null = root
  while (node !== null) {
    const isEntered = enter(node, writer)
    let next: Node | null = isEntered ? node.firstChild : null
    if (next === null) {
      if (isEntered) leave(node, writer)
      while (node !== root && node.nextSibling === null) {
        node = node.parentNode!
        leave(node, writer)
      }
      next = node === root ? null : node.nextSibling
    }
    node = next
  }
}

/** Whether its children are to be written. */
function enter(node: Node, writer: TextWriter): boolean {
  if (node.nodeType === Node.TEXT_NODE) writer.write(node.nodeValue ?? '')
  if (!(node instanceof Element)) return false
  const name = node.localName
  if (LEFT_OUT.has(name) || isHidden(node)) return false
  if (CELLS.has(name)) writer.space(node.previousElementSibling === null ? '' : ' | ')
  else if (!INLINE.has(name)) writer.space(LINES.has(name) ? '\n' : '\n\n')
  if (name === 'pre') writer.preformatted++
  if (/^h[1-6]$/.test(name)) writer.openHeading()
  if (name === 'li') writer.write('- ')
  return true
}

function leave(node: Node, writer: TextWriter): void {
  if (!(node instanceof Element)) return
  const name = node.localName
  if (name === 'pre') writer.preformatted--
  if (/^h[1-6]$/.test(name)) writer.closeHeading(Number(name[1]))
  if (!INLINE.has(name) && !CELLS.has(name)) writer.space(LINES.has(name) ? '\n' : '\n\n')
}

function isHidden(element: Element): boolean {
  return (
    element.hasAttribute('hidden') ||
    element.getAttribute('aria-hidden') === 'true' ||
    UNSHOWN_STYLE.test(element.getAttribute('style') ?? '')
  )
}

/** Puts texts together, with as much space between them as was asked for. */
class TextWriter {
  readonly headings: Heading[] = []
  preformatted = 0
  #text = ''
  #space = ''
  #headingFrom = 0

  get text(): string {
    return this.#text
  }

  /** The longest space that is asked for before the next text counts. */
  space(wanted: string): void {
    if (wanted.length > this.#space.length || wanted.startsWith('\n')) {
      this.#space = this.#space === '\n\n' ? '\n\n' : wanted
    }
  }

  write(raw: string): void {
    const clean = cleanText(raw)
    const text = this.preformatted > 0 ? clean : clean.replace(/\s+/g, ' ')
    if (text.startsWith(' ') && this.preformatted === 0) this.space(' ')
    const inner = this.preformatted > 0 ? text : text.trim()
    if (inner === '') return
    this.#text += (this.#text === '' ? '' : this.#space) + inner
    this.#space = text.endsWith(' ') && this.preformatted === 0 ? ' ' : ''
  }

  openHeading(): void {
    this.#headingFrom = this.#text.length
  }

  closeHeading(level: number): void {
    const written = this.#text.slice(this.#headingFrom)
    const title = written.trim()
    if (title === '') return
    const at = this.#headingFrom + written.indexOf(title)
    this.headings.push({ at, end: at + title.length, level, title: title.replace(/\s+/g, ' ') })
    this.#headingFrom = this.#text.length
  }
}
