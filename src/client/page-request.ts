import type { LoadProgress } from '../contract/engine'
import type { FetchedMessage, StoreMessage } from '../worker/api'

/**
 * Asks for a URL for the worker, whose policy may not let it ask other origins. Tells how far it is where the server
 * sends the whole file at once.
 */
export async function requestForWorker(
  { id, url, method, range }: Extract<StoreMessage, { type: 'fetch' }>,
  {
    signal,
    onProgress,
  }: { signal?: AbortSignal | undefined; onProgress?: ((progress: LoadProgress) => void) | undefined } = {},
): Promise<FetchedMessage> {
  try {
    const response = await fetch(url, {
      method,
      headers: range === null ? {} : { range },
      signal: signal ?? null,
    })
    const { status, statusText, headers } = response
    const isWhole = method === 'GET' && status === 200
    const body = await (isWhole ? counted(response, url, onProgress) : response).blob()
    return { type: 'fetched', id, status, statusText, headers: [...headers], body }
  } catch (error) {
    return { type: 'fetched', id, failure: error instanceof Error ? error.message : String(error) }
  }
}

/** The same answer; `onProgress` hears of each part of its body that comes. */
function counted(
  response: Response,
  file: string,
  onProgress: (progress: LoadProgress) => void = () => undefined,
): Response {
  const totalBytes = Number(response.headers.get('content-length') ?? 0)
  // What is compressed has another length.
  if (response.body === null || totalBytes === 0 || response.headers.has('content-encoding')) return response
  let loadedBytes = 0
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(part, controller) {
      loadedBytes += part.length
      onProgress({ phase: 'download', file, loadedBytes, totalBytes, fraction: loadedBytes / totalBytes })
      controller.enqueue(part)
    },
  })
  return new Response(response.body.pipeThrough(counter))
}
