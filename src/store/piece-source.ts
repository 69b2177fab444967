import { EngineError } from '../contract/error'
import { httpGet, networkError } from './http'
import type { Piece } from './pieces'
import { StreamReader } from './stream-reader'

/** Where pieces of a model come from, unverified. */
export interface PieceSource {
  readonly url: URL
  /**
   * Begins to get pieces `first` to `last`, which lie in one chunk, one after the other without gaps. What follows them in the
   * stream is nobody's. `fresh` goes past caches, which may hold damaged bytes. Rejects with 'network'.
   */
  open(first: Piece, last: Piece, options: { signal: AbortSignal; fresh: boolean }): Promise<StreamReader>
}

/** Chunks beside a manifest; or, by the URL of anything but JSON, the model's file as a whole. */
export function pieceSource(url: URL): PieceSource {
  const isWhole = !url.pathname.endsWith('.json')
  return {
    url,
    async open(first, last, options) {
      const from = isWhole ? first.offset : first.from
      const end = isWhole ? last.offset + last.sizeBytes : last.from + last.sizeBytes
      const file = isWhole ? url : new URL(first.chunk.file, url)
      const isPart = isWhole || from > 0 || end < first.chunk.sizeBytes
      return openRange(file, from, isPart ? end : null, options)
    },
  }
}

/** Bytes from `from` on; a server without ranges is asked for all, and what comes before is thrown away. */
async function openRange(
  url: URL,
  from: number,
  end: number | null,
  { signal, fresh }: { signal: AbortSignal; fresh: boolean },
): Promise<StreamReader> {
  // What is kept here needs no second place in the browser's cache.
  const init: RequestInit = { signal, cache: fresh ? 'reload' : 'no-store' }
  const range = end === null ? null : `bytes=${from}-${end - 1}`
  let response = await httpGet(url, range === null ? init : { ...init, headers: { range } })
  if (response.status === 206 && !startsAt(response, from)) {
    await response.body?.cancel()
    response = await httpGet(url, init)
  }
  if (response.status !== 206 && response.status !== 200) {
    await response.body?.cancel()
    throw statusError(url, response)
  }
  const reader = new StreamReader(response.body ?? new Blob([]).stream())
  try {
    if (response.status === 200) await skip(reader, from)
    return reader
  } catch (cause) {
    signal.throwIfAborted()
    throw networkError(url, 'the connection broke', cause)
  }
}

/** Whether a partial answer is the one asked for, as far as it tells: other origins may hide the header. */
function startsAt(response: Response, from: number): boolean {
  if (response.headers.has('content-encoding')) return false
  const [, start] = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '') ?? []
  return start === undefined || Number(start) === from
}

async function skip(reader: StreamReader, count: number): Promise<void> {
  let buffer: ArrayBuffer = new ArrayBuffer(Math.min(count, 2 ** 16))
  for (let left = count; left > 0;) {
    const bytes = await reader.read(buffer, Math.min(left, buffer.byteLength))
    if (bytes.length === 0) return
    left -= bytes.length
    buffer = bytes.buffer
  }
}

function statusError(url: URL, { status, statusText }: Response): EngineError {
  const { code, message, details } = networkError(url, `the server answered ${status} ${statusText}`)
  return new EngineError(code, message, { details: { ...details, status } })
}
