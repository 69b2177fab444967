import { EngineError } from '../contract/error'
import type { TakeBuffer } from './windowed-source'

/** The page's address, in a page or a worker; undefined in Node, where addresses must be whole. */
export function absoluteUrl(url: string): URL {
  const base = 'location' in globalThis ? globalThis.location.href : undefined
  if (URL.canParse(url, base)) return new URL(url, base)
  throw new EngineError('invalid-argument', `"${url}" is no URL. Give one that starts with https://.`)
}

/** fetch() whose every failure is an EngineError 'network', or the signal's reason. */
export async function httpGet(
  url: URL,
  init: RequestInit & { signal?: AbortSignal | null } = {},
): Promise<Response> {
  try {
    return await fetch(url, init)
  } catch (cause) {
    init.signal?.throwIfAborted()
    throw networkError(url, cause instanceof Error ? cause.message : String(cause), cause)
  }
}

export function networkError(url: URL, problem: string, cause?: unknown): EngineError {
  return new EngineError(
    'network',
    `${url.href}: ${problem}. Check the address and the connection; try again.`,
    {
      details: { url: url.href },
      cause,
    },
  )
}

/**
 * The body of an answer that should have `sizeBytes`: what came where it is shorter. It lies on what `take` gives, or
 * on what that was transferred to: streams of bytes are read straight into it.
 * @throws EngineError 'integrity' as soon as there is more, 'network' where the connection breaks.
 */
export async function readBody(
  response: Response,
  url: URL,
  sizeBytes: number,
  options: {
    take: TakeBuffer
    signal?: AbortSignal | undefined
    onBytes?: (loadedBytes: number) => void
  },
): Promise<Uint8Array<ArrayBuffer>> {
  const { body } = response
  if (body === null) return new Uint8Array(0)
  const into = await options.take().catch(async (error: unknown) => {
    await body.cancel()
    throw error
  })
  let loadedBytes = 0
  const onBytes = (count: number): void => {
    loadedBytes += count
    options.onBytes?.(loadedBytes)
  }
  try {
    const reader = byteReader(body)
    const bytes =
      reader === null
        ? await readPieces(body.getReader(), into, sizeBytes, onBytes)
        : await readBytes(reader, into, sizeBytes, onBytes)
    if (bytes !== null) return bytes
  } catch (cause) {
    options.signal?.throwIfAborted()
    throw networkError(url, `the connection broke after ${loadedBytes} of ${sizeBytes} bytes`, cause)
  }
  throw new EngineError(
    'integrity',
    `${url.href} gave more than the ${sizeBytes} bytes it should have. Another file lies there; get the model again.`,
    { details: { url: url.href, expected: sizeBytes } },
  )
}

/** A reader that fills buffers it is given; null where the stream is not one of bytes. */
function byteReader(body: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | null {
  try {
    return body.getReader({ mode: 'byob' })
  } catch {
    return null
  }
}

/** Null, and the rest cancelled, where there are more than `sizeBytes`. */
async function readBytes(
  reader: ReadableStreamBYOBReader,
  into: ArrayBuffer,
  sizeBytes: number,
  onBytes: (count: number) => void,
): Promise<Uint8Array<ArrayBuffer> | null> {
  // Each read takes the buffer away and gives a new one on the same memory.
  let buffer = into
  let at = 0
  while (at < sizeBytes) {
    const { done, value } = await reader.read(new Uint8Array(buffer, at, sizeBytes - at))
    if (value === undefined) throw new Error('the stream was cancelled')
    buffer = value.buffer
    if (done) return new Uint8Array(buffer, 0, at)
    at += value.length
    onBytes(value.length)
  }
  const { done } = await reader.read(new Uint8Array(1))
  if (done) return new Uint8Array(buffer, 0, at)
  await reader.cancel()
  return null
}

async function readPieces(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  into: ArrayBuffer,
  sizeBytes: number,
  onBytes: (count: number) => void,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const bytes = new Uint8Array(into, 0, sizeBytes)
  let at = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return bytes.subarray(0, at)
    if (at + value.length > sizeBytes) break
    bytes.set(value, at)
    at += value.length
    onBytes(value.length)
  }
  await reader.cancel()
  return null
}
