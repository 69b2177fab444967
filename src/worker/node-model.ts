import { stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EngineError } from '../contract/error'
import { openFileSource, openModelFolder } from '../store/node-file'
import type { OpenModel } from './open-engine'
import { openWebModel } from './open-web-model'

/** As a page does, and files and folders of this machine by their `file:` URL. */
export const openNodeModel: OpenModel = async (model, options) => {
  if (model.kind !== 'url' || !model.url.startsWith('file:')) return openWebModel(model, options)
  const path = fileURLToPath(model.url)
  const found = await stat(path).catch((cause: unknown) => {
    throw new EngineError('invalid-argument', `There is no model at ${path}. Check the path.`, { cause })
  })
  if (found.isDirectory() || basename(path) === 'manifest.json') {
    const { manifest, source } = await openModelFolder(found.isDirectory() ? path : dirname(path))
    const { id, sha256, quantization, probe } = manifest
    return { source, id, modelHash: sha256, quantization, probe, close: async () => undefined }
  }
  const source = await openFileSource(path)
  return { source, id: basename(path, '.gguf'), close: () => source.close() }
}
