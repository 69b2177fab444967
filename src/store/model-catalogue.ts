import { EngineError } from '../contract/error'
import type { ModelDescription, StorageRoom, StoredModel } from '../contract/model-store'
import { absoluteUrl } from './http'
import { lockOf, takeFreeLock } from './model-lock'
import type { ModelLibrary } from './model-library'
import type { ModelRecord } from './model-record'
import { fetchManifest } from './model-url'
import { piecesOf } from './pieces'
import { roomHere } from './room'
import { chooseVersion } from './versions'

/** The scheme of URLs that name a model on this device by its key. */
export const HERE = 'minnow-model:'

/** All models, newest first. What is left of imports that were broken off goes. */
export async function listModels(library: ModelLibrary): Promise<StoredModel[]> {
  const models: StoredModel[] = []
  for (const [key, record] of await library.records.all()) {
    if (record.imported && !record.complete && record.from === null) {
      const giveBack = await takeFreeLock(lockOf(key))
      if (giveBack !== null) await library.records.delete(key).finally(giveBack)
    } else models.push(await describeStored(library, key, record))
  }
  return models.toSorted((a, b) => b.addedAt - a.addedAt)
}

/** Rejects with 'invalid-argument' where there is none. */
export async function storedModel(library: ModelLibrary, key: string): Promise<StoredModel> {
  const record = await library.records.get(key)
  if (record === null) throw noSuchModel(key)
  return describeStored(library, key, record)
}

async function describeStored(
  { storage }: ModelLibrary,
  key: string,
  record: ModelRecord,
): Promise<StoredModel> {
  const { manifest, complete, state, sources, imported, addedAt, lastUsedAt, update } = record
  const { id, name, quantization, licence, sha256, sizeBytes } = manifest
  let storedBytes = sizeBytes
  if (!complete) {
    const pieces = piecesOf(manifest)
    const held = await storage.held(key, pieces.length)
    storedBytes = pieces.reduce((sum, piece) => sum + held[piece.index]! * piece.sizeBytes, 0)
  }
  return {
    key,
    url: `${HERE}${key}`,
    name,
    id,
    quantization,
    licence,
    sha256,
    sizeBytes,
    storedBytes,
    isComplete: complete,
    state,
    sources,
    isImported: imported,
    addedAt,
    lastUsedAt,
    update,
  }
}

/** What lies at the URL of a manifest, or of a model on this device. `library` is null where nothing can be kept. */
export async function describeModel(
  library: ModelLibrary | null,
  address: string,
  signal: AbortSignal,
): Promise<ModelDescription> {
  const url = absoluteUrl(address)
  if (library !== null && url.protocol === HERE) return storedModel(library, url.pathname)
  const records = (await library?.records.all()) ?? new Map<string, ModelRecord>()
  const partial = [...records].find(([, { sources }]) => sources.includes(url.href))?.[0]
  const key = chooseVersion(records, url.href)?.key ?? partial
  if (library !== null && key !== undefined) return storedModel(library, key)
  const { name, licence, sizeBytes, sha256 } = await fetchManifest(url, { signal })
  const isComplete = library !== null && (await library.records.keyOf(sha256)) !== null
  return { name, licence, sizeBytes, storedBytes: isComplete ? sizeBytes : 0, isComplete }
}

/** Rejects with 'storage-busy' while a tab gets or reads it. */
export async function deleteModel({ records }: ModelLibrary, key: string): Promise<void> {
  const giveBack = await takeFreeLock(lockOf(key))
  if (giveBack === null) {
    throw new EngineError('storage-busy', 'This model is being downloaded. Stop that first.', {
      details: { key },
    })
  }
  await records.delete(key).finally(giveBack)
}

/** Rejects with 'invalid-argument' where it is not here whole. */
export async function exportModel({ records, storage }: ModelLibrary, key: string): Promise<File> {
  const record = await records.get(key)
  if (record?.complete !== true) throw noSuchModel(key)
  return new File([await storage.toBlob(key)], record.manifest.file, { type: 'application/octet-stream' })
}

export async function describeRoom(library: ModelLibrary | null): Promise<StorageRoom> {
  const models = library === null ? [] : await listModels(library)
  const room = await roomHere()
  return {
    kind: library?.storage.kind ?? null,
    modelBytes: models.reduce((sum, { storedBytes }) => sum + storedBytes, 0),
    usedBytes: room?.usedBytes ?? null,
    quotaBytes: room?.quotaBytes ?? null,
    isPersistent: room?.isPersistent ?? false,
  }
}

function noSuchModel(key: string): EngineError {
  return new EngineError('invalid-argument', `There is no whole model ${key} on this device.`, {
    details: { key },
  })
}
