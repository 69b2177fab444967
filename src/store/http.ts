import { EngineError } from '../contract/error'
import { readStream } from './stream-reader'
import type { TakeBuffer } from './windowed-source'

/** The page's address, in a page or a worker; undefined in Node, where addresses must be whole. */
export function absoluteUrl(url: string): URL {
  const base = 'location' in globalThis ? globalThis.location.href : undefined
  if (URL.canParse(url, base)) return new URL(url, base)
  throw new EngineError('invalid-argument', `"${url}" is no URL. Give one that starts with https://.`)
}

/** Asks for a URL; every failure is an EngineError 'network', or the signal's reason. */
export type HttpGet = (url: URL, init: RequestInit & { signal?: AbortSignal | null }) => Promise<Response>

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
    const bytes = await readStream(body, into, sizeBytes, onBytes)
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
