import { cleanText } from './clean-text'
import { documentError } from './document-error'
import type { DocumentLimits, DocumentText } from './document-text'

/** The part of pdfjs-dist that is used. */
export type PdfLibrary = Pick<typeof import('pdfjs-dist'), 'getDocument' | 'PDFWorker'>
type TextItem = import('pdfjs-dist/types/src/display/api').TextItem

/**
 * The text of a PDF, page by page. The file is parsed in a worker of its own, which ends with it; no fonts, scripts, forms or
 * pictures of it are used, and nothing is compiled from it.
 * @param bytes are given away to the worker
 * @throws EngineError 'invalid-argument' whose `details.reason` says why; `signal.reason`
 */
export async function readPdf(
  pdf: PdfLibrary,
  worker: Worker | null,
  bytes: Uint8Array,
  {
    limits,
    signal,
    onPage,
  }: {
    limits: DocumentLimits
    signal?: AbortSignal | undefined
    onPage?: ((done: number, of: number) => void) | undefined
  },
): Promise<DocumentText> {
  signal?.throwIfAborted()
  const handle = worker === null ? null : pdf.PDFWorker.create({ port: worker })
  const task = pdf.getDocument({
    data: bytes,
    ...(handle === null ? {} : { worker: handle }),
    isEvalSupported: false,
    enableXfa: false,
    disableFontFace: true,
    useSystemFonts: false,
    stopAtErrors: false,
    verbosity: 0,
  })
  // Ends the wait of every call below.
  const onAbort = (): void => void task.destroy()
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    const opened = await task.promise
    if (opened.numPages > limits.pages) {
      throw documentError(
        'too-many-pages',
        `The PDF has ${opened.numPages} pages; at most ${limits.pages} are read. Split it.`,
      )
    }
    const pageStarts: number[] = []
    let text = ''
    for (let number = 1; number <= opened.numPages; number++) {
      const page = await opened.getPage(number)
      const { items } = await page.getTextContent()
      page.cleanup()
      signal?.throwIfAborted()
      const written = cleanText(paragraphsOf(items.filter((item): item is TextItem => 'str' in item))).trim()
      if (text !== '' && written !== '') text += '\n\n'
      pageStarts.push(text.length)
      text += written
      if (text.length > limits.characters) {
        throw documentError(
          'too-large',
          `The PDF has more than ${limits.characters} characters of text by page ${number}. Split it.`,
        )
      }
      onPage?.(number, opened.numPages)
    }
    return { kind: 'pdf', text, headings: [], pageStarts }
  } catch (error) {
    signal?.throwIfAborted()
    throw faultOf(error)
  } finally {
    signal?.removeEventListener('abort', onAbort)
    await task.destroy().catch(() => undefined)
    handle?.destroy()
    worker?.terminate()
  }
}

/** Lines of a page, with an empty line where the gap between two is larger than within a paragraph. */
function paragraphsOf(items: readonly TextItem[]): string {
  let text = ''
  let line = ''
  let lastY: number | null = null
  let lastHeight = 0
  const endLine = (gap: string): void => {
    // A word that was cut at the end of its line.
    if (gap === '\n' && /\p{Ll}-$/u.test(line)) text += line.slice(0, -1)
    else text += line + gap
    line = ''
  }
  for (const { str, hasEOL, transform, height } of items) {
    const y = Number(transform[5])
    if (str.trim() !== '' && line === '') {
      const isFar = lastY !== null && Math.abs(lastY - y) > 1.7 * Math.max(height, lastHeight, 1)
      if (isFar && text !== '') text = `${text.trimEnd()}\n\n`
    }
    if (str.trim() !== '') {
      lastY = y
      lastHeight = height
    }
    line += str
    if (hasEOL) endLine('\n')
  }
  endLine('')
  return text
}

function faultOf(error: unknown): unknown {
  const name = error instanceof Error ? error.name : ''
  if (name === 'EngineError') return error
  if (name === 'PasswordException') {
    return documentError('password', 'The PDF is protected by a password. Save it without one, and add that.')
  }
  const said = error instanceof Error ? error.message : String(error)
  return documentError(
    'broken',
    `The PDF cannot be read (${said}). It may be damaged: open and save it anew.`,
    error,
  )
}
