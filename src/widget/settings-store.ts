import { openDB, type IDBPDatabase } from 'idb'
import * as z from 'zod/mini'
import type { PolicyInput } from '../router/policy/schema'
import { SETTINGS_DATABASE } from './settings-database'

const dollars = z.number().check(z.minimum(0))

const remoteSchema = z.object({
  baseUrl: z.string(),
  model: z.string(),
  price: z.nullable(z.object({ inputPerMillion: dollars, outputPerMillion: dollars, date: z.string() })),
  /** Whether a key belongs to it; the key itself is somewhere else. */
  needsKey: z.boolean(),
})

const rowSchema = z.object({
  /** As it was written; checked when it is used. */
  policy: z.record(z.string(), z.unknown()),
  remote: z.nullable(remoteSchema),
  /** Only where the user ticked it. */
  key: z.nullable(z.string()),
})

/** The bigger model a user chose. */
export type RemoteChoice = z.infer<typeof remoteSchema>

export interface StoredSettings {
  readonly policy: PolicyInput
  readonly remote: RemoteChoice | null
  readonly key: string | null
}

const STORE = 'settings'
const ROW = 'current'

/** Keeps what a user chose on this device; in memory where there is no IndexedDB. */
export class SettingsStore {
  #memory: unknown = null
  #database: Promise<IDBPDatabase> | null = null

  /** null where nothing was saved, or what was saved cannot be read. */
  async load(): Promise<StoredSettings | null> {
    const row: unknown = await this.#open()
      .then((database): Promise<unknown> => database.get(STORE, ROW))
      .catch(() => this.#memory)
    const checked = rowSchema.safeParse(row)
    return checked.success ? checked.data : null
  }

  async save(settings: StoredSettings): Promise<void> {
    this.#memory = settings
    await this.#open()
      .then((database) => database.put(STORE, settings, ROW))
      .catch(() => undefined)
  }

  #open(): Promise<IDBPDatabase> {
    this.#database ??= openDB(SETTINGS_DATABASE, 1, {
      upgrade(database) {
        database.createObjectStore(STORE)
      },
    })
    return this.#database
  }
}
