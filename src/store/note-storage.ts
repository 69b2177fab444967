import { type IDBPDatabase, openDB } from 'idb'

const TABLE = 'notes'

/** Small notes on this device, in IndexedDB; every call rejects where the browser keeps none. */
export class NoteStorage {
  readonly #name: string
  #database: Promise<IDBPDatabase> | null = null

  constructor(name = 'minnow-devices') {
    this.#name = name
  }

  async read(key: string): Promise<unknown> {
    return (await this.#open()).get(TABLE, key) as Promise<unknown>
  }

  async write(key: string, note: unknown): Promise<void> {
    await (await this.#open()).put(TABLE, note, key)
  }

  async delete(key: string): Promise<void> {
    await (await this.#open()).delete(TABLE, key)
  }

  #open(): Promise<IDBPDatabase> {
    this.#database ??= openDB(this.#name, 1, {
      upgrade: (database) => void database.createObjectStore(TABLE),
      // A newer version in another tab waits for this one otherwise.
      blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
      terminated: () => {
        this.#database = null
      },
    })
    return this.#database
  }
}
