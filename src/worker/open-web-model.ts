import { blobSource } from '../store/blob-source'
import { openModelUrl } from '../store/model-url'
import { urlSource } from '../store/url-source'
import type { OpenModel } from './open-engine'

/** A Blob, or a URL: of a manifest or a folder that has one, else of a GGUF file. */
export const openWebModel: OpenModel = async (model, options) => {
  const close = async (): Promise<void> => undefined
  if (model.kind === 'blob') return { source: blobSource(model.blob), id: nameOf(model.name), close }
  const { pathname } = new URL(model.url)
  if (!pathname.endsWith('.json') && !pathname.endsWith('/')) {
    return { source: await urlSource(model.url, options), id: nameOf(pathname), close }
  }
  const url = pathname.endsWith('/') ? new URL('manifest.json', model.url).href : model.url
  const { manifest, source } = await openModelUrl(url, options)
  const { id, sha256, quantization, probe } = manifest
  return { source, id, modelHash: sha256, quantization, probe, close }
}

/** 'model' of '/some/model.gguf'. */
function nameOf(path: string): string {
  return decodeURIComponent(path.slice(path.lastIndexOf('/') + 1)).replace(/\.gguf$/i, '')
}
