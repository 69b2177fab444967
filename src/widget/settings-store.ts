import { openDB, type IDBPDatabase } from 'idb'
import * as z from 'zod/mini'
import type { PolicyInput } from '../router/policy/schema'
import { parseCalibration, type Calibration } from '../router/calibration/schema'
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

const recalibrationSchema = z.object({
  /** Of all confidences, in log-odds; the sum of all recalibrations so far. */
  shift: z.number().check(z.minimum(-20), z.maximum(20)),
  /** Milliseconds since 1970: later judgements are not in it yet. */
  at: z.number(),
  /** Judgements in it. */
  answers: z.number(),
})

const calibrationRowSchema = z.object({
  calibration: z.nullable(z.unknown()),
  recalibration: z.nullable(recalibrationSchema),
})

/** What a user's own questions and judgements made of how sure answers are; of one model. */
export interface StoredCalibration {
  /** null: the one that ships with Minnow, if there is one for this model. */
  readonly calibration: Calibration | null
  readonly recalibration: z.infer<typeof recalibrationSchema> | null
}

const STORE = 'settings'
const ROW = 'current'
const CALIBRATIONS = 'calibrations'

/** Keeps what a user chose on this device; in memory where there is no IndexedDB. */
export class SettingsStore {
  #memory: unknown = null
  readonly #calibrations = new Map<string, StoredCalibration>()
  #database: Promise<IDBPDatabase> | null = null
  /** Says to other tabs that settings were saved, and no more. */
  readonly #channel = new BroadcastChannel(SETTINGS_DATABASE)

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
      .then(() => this.#channel.postMessage(null))
      .catch(() => undefined)
  }

  /** Calls back whenever another tab has saved settings. */
  onSavedElsewhere(listener: () => void): void {
    this.#channel.addEventListener('message', listener)
  }

  /** Of the model with this hash. What cannot be read, or is another model's, is none. */
  async calibrationOf(modelHash: string | undefined): Promise<StoredCalibration> {
    const none = { calibration: null, recalibration: null }
    if (modelHash === undefined) return none
    const row: unknown = await this.#open()
      .then((database): Promise<unknown> => database.get(CALIBRATIONS, modelHash))
      .catch(() => this.#calibrations.get(modelHash))
    const checked = calibrationRowSchema.safeParse(row)
    if (!checked.success) return none
    const { calibration, recalibration } = checked.data
    try {
      const own = calibration === null ? null : parseCalibration(calibration)
      if (own === null || own.model.hash === modelHash) return { calibration: own, recalibration }
    } catch {
      // Of an older version, or broken: Minnow's own holds.
    }
    return none
  }

  /** With nothing in it, it is deleted. */
  async saveCalibration(modelHash: string, stored: StoredCalibration): Promise<void> {
    const isNone = stored.calibration === null && stored.recalibration === null
    if (isNone) this.#calibrations.delete(modelHash)
    else this.#calibrations.set(modelHash, stored)
    await this.#open()
      .then(async (database) => {
        if (isNone) await database.delete(CALIBRATIONS, modelHash)
        else await database.put(CALIBRATIONS, stored, modelHash)
      })
      .catch(() => undefined)
  }

  #open(): Promise<IDBPDatabase> {
    this.#database ??= openDB(SETTINGS_DATABASE, 2, {
      upgrade(database) {
        for (const store of [STORE, CALIBRATIONS]) {
          if (!database.objectStoreNames.contains(store)) database.createObjectStore(store)
        }
      },
      // A newer version in another tab waits for this one otherwise.
      blocking: () => {
        void this.#database?.then((database) => database.close())
        this.#database = null
      },
    })
    return this.#database
  }
}
