import { openDB, type IDBPDatabase } from 'idb'
import { TABLES, type RouterStorage } from './tables'

/**
 * Keeps rows in IndexedDB. Nothing leaves the device; `clear` deletes.
 * @param name of the database. Default 'minnow-router'.
 */
export async function openIndexedDbStorage(name = 'minnow-router'): Promise<RouterStorage> {
  const database: IDBPDatabase = await openDB(name, 1, {
    upgrade(opened) {
      for (const table of TABLES) opened.createObjectStore(table, { keyPath: 'id' }).createIndex('at', 'at')
    },
    // A newer version in another tab waits for this one otherwise.
    blocking() {
      database.close()
    },
  })
  return {
    async put(table, row) {
      await database.put(table, row)
    },
    get: (table, id) => database.get(table, id) as Promise<unknown>,
    async list(table, since) {
      const keys = await database.getAllKeysFromIndex(
        table,
        'at',
        since === undefined ? undefined : IDBKeyRange.lowerBound(since),
      )
      // One by one: getAll() rejects as a whole where one row cannot be read.
      const rows = await Promise.allSettled(keys.map((key) => database.get(table, key) as Promise<unknown>))
      return rows.flatMap((row) => (row.status === 'fulfilled' && row.value !== undefined ? [row.value] : []))
    },
    delete: (table, id) => database.delete(table, id),
    clear: (table) => database.clear(table),
    close: () => database.close(),
  }
}
