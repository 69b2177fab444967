import type { ByteSource } from '../contract/bytes'
import { EngineError, isEngineError } from '../contract/error'
import { blobSource } from './blob-source'
import { DownloadTally, type OnDownloadProgress } from './download-progress'
import { absoluteUrl, httpGet, type HttpGet, networkError, readBody } from './http'
import { WindowedSource, type LoadWindow } from './windowed-source'

/** One request's range; one at a time is in memory. */
const windowBytes = 8 * 2 ** 20

export interface UrlSource extends ByteSource {
  /** False where the server gives no ranges: then the whole file was downloaded first, into a Blob. */
  readonly ranges: boolean
  /** What tells this version of the file from another; null where the server tells nothing. */
  readonly version: string | null
}

/**
 * A file at a URL, read in ranges as they are needed. Nothing verifies it beyond its size and its ETag, which must
 * stay the same; models with hashes come by a manifest. Rejects with 'network', or 'invalid-argument' for a bad URL.
 */
export async function urlSource(
  address: string,
  options: {
    signal?: AbortSignal | undefined
    onProgress?: OnDownloadProgress | undefined
    /** Default: httpGet. */
    get?: HttpGet
  } = {},
): Promise<UrlSource> {
  const url = absoluteUrl(address)
  const { signal, onProgress, get = httpGet } = options
  const probe = await get(url, { headers: { range: 'bytes=0-0' }, signal: signal ?? null })
  if (probe.status === 206) {
    // Ranges of a compressed answer would be ranges of the compressed bytes.
    const compressed = probe.headers.has('content-encoding')
    await probe.body?.cancel()
    const sizeBytes = compressed ? null : await sizeOf(probe, url, get, signal)
    if (sizeBytes !== null) return rangeSource(url, sizeBytes, versionOf(probe), get, onProgress)
    return wholeFile(await get(url, { signal: signal ?? null }), url, signal)
  }
  return wholeFile(probe, url, signal)
}

async function wholeFile(response: Response, url: URL, signal: AbortSignal | undefined): Promise<UrlSource> {
  if (response.status !== 200) {
    await response.body?.cancel()
    throw networkError(url, `the server answered ${response.status} ${response.statusText}`)
  }
  try {
    return { ...blobSource(await response.blob()), ranges: false, version: versionOf(response) }
  } catch (cause) {
    signal?.throwIfAborted()
    throw networkError(url, 'the connection broke', cause)
  }
}

/** Of the whole file. Content-Range is hidden from other origins unless exposed; HEAD's Content-Length is not. */
async function sizeOf(
  probe: Response,
  url: URL,
  get: HttpGet,
  signal: AbortSignal | undefined,
): Promise<number | null> {
  const [, total] = /^bytes 0-0\/(\d+)$/.exec(probe.headers.get('content-range') ?? '') ?? []
  if (total !== undefined) return Number(total)
  const head = await get(url, { method: 'HEAD', signal: signal ?? null })
  const length = head.headers.get('content-length')
  return head.ok && length !== null && !head.headers.has('content-encoding') ? Number(length) : null
}

/** What tells one version of the file from another; null where the server, or its CORS headers, tell nothing. */
function versionOf(response: Response): string | null {
  return response.headers.get('etag') ?? response.headers.get('last-modified')
}

function rangeSource(
  url: URL,
  sizeBytes: number,
  version: string | null,
  get: HttpGet,
  onProgress: OnDownloadProgress | undefined,
): UrlSource {
  const count = Math.ceil(sizeBytes / windowBytes)
  const sizes = Array.from({ length: count }, (_, index) =>
    Math.min(windowBytes, sizeBytes - index * windowBytes),
  )
  const tally = new DownloadTally(sizes, onProgress)

  const load: LoadWindow = async (index, take, signal) => {
    const size = sizes[index]!
    const first = index * windowBytes
    const range = `bytes=${first}-${first + size - 1}`
    const attempt = async (): Promise<Uint8Array<ArrayBuffer>> => {
      const response = await get(url, { headers: { range }, signal: signal ?? null })
      if (response.status !== 206) {
        await response.body?.cancel()
        throw networkError(url, `the server answered ${response.status} to a request for ${range}`)
      }
      const got = versionOf(response)
      if (version !== null && got !== null && got !== version) {
        await response.body?.cancel()
        throw changed(url, version, got)
      }
      const onBytes = (loadedBytes: number): void => tally.report(index, loadedBytes, url.href)
      const bytes = await readBody(response, url, size, { take, signal, onBytes })
      if (bytes.length !== size) throw networkError(url, `${range} gave ${bytes.length} bytes`)
      return bytes
    }
    try {
      return await attempt()
    } catch (error) {
      signal?.throwIfAborted()
      if (!isEngineError(error, 'network')) throw error
      return attempt()
    }
  }
  const source = new WindowedSource(sizes, load)
  return { sizeBytes, ranges: true, version, read: async (...range) => source.read(...range) }
}

function changed(url: URL, expected: string, got: string): EngineError {
  return new EngineError(
    'integrity',
    `${url.href} changed while it was read (from ${expected} to ${got}). Load the model again.`,
    { details: { url: url.href, expected, got } },
  )
}
