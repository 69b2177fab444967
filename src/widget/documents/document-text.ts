/** Kinds of files that are read. All but PDF are text in the file already. */
export type DocumentKind = 'text' | 'markdown' | 'html' | 'pdf'

/** A title in a document's text. */
export interface Heading {
  /** Index of its first character in the text. */
  readonly at: number
  /** Index behind its last character; what follows belongs to it. */
  readonly end: number
  /** 1…6, 1 is the topmost. */
  readonly level: number
  readonly title: string
}

/** What was read of a file: text, and where its parts begin. Nothing in it is ever run, rendered or fetched. */
export interface DocumentText {
  readonly kind: DocumentKind
  readonly text: string
  /** In the order of the text. */
  readonly headings: readonly Heading[]
  /** Index at which each page begins; empty where there are no pages. */
  readonly pageStarts: readonly number[]
}

/** A document on this device. */
export interface StoredDocument extends DocumentText {
  readonly id: string
  readonly conversationId: string
  /** The file's name. */
  readonly name: string
  readonly sizeBytes: number
  /** When it was added, milliseconds since 1970. */
  readonly at: number
}

/** What a document may be at most; beyond it reading stops with an error. */
export interface DocumentLimits {
  readonly fileBytes: number
  /** Characters (UTF-16 units) of text. */
  readonly characters: number
  readonly pages: number
}

export const DOCUMENT_LIMITS: DocumentLimits = {
  fileBytes: 32 * 2 ** 20,
  characters: 2_000_000,
  pages: 1000,
}

/** Page, from 1, of a place in the text; null where there are no pages. */
export function pageAt(pageStarts: readonly number[], at: number): number | null {
  if (pageStarts.length === 0) return null
  let low = 0
  let high = pageStarts.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (pageStarts[middle]! <= at) low = middle + 1
    else high = middle
  }
  return Math.max(1, low)
}
