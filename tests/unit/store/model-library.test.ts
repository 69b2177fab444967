import * as fakes from 'fake-indexeddb'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { openIndexedDbModels } from '../../../src/store/indexed-db-models'
import { ModelLibrary, type LibraryModel, type OpenModelOptions } from '../../../src/store/model-library'
import type { ModelStorage } from '../../../src/store/model-storage'
import { OpfsModels } from '../../../src/store/opfs-models'
import type { StoreChannel } from '../../../src/store/store-channel'
import { ChunkServer, randomModel } from './chunk-server'
import { MemoryFolder } from './memory-file-system'

const silent = { tell: () => undefined, listen: () => () => undefined, close: () => undefined }

function libraryOver(storage: ModelStorage): ModelLibrary {
  return new ModelLibrary(storage, silent as unknown as StoreChannel)
}

let server: ChunkServer

beforeAll(() => {
  for (const [name, value] of Object.entries(fakes)) if (name.startsWith('IDB')) vi.stubGlobal(name, value)
})

beforeEach(async () => {
  server = await new ChunkServer(randomModel()).start()
})

afterEach(async () => {
  await server.stop()
})

function options(): OpenModelOptions {
  return {
    signal: new AbortController().signal,
    onNotKept: (error) => {
      throw error
    },
  }
}

async function readAll(model: LibraryModel): Promise<Uint8Array> {
  const { source } = model
  const all = new Uint8Array(source.sizeBytes)
  for (let at = 0; at < all.length; at += 700) {
    const length = Math.min(700, all.length - at)
    all.set(await source.read(at, length), at)
  }
  return all
}

const storages: Record<string, () => Promise<ModelStorage>> = {
  OPFS: async () => new OpfsModels(new MemoryFolder() as unknown as FileSystemDirectoryHandle),
  IndexedDB: async () => {
    vi.stubGlobal('indexedDB', new fakes.IDBFactory())
    return openIndexedDbModels()
  },
}

for (const [name, openStorage] of Object.entries(storages)) {
  describe(`models in ${name}`, () => {
    it('are downloaded once, then read without any request', async () => {
      const storage = await openStorage()
      const first = await libraryOver(storage).openUrl(server.manifestUrl, options())
      expect(await readAll(first)).toEqual(server.model.bytes)
      await first.loaded()
      await first.close()
      expect(server.sentBytes).toBe(server.model.bytes.length)
      await server.stop()

      const second = await libraryOver(storage).openUrl(server.manifestUrl, options())
      expect(second.manifest).toEqual(server.model.manifest)
      expect(await readAll(second)).toEqual(server.model.bytes)
      await second.loaded()
      await second.close()
      expect(server.sentBytes).toBe(server.model.bytes.length)
      await server.start()
    })
  })
}
