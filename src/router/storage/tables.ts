/** What a router keeps on the device. */
export type TableName = 'ledger' | 'cache' | 'waiting' | 'people' | 'feedback' | 'consent'

export const TABLES: readonly TableName[] = ['ledger', 'cache', 'waiting', 'people', 'feedback', 'consent']

/** A row: structured-clone-safe, found by `id`, ordered by `at` (milliseconds since 1970). */
export interface Row {
  readonly id: string
  readonly at: number
}

/** Where rows are kept. What is read back is unknown: others may have written it. */
export interface RouterStorage {
  put(table: TableName, row: Row): Promise<void>
  get(table: TableName, id: string): Promise<unknown>
  /** Rows with `at` ≥ since, oldest first. A row that cannot be read is left out and does not take others with it. */
  list(table: TableName, since?: number): Promise<unknown[]>
  delete(table: TableName, id: string): Promise<void>
  /** Deletes all rows of a table. */
  clear(table: TableName): Promise<void>
  close(): void
}

/** Keeps rows in memory, as copies: for Node, for tests, and where a page must leave no trace. */
export function createMemoryStorage(): RouterStorage {
  const tables = new Map<TableName, Map<string, Row>>(TABLES.map((table) => [table, new Map()]))
  const rowsOf = (table: TableName): Map<string, Row> => tables.get(table)!
  return {
    put(table, row) {
      rowsOf(table).set(row.id, structuredClone(row))
      return Promise.resolve()
    },
    get: (table, id) => Promise.resolve(structuredClone(rowsOf(table).get(id))),
    list: (table, since = -Infinity) =>
      Promise.resolve(
        [...rowsOf(table).values()]
          .filter(({ at }) => at >= since)
          .toSorted((a, b) => a.at - b.at)
          .map((row) => structuredClone(row)),
      ),
    delete(table, id) {
      rowsOf(table).delete(id)
      return Promise.resolve()
    },
    clear(table) {
      rowsOf(table).clear()
      return Promise.resolve()
    },
    close() {},
  }
}
