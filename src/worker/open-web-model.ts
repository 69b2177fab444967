import { EngineError } from '../contract/error'
import { blobSource } from '../store/blob-source'
import { chunkSource, type ReadChunk } from '../store/chunk-source'
import { parseManifest } from '../store/manifest'
import type { OpenModel } from './open-engine'

export const openWebModel: OpenModel = async (model, { signal, onDownload }) => {
  const close = async (): Promise<void> => undefined
  if (model.kind === 'blob') {
    return { source: blobSource(model.blob), id: model.name.replace(/\.gguf$/, ''), close }
  }
  const response = await get(model.url, { signal })
  const manifest = parseManifest(await response.text())
  const readChunk: ReadChunk = async (chunk, { signal: chunkSignal, fresh, onBytes }) => {
    const chunkResponse = await get(new URL(chunk.file, model.url).href, {
      signal: chunkSignal ?? null,
      cache: fresh ? 'reload' : 'default',
    })
    const bytes = new Uint8Array(await chunkResponse.arrayBuffer())
    onBytes(bytes.length)
    return bytes
  }
  const source = chunkSource(manifest, readChunk, {
    onProgress: ({ file, loadedBytes, totalBytes }) => onDownload(file, loadedBytes, totalBytes),
  })
  return { source, id: manifest.id, close }
}

async function get(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init).catch((cause: unknown) => {
    init.signal?.throwIfAborted()
    throw new EngineError('network', `${url} could not be fetched`, { details: { url }, cause })
  })
  if (response.ok) return response
  throw new EngineError('network', `${url} was answered with ${response.status}`, {
    details: { url, status: response.status },
  })
}
