import {
  Marked,
  type RendererObject,
  type Token,
  type TokenizerAndRendererExtension,
  type Tokens,
} from 'marked'

/** A block of Markdown: a paragraph, a list, a table… */
export interface MarkdownBlock {
  /** The text it was read from: those of all blocks joined are the source. */
  readonly raw: string
  readonly kind: 'code' | 'other'
  /** Of code: what was written behind the fence, up to the first blank; else ''. */
  readonly language: string
  /** Of code: the code. */
  readonly code: string
  readonly token: Token
}

/**
 * Cuts a text into blocks. Blank lines belong to the block before them, so that only the last block can still change when
 * the text grows.
 */
export function readBlocks(source: string): MarkdownBlock[] {
  const blocks: MarkdownBlock[] = []
  for (const token of markdown.lexer(source)) {
    const last = blocks.at(-1)
    if (token.type === 'space' && last !== undefined) {
      blocks[blocks.length - 1] = { ...last, raw: last.raw + token.raw }
    } else blocks.push(toBlock(token))
  }
  return blocks
}

/** A block as HTML without any element, attribute or address of the author's own. */
export function writeHtml({ token }: MarkdownBlock): string {
  return markdown.parser([token])
}

function toBlock(token: Token): MarkdownBlock {
  const { raw } = token
  if (token.type !== 'code') return { raw, kind: 'other', language: '', code: '', token }
  const { lang = '', text } = token as Tokens.Code
  return { raw, kind: 'code', language: languageOf(lang), code: text, token }
}

function languageOf(info: string): string {
  return (/^[\w+#.-]{1,20}/.exec(info.trim())?.[0] ?? '').toLowerCase()
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** Only whole addresses of the web and of mail. */
function isLinkable(href: string): boolean {
  return /^(?:https?:\/\/|mailto:)/i.test(href) && URL.canParse(href)
}

function linkTo(href: string, content: string): string {
  return isLinkable(href) ? `<a href="${escapeHtml(href)}">${content}</a>` : content
}

/** Formulas are shown as they are written, and nothing in them is Markdown. */
const inlineMath: TokenizerAndRendererExtension = {
  name: 'inlineMath',
  level: 'inline',
  start: (source) => {
    const at = source.search(/\$|\\\(/)
    return at < 0 ? undefined : at
  },
  tokenizer(source) {
    const found = /^(?:\$\$[^$\n]+\$\$|\$(?=\S)[^$\n]*[^\s$]\$(?!\d)|\\\([^\n]+?\\\))/.exec(source)
    return found === null ? undefined : { type: 'inlineMath', raw: found[0], text: found[0] }
  },
  renderer: (token) => `<code data-kind="math">${escapeHtml(token.raw)}</code>`,
}

const blockMath: TokenizerAndRendererExtension = {
  name: 'blockMath',
  level: 'block',
  start: (source) => {
    const at = source.search(/\n(?:\$\$|\\\[)/)
    return at < 0 ? undefined : at + 1
  },
  tokenizer(source) {
    const found = /^(?:\$\$[^$]+\$\$|\\\[[\s\S]+?\\\])[ \t]*(?:\n|$)/.exec(source)
    return found === null ? undefined : { type: 'blockMath', raw: found[0], text: found[0].trim() }
  },
  renderer: (token) => `<p><code data-kind="math">${escapeHtml(String(token['text']))}</code></p>`,
}

const renderer: RendererObject = {
  heading({ tokens, depth }) {
    // Below the page's own two levels.
    const level = Math.min(6, depth + 2)
    return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>`
  },
  link({ href, tokens }) {
    return linkTo(href, this.parser.parseInline(tokens))
  },
  // An image would ask another server for it.
  image: ({ href, text }) => linkTo(href, escapeHtml(text === '' ? href : text)),
  html: ({ text }) => escapeHtml(text),
  checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
  code: ({ text, lang = '' }) =>
    `<pre data-language="${escapeHtml(languageOf(lang))}"><code>${escapeHtml(text)}</code></pre>`,
  tablecell({ tokens, header, align }) {
    const attributes = `${header ? ' scope="col"' : ''}${align === null ? '' : ` data-align="${align}"`}`
    const name = header ? 'th' : 'td'
    return `<${name}${attributes}>${this.parser.parseInline(tokens)}</${name}>`
  },
}

const markdown = new Marked({
  gfm: true,
  // Small models write verses and addresses with one line break.
  breaks: true,
  extensions: [blockMath, inlineMath],
  renderer,
  tokenizer: {
    // HTML is text. A line below a text does not make a heading of it, which would change what is already read; nor does
    // a definition at the end make links of what stands above.
    html: () => undefined,
    tag: () => undefined,
    lheading: () => undefined,
    def: () => undefined,
  },
})
