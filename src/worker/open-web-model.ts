import { blobSource } from '../store/blob-source'
import { HERE } from '../store/model-catalogue'
import { ModelLibrary, type LibraryModel } from '../store/model-library'
import { openModelUrl } from '../store/model-url'
import { openModelStorage } from '../store/open-model-storage'
import { urlSource } from '../store/url-source'
import type { OpenedModel, OpenModel } from './open-engine'

/** A Blob, or a URL: of a manifest or a folder that has one, of a model on this device, else of a GGUF file. */
export const openWebModel: OpenModel = async (model, options) => {
  const close = async (): Promise<void> => undefined
  if (model.kind === 'blob') return { source: blobSource(model.blob), id: nameOf(model.name), close }
  const { protocol, pathname } = new URL(model.url)
  const isHere = protocol === HERE
  if (!isHere && !pathname.endsWith('.json') && !pathname.endsWith('/')) {
    return { source: await urlSource(model.url, options), id: nameOf(pathname), close }
  }
  const url = pathname.endsWith('/') ? new URL('manifest.json', model.url).href : model.url
  const storage = options.cache === false && !isHere ? null : await openModelStorage()
  if (storage !== null) {
    const library = new ModelLibrary(storage)
    return opened(await (isHere ? library.openKey(pathname, options) : library.openUrl(url, options)))
  }
  const { manifest, source } = await openModelUrl(url, options)
  return { ...described(manifest), source, close }
}

function opened(model: LibraryModel): OpenedModel {
  return {
    ...described(model.manifest),
    source: model.source,
    loaded: () => model.loaded(),
    failed: (error) => model.failed(error),
    close: () => model.close(),
  }
}

function described({
  id,
  sha256,
  quantization,
  probe,
}: LibraryModel['manifest']): Pick<OpenedModel, 'id' | 'modelHash' | 'quantization' | 'probe'> {
  return { id, modelHash: sha256, quantization, probe }
}

/** 'model' of '/some/model.gguf'. */
function nameOf(path: string): string {
  return decodeURIComponent(path.slice(path.lastIndexOf('/') + 1)).replace(/\.gguf$/i, '')
}
