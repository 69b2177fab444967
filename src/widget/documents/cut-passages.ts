import { pageAt, type DocumentText, type Heading } from './document-text'
import { estimateTokens } from './estimate-tokens'

/** A stretch of a document: what is found, given to the model and cited. `text.slice(start, end)`. */
export interface Passage {
  /** Its place among the document's passages. */
  readonly index: number
  readonly start: number
  readonly end: number
  /** Titles above it, topmost first. */
  readonly headings: readonly string[]
  /** From 1; null where the document has no pages. */
  readonly page: number | null
}

interface Stretch {
  readonly start: number
  readonly end: number
  readonly tokens: number
}

/** Estimated tokens of a passage, at most; see docs/documents.md for what others measured. */
export const PASSAGE_TOKENS = 160

/**
 * Cuts a text: never across titles and pages, at paragraphs where they fit, else at sentences, else at words, else anywhere. Passages
 * follow each other without overlap and leave out nothing but blanks and the titles. A generator, so that long texts
 * can be cut in turns.
 */
export function* cutPassages(
  { text, headings, pageStarts }: DocumentText,
  { tokens: limit = PASSAGE_TOKENS }: { tokens?: number } = {},
): Generator<Passage> {
  let index = 0
  for (const section of sections(text, headings)) {
    let open: Stretch | null = null
    const close = ({ start, end }: Stretch): Passage => ({
      index: index++,
      start,
      end,
      headings: section.headings,
      page: pageAt(pageStarts, start),
    })
    for (const part of fittingParts(text, section.start, section.end, limit)) {
      if (open === null) open = part
      else if (
        open.tokens + part.tokens <= limit &&
        pageAt(pageStarts, open.start) === pageAt(pageStarts, part.start)
      ) {
        open = { start: open.start, end: part.end, tokens: open.tokens + part.tokens }
      } else {
        yield close(open)
        open = part
      }
    }
    if (open !== null) yield close(open)
  }
}

interface Section {
  readonly start: number
  readonly end: number
  readonly headings: readonly string[]
}

/** A title without text below belongs to the sections under it; one with nothing at all is a section of its own. */
function* sections(text: string, headings: readonly Heading[]): Generator<Section> {
  const above: Heading[] = []
  let start = 0
  for (const [index, heading] of headings.entries()) {
    yield { start, end: heading.at, headings: above.map(({ title }) => title) }
    while (above.length > 0 && above.at(-1)!.level >= heading.level) above.pop()
    above.push(heading)
    const next = headings[index + 1]
    const isBare = text.slice(heading.end, next?.at).trim() === ''
    // Nobody else would tell of it.
    const isLeaf = next === undefined || next.level <= heading.level
    start = isBare && isLeaf ? heading.at : heading.end
  }
  yield { start, end: text.length, headings: above.map(({ title }) => title) }
}

/** Paragraphs that fit, and parts of those that don't. */
function* fittingParts(text: string, start: number, end: number, limit: number): Generator<Stretch> {
  for (const paragraph of split(text, start, end, /\n[ \t]*\n\s*/g)) {
    if (paragraph.tokens <= limit) {
      yield paragraph
      continue
    }
    for (const sentence of sentences(text, paragraph)) {
      if (sentence.tokens <= limit) {
        yield sentence
        continue
      }
      for (const word of split(text, sentence.start, sentence.end, /\s+/g)) {
        if (word.tokens <= limit) yield word
        else yield* slices(text, word, limit)
      }
    }
  }
}

function* split(text: string, start: number, end: number, separator: RegExp): Generator<Stretch> {
  const part = text.slice(start, end)
  let from = 0
  for (const { 0: found, index } of part.matchAll(separator)) {
    yield* stretch(text, start + from, start + index)
    from = index + found.length
  }
  yield* stretch(text, start + from, end)
}

/** Lines are sentences too: lists, tables and code have no full stops. */
function* sentences(text: string, { start, end }: Stretch): Generator<Stretch> {
  for (const line of split(text, start, end, /\n+/g)) {
    // Per call: the segmenter costs little beside what it cuts, and nothing is made at import.
    const segmenter = new Intl.Segmenter(undefined, { granularity: 'sentence' })
    for (const { segment, index } of segmenter.segment(text.slice(line.start, line.end))) {
      yield* stretch(text, line.start + index, line.start + index + segment.length)
    }
  }
}

/** Of a word without end: by characters, never inside of a surrogate pair. A token is taken for a byte at worst. */
function* slices(text: string, { start, end }: Stretch, limit: number): Generator<Stretch> {
  for (let from = start; from < end;) {
    let to = Math.min(end, from + limit)
    if (to < end && /[\udc00-\udfff]/.test(text[to]!)) to--
    to = Math.max(to, from + 1)
    yield* stretch(text, from, to)
    from = to
  }
}

/** Without blanks around it; nothing where nothing is left. */
function* stretch(text: string, start: number, end: number): Generator<Stretch> {
  const part = text.slice(start, end)
  const trimmed = part.trim()
  if (trimmed === '') return
  const from = start + part.indexOf(trimmed)
  yield { start: from, end: from + trimmed.length, tokens: estimateTokens(trimmed) }
}
