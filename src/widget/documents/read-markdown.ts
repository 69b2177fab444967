import { cleanText } from './clean-text'
import type { DocumentText, Heading } from './document-text'

/** Markdown stays as it is written, which models know well; its titles are found for what cites it. Nothing is rendered. */
export function readMarkdown(source: string): DocumentText {
  const text = cleanText(source)
  return { kind: 'markdown', text, headings: [...headingsOf(text)], pageStarts: [] }
}

function* headingsOf(text: string): Generator<Heading> {
  let fence: string | null = null
  let before: { start: number; line: string } | null = null
  for (const { 0: line, index: at } of text.matchAll(/[^\n]+|(?<=\n)(?=\n)/g)) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1]
    if (fence !== null) {
      if (mark?.startsWith(fence) === true && line.trim() === mark) fence = null
      before = null
      continue
    }
    if (mark !== undefined) {
      fence = mark
      before = null
      continue
    }
    const numbered = /^ {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$/.exec(line)
    const underline = /^ {0,3}(=+|-{2,})[ \t]*$/.exec(line)?.[1]
    if (numbered !== null) {
      yield { at, end: at + line.length, level: numbered[1]!.length, title: plainTitle(numbered[2]!) }
      before = null
    } else if (underline !== undefined && before !== null) {
      const level = underline.startsWith('=') ? 1 : 2
      yield { at: before.start, end: at + line.length, level, title: plainTitle(before.line) }
      before = null
    } else before = line.trim() === '' ? null : { start: at, line }
  }
}

/** Without the marks of emphasis, code and links. */
function plainTitle(title: string): string {
  return title
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[*_`]+/g, '')
    .trim()
}
