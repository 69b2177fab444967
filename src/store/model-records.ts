import { takeLock } from './model-lock'
import { parseRecord, type ModelRecord } from './model-record'
import type { ModelStorage } from './model-storage'
import type { StoreChannel } from './store-channel'

type ChangeRecord = (record: ModelRecord | null) => ModelRecord | null

/** What is known of the models on this device. */
export class ModelRecords {
  readonly #storage: ModelStorage
  readonly #channel: StoreChannel
  #lastChange: Promise<void> = Promise.resolve()

  constructor(storage: ModelStorage, channel: StoreChannel) {
    this.#storage = storage
    this.#channel = channel
  }

  /** By key; what can't be read is left out. */
  async all(): Promise<Map<string, ModelRecord>> {
    const records = new Map<string, ModelRecord>()
    for (const key of await this.#storage.keys()) {
      const record = await this.get(key)
      if (record !== null) records.set(key, record)
    }
    return records
  }

  /** Which of all whole models is this file. */
  async keyOf(sha256: string): Promise<string | null> {
    for (const [key, { complete, manifest }] of await this.all()) {
      if (complete && manifest.sha256 === sha256) return key
    }
    return null
  }

  async get(key: string): Promise<ModelRecord | null> {
    return parseRecord(await this.#storage.readRecord(key))
  }

  /** `change` gives the new record, or null for none of it. Calls take turns, those of other tabs too. */
  async change(key: string, change: ChangeRecord): Promise<void> {
    const changed = this.#lastChange.then(() => this.#change(key, change))
    this.#lastChange = changed.catch(() => undefined)
    return changed
  }

  /** Changes a record that is there. */
  async update(key: string, fields: Partial<ModelRecord>): Promise<void> {
    await this.change(key, (record) => record && { ...record, ...fields })
  }

  /** Deletes a model. Rejects with 'storage-busy' while another tab has it open. */
  async delete(key: string): Promise<void> {
    await this.#storage.delete(key)
    this.#channel.tell({ type: 'changed' })
  }

  async #change(key: string, change: ChangeRecord): Promise<void> {
    const giveBack = await takeLock(`minnow-record-${key}`, new AbortController().signal)
    try {
      const changed = change(await this.get(key))
      if (changed !== null) await this.#storage.writeRecord(key, changed)
    } finally {
      giveBack()
    }
    this.#channel.tell({ type: 'changed' })
  }
}
