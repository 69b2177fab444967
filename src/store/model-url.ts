import type { ByteSource } from '../contract/bytes'
import { chunkSource, type OpenChunk } from './chunk-source'
import type { OnDownloadProgress } from './download-progress'
import { absoluteUrl, httpGet, networkError } from './http'
import { parseManifest, type Manifest } from './manifest'

/** Far above any manifest: one chunk takes some 130 bytes of it. */
const maxManifestBytes = 16 * 2 ** 20

/** Opens a model by the URL of its manifest; chunks lie beside it and are fetched when they are read. */
export async function openModelUrl(
  manifestUrl: string,
  options: { signal?: AbortSignal | undefined; onProgress?: OnDownloadProgress | undefined } = {},
): Promise<{ manifest: Manifest; source: ByteSource }> {
  const url = absoluteUrl(manifestUrl)
  const manifest = await fetchManifest(url, options)
  return { manifest, source: chunkSource(manifest, urlChunks([url]), options) }
}

/** Rejects with 'network', or 'invalid-model' for what is no manifest. */
export async function fetchManifest(
  url: URL,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<Manifest> {
  const response = await getOk(url, { cache: 'no-cache', signal: signal ?? null })
  const declared = Number(response.headers.get('content-length') ?? Number.NaN)
  if (declared > maxManifestBytes) throw networkError(url, `the manifest has ${declared} bytes`)
  let json: string
  try {
    json = await response.text()
  } catch (cause) {
    signal?.throwIfAborted()
    throw networkError(url, 'the connection broke', cause)
  }
  return parseManifest(json)
}

/** Fetches chunks that lie beside one of several manifests: the first that answers; at a second attempt the last first. */
export function urlChunks(manifestUrls: readonly URL[]): OpenChunk {
  return async (chunk, { signal, fresh }) => {
    let failure: unknown
    for (const manifestUrl of fresh ? manifestUrls.toReversed() : manifestUrls) {
      try {
        const url = new URL(chunk.file, manifestUrl)
        const response = await getOk(url, { cache: fresh ? 'reload' : 'default', signal: signal ?? null })
        return response.body ?? new Blob([]).stream()
      } catch (error) {
        signal?.throwIfAborted()
        failure ??= error
      }
    }
    throw failure
  }
}

async function getOk(url: URL, init: RequestInit): Promise<Response> {
  const response = await httpGet(url, init)
  if (response.ok) return response
  await response.body?.cancel()
  throw networkError(url, `the server answered ${response.status} ${response.statusText}`)
}
