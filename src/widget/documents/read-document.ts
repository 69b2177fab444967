import { cleanText } from './clean-text'
import { documentError } from './document-error'
import { DOCUMENT_LIMITS, type DocumentKind, type DocumentLimits, type DocumentText } from './document-text'
import { readMarkdown } from './read-markdown'

/** What a reader of PDFs needs of the page: the library and its worker, both loaded when the first PDF comes. */
export interface PdfOpener {
  (): Promise<{ library: import('./read-pdf').PdfLibrary; worker: Worker | null }>
}

export interface ReadOptions {
  openPdf: PdfOpener
  limits?: DocumentLimits
  signal?: AbortSignal
  /** 0…1, for kinds that take long. */
  onProgress?: (fraction: number) => void
}

/**
 * Reads a file as text.
 * @throws EngineError 'invalid-argument' whose `details.reason` is a `DocumentFault`; `signal.reason`
 */
export async function readDocument(file: File, options: ReadOptions): Promise<DocumentText> {
  const { openPdf, limits = DOCUMENT_LIMITS, signal, onProgress } = options
  signal?.throwIfAborted()
  if (file.size > limits.fileBytes) {
    const most = Math.floor(limits.fileBytes / 2 ** 20)
    throw documentError(
      'too-large',
      `${file.name} has ${(file.size / 2 ** 20).toFixed(0)} MiB; at most ${most} MiB are read. Split it.`,
    )
  }
  const bytes = new Uint8Array(await file.arrayBuffer())
  signal?.throwIfAborted()
  const kind = kindOf(file, bytes)
  if (kind === null) {
    throw documentError(
      'not-text',
      `${file.name} is no text, Markdown, HTML or PDF file. Save it as one of these, and add that.`,
    )
  }
  const read =
    kind === 'pdf'
      ? await readPdfFile(bytes, openPdf, limits, signal, onProgress)
      : await readText(decode(bytes, kind), kind, limits, file.name)
  signal?.throwIfAborted()
  if (read.text.trim() === '') {
    const hint = kind === 'pdf' ? ' It may be a scan: pictures are not read.' : ''
    throw documentError('no-text', `There is no text in ${file.name}.${hint}`)
  }
  return read
}

async function readPdfFile(
  bytes: Uint8Array,
  openPdf: PdfOpener,
  limits: DocumentLimits,
  signal: AbortSignal | undefined,
  onProgress: ((fraction: number) => void) | undefined,
): Promise<DocumentText> {
  const [{ readPdf }, { library, worker }] = await Promise.all([import('./read-pdf'), openPdf()])
  return readPdf(library, worker, bytes, {
    limits,
    signal,
    onPage: (done, of) => onProgress?.(done / of),
  })
}

async function readText(
  source: string,
  kind: Exclude<DocumentKind, 'pdf'>,
  limits: DocumentLimits,
  name: string,
): Promise<DocumentText> {
  // Markup counts as well: parsing it takes memory too.
  if (source.length > limits.characters * (kind === 'html' ? 4 : 1))
    throw tooLong(name, source.length, limits)
  let read: DocumentText
  if (kind === 'html') read = (await import('./read-html')).readHtml(source)
  else if (kind === 'markdown') read = readMarkdown(source)
  else read = { kind, text: cleanText(source), headings: [], pageStarts: [] }
  if (read.text.length > limits.characters) throw tooLong(name, read.text.length, limits)
  return read
}

function tooLong(name: string, length: number, { characters }: DocumentLimits): Error {
  return documentError(
    'too-large',
    `${name} has ${length} characters; at most ${characters} are read. Split it.`,
  )
}

/** What the bytes say comes before what the name says; null is none that is read. */
function kindOf({ name, type }: File, bytes: Uint8Array): DocumentKind | null {
  const start = String.fromCharCode(...bytes.subarray(0, 1024))
  if (start.includes('%PDF-')) return 'pdf'
  if (isBinary(bytes)) return null
  if (/\.pdf$/i.test(name) || type === 'application/pdf') return 'pdf'
  if (/\.(?:md|markdown|mdown|mkd)$/i.test(name) || type === 'text/markdown') return 'markdown'
  if (/\.(?:x?html?|xht)$/i.test(name) || /^(?:text\/html|application\/xhtml\+xml)/.test(type)) return 'html'
  if (/^\s*(?:<!--.*?-->\s*)?<(?:!doctype html|html)[\s>]/is.test(start.replace(/^ï»¿/, ''))) return 'html'
  return 'text'
}

/** Texts have no NUL, but in UTF-16, which begins with a mark. */
function isBinary(bytes: Uint8Array): boolean {
  if (utf16Of(bytes) !== null) return false
  return bytes.subarray(0, 65_536).includes(0)
}

function utf16Of([first, second]: Uint8Array): string | null {
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return first === 0xfe && second === 0xff ? 'utf-16be' : null
}

/** UTF-8 where it is, else what a page says of itself, else Windows-1252, in which every byte is something. */
function decode(bytes: Uint8Array, kind: DocumentKind): string {
  const marked = utf16Of(bytes)
  if (marked !== null) return new TextDecoder(marked).decode(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    const start = kind === 'html' ? String.fromCharCode(...bytes.subarray(0, 1024)) : ''
    const said = /<meta[^>]+charset\s*=\s*["']?\s*([\w-]+)/i.exec(start)?.[1]
    return decoderFor(said ?? 'windows-1252').decode(bytes)
  }
}

function decoderFor(label: string): TextDecoder {
  try {
    return new TextDecoder(label)
  } catch {
    return new TextDecoder('windows-1252')
  }
}
