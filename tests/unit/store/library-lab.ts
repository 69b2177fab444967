import * as fakes from 'fake-indexeddb'
import { vi } from 'vitest'
import { openIndexedDbModels } from '../../../src/store/indexed-db-models'
import { ModelLibrary, type LibraryModel, type OpenModelOptions } from '../../../src/store/model-library'
import type { ModelStorage } from '../../../src/store/model-storage'
import { OpfsModels } from '../../../src/store/opfs-models'
import type { StoreChannel } from '../../../src/store/store-channel'
import { MemoryFolder, type Disk, type MemoryFile } from './memory-file-system'

const silent = { tell: () => undefined, listen: () => () => undefined, close: () => undefined }

/** A library as a tab that was just opened has it. */
export function libraryOver(storage: ModelStorage): ModelLibrary {
  return new ModelLibrary(storage, silent as unknown as StoreChannel)
}

export function opfsOn(folder: MemoryFolder): ModelStorage {
  return new OpfsModels(folder as unknown as FileSystemDirectoryHandle)
}

export function newDisk(freeBytes = Infinity): { storage: ModelStorage; folder: MemoryFolder; disk: Disk } {
  const disk = { freeBytes }
  const folder = new MemoryFolder(disk)
  return { storage: opfsOn(folder), folder, disk }
}

export async function newIndexedDb(): Promise<ModelStorage> {
  for (const [name, value] of Object.entries(fakes)) if (name.startsWith('IDB')) vi.stubGlobal(name, value)
  vi.stubGlobal('indexedDB', new fakes.IDBFactory())
  return openIndexedDbModels()
}

/** The file of a model on a disk in memory. */
export async function fileOf(folder: MemoryFolder, key: string): Promise<MemoryFile> {
  return (await folder.getDirectoryHandle(key)).getFileHandle('model.gguf')
}

/** Whoever can't keep a model fails. */
export function options(more: Partial<OpenModelOptions> = {}): OpenModelOptions {
  return {
    signal: new AbortController().signal,
    onNotKept: (error) => {
      throw error
    },
    ...more,
  }
}

/** Front to back, in pieces of other sizes than the model has. */
export async function readAll({ source }: Pick<LibraryModel, 'source'>): Promise<Uint8Array> {
  const all = new Uint8Array(source.sizeBytes)
  for (let at = 0; at < all.length; at += 700) {
    const length = Math.min(700, all.length - at)
    all.set(await source.read(at, length), at)
  }
  return all
}

/** As createEngine() does. */
export async function load(
  storage: ModelStorage,
  url: string,
  more: Partial<OpenModelOptions> = {},
): Promise<Uint8Array> {
  const model = await libraryOver(storage).openUrl(url, options(more))
  try {
    const bytes = await readAll(model)
    await model.loaded()
    return bytes
  } finally {
    await model.close()
  }
}
