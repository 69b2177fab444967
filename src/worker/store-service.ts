import { EngineError } from '../contract/error'
import type { ModelUpdate } from '../contract/model-store'
import { blobSource } from '../store/blob-source'
import type { DownloadProgress } from '../store/download-progress'
import { absoluteUrl } from '../store/http'
import {
  deleteModel,
  describeModel,
  describeRoom,
  exportModel,
  listModels,
  storedModel,
} from '../store/model-catalogue'
import { ModelLibrary } from '../store/model-library'
import type { ModelStorage } from '../store/model-storage'
import { findUpdate } from '../store/versions'
import { urlSource } from '../store/url-source'
import type { ModelReference, StoreInput, StoreMessage, StoreRequest, StoreResults } from './api'
import { errorToData } from './error-data'
import { importModel } from './import-model'
import { PageFetch } from './page-fetch'

/** Answers requests about the models on this device, one message port a request. */
export function createStoreService(
  openStorage: () => Promise<ModelStorage | null>,
): (request: StoreRequest, port: MessagePort) => Promise<void> {
  let library: Promise<ModelLibrary | null> | null = null
  const open = async (): Promise<ModelLibrary | null> => {
    library ??= openStorage().then((storage) => storage && new ModelLibrary(storage))
    return library
  }
  return async (request, port) => {
    const send = (message: StoreMessage): void => port.postMessage(message)
    const controller = new AbortController()
    const pageFetch = new PageFetch(send)
    port.onmessage = ({ data }: MessageEvent<StoreInput>) => {
      if (data.type === 'fetched') pageFetch.answered(data)
      else controller.abort(new EngineError('aborted', 'Cancelled by the client.'))
    }
    try {
      const { signal } = controller
      const result = await answer(await open(), request, { send, pageFetch, signal })
      send({ type: 'done', result })
    } catch (error) {
      send({ type: 'failed', error: errorToData(error) })
    } finally {
      port.close()
    }
  }
}

interface Context {
  send(message: StoreMessage): void
  pageFetch: PageFetch
  signal: AbortSignal
}

async function answer(
  library: ModelLibrary | null,
  request: StoreRequest,
  { send, pageFetch, signal }: Context,
): Promise<StoreResults[StoreRequest['type']]> {
  if (request.type === 'describe') return describeModel(library, request.url, signal)
  if (request.type === 'room') return describeRoom(library)
  if (library === null) {
    if (request.type === 'list') return []
    throw new EngineError('unsupported', 'This browser keeps no models here. Leave private browsing.')
  }
  const onProgress = (progress: DownloadProgress): void => {
    const { file, loadedBytes, totalBytes } = progress
    const fraction = totalBytes === 0 ? 0 : loadedBytes / totalBytes
    send({ type: 'progress', progress: { phase: 'download', file, loadedBytes, totalBytes, fraction } })
  }
  switch (request.type) {
    case 'list':
      return listModels(library)
    case 'delete':
      return deleteModel(library, request.key).then(() => null)
    case 'export':
      return exportModel(library, request.key)
    case 'check':
      return updateOf(await findUpdate(library.records, request.key, signal))
    case 'update':
      return storedModel(library, await library.update(request.key, { signal, onProgress }))
    case 'import': {
      const { source, fileName, from } = await openSource(request.model, pageFetch, signal)
      const key = await importModel(library, source, { fileName, from, signal, onProgress })
      return storedModel(library, key)
    }
  }
}

function updateOf(found: Awaited<ReturnType<typeof findUpdate>>): ModelUpdate | null {
  if (found === null) return null
  const { sha256, name, sizeBytes } = found.manifest
  return { sha256, name, sizeBytes }
}

async function openSource(
  model: ModelReference,
  pageFetch: PageFetch,
  signal: AbortSignal,
): Promise<
  Pick<Parameters<typeof importModel>[2], 'fileName' | 'from'> & { source: Parameters<typeof importModel>[1] }
> {
  if (model.kind === 'blob') return { source: blobSource(model.blob), fileName: model.name, from: null }
  const url = fileUrl(absoluteUrl(model.url))
  const source = await urlSource(url.href, { signal, get: pageFetch.get })
  const { version, sizeBytes, ranges } = source
  const fileName = decodeURIComponent(url.pathname.slice(url.pathname.lastIndexOf('/') + 1))
  const from = ranges && version !== null ? { url: url.href, version, sizeBytes } : null
  return { source, fileName, from }
}

/** Pages about a file on Hugging Face show it; the file itself lies at `resolve`. */
function fileUrl(url: URL): URL {
  if (url.hostname !== 'huggingface.co' && url.hostname !== 'hf.co') return url
  const file = new URL(url)
  file.pathname = file.pathname.replace(/^(\/[^/]+\/[^/]+)\/blob\//, '$1/resolve/')
  return file
}
