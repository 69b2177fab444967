import { openDB, type DBSchema, type IDBPDatabase } from 'idb'
import type { ModelStorage, PieceFile } from './model-storage'
import type { Piece } from './pieces'
import { writeFailure } from './storage-full'

interface ModelsSchema extends DBSchema {
  records: { key: string; value: unknown }
  /** By model and index of the piece: what is there is held. */
  pieces: { key: [model: string, index: number]; value: ArrayBuffer }
}

type ModelsDatabase = IDBPDatabase<ModelsSchema>

/** Rejects where the browser has no IndexedDB, or refuses it. */
export async function openIndexedDbModels(name = 'minnow-models'): Promise<ModelStorage> {
  const database = await openDB<ModelsSchema>(name, 1, {
    upgrade(created) {
      created.createObjectStore('records')
      created.createObjectStore('pieces')
    },
    // A newer version in another tab waits for this one otherwise.
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  })
  return new IndexedDbModels(database)
}

/** For browsers without an origin private file system: each piece is a row. */
class IndexedDbModels implements ModelStorage {
  readonly kind = 'indexed-db'
  readonly #database: ModelsDatabase

  constructor(database: ModelsDatabase) {
    this.#database = database
  }

  async keys(): Promise<string[]> {
    return this.#database.getAllKeys('records')
  }

  async readRecord(key: string): Promise<unknown> {
    return this.#database.get('records', key)
  }

  async writeRecord(key: string, record: unknown): Promise<void> {
    try {
      await this.#database.put('records', record, key)
    } catch (cause) {
      throw writeFailure(cause, JSON.stringify(record).length)
    }
  }

  async openFile(key: string, pieces: readonly Piece[]): Promise<PieceFile> {
    const held = await this.held(key, pieces.length)
    const database = this.#database
    return {
      held,
      async read({ index, sizeBytes }, into) {
        const found = await database.get('pieces', [key, index])
        if (found?.byteLength !== sizeBytes) return new Uint8Array(0)
        const bytes = new Uint8Array(into, 0, sizeBytes)
        bytes.set(new Uint8Array(found))
        return bytes
      },
      async write({ index }: Piece, bytes) {
        try {
          await database.put('pieces', bytes.slice().buffer, [key, index])
        } catch (cause) {
          throw writeFailure(cause, bytes.length)
        }
        held[index] = 1
      },
      async forget({ index }: Piece) {
        held[index] = 0
        await database.delete('pieces', [key, index])
      },
      close: () => undefined,
    }
  }

  async held(key: string, count: number): Promise<Uint8Array> {
    const held = new Uint8Array(count)
    for (const [, index] of await this.#database.getAllKeys('pieces', allOf(key))) {
      if (index < count) held[index] = 1
    }
    return held
  }

  async toBlob(key: string): Promise<Blob> {
    const parts: Blob[] = []
    // As Blobs one by one: the browser keeps those outside the heap.
    for (const id of await this.#database.getAllKeys('pieces', allOf(key))) {
      parts.push(new Blob([(await this.#database.get('pieces', id)) ?? new ArrayBuffer(0)]))
    }
    return new Blob(parts)
  }

  async delete(key: string): Promise<void> {
    const transaction = this.#database.transaction(['records', 'pieces'], 'readwrite')
    await Promise.all([
      transaction.objectStore('pieces').delete(allOf(key)),
      transaction.objectStore('records').delete(key),
      transaction.done,
    ])
  }
}

function allOf(key: string): IDBKeyRange {
  return IDBKeyRange.bound([key], [key, []])
}
