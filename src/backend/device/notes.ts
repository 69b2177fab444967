/** What is remembered of devices. Given by the platform; without it nothing is. What is read may be anything. */
export interface NoteStorage {
  read(key: string): Promise<unknown>
  write(key: string, note: unknown): Promise<void>
  delete(key: string): Promise<void>
}

/** What was found out about a GPU and a model. */
export interface DeviceNote {
  readonly verdict: 'refused' | 'late' | 'wasm' | 'webgpu'
  /** For people, a sentence. */
  readonly reason: string
  /** Milliseconds since 1970. */
  readonly at: number
}

const KEPT_MS: Readonly<Record<DeviceNote['verdict'], number>> = {
  refused: 7 * 86_400_000,
  // The device may just have been busy.
  late: 6 * 3_600_000,
  wasm: 30 * 86_400_000,
  webgpu: 30 * 86_400_000,
}

/**
 * The notes of one GPU, browser, model and number of threads. Storage that fails, as in private windows, is as good as
 * none: a device is then asked again.
 */
export class DeviceNotes {
  readonly #storage: NoteStorage | null
  readonly #key: string
  readonly #now: () => number

  /** @param key of everything the notes hold for: a new browser or driver is another device */
  constructor(storage: NoteStorage | null, key: readonly string[], now: () => number = () => Date.now()) {
    this.#storage = storage
    this.#key = key.join(' · ')
    this.#now = now
  }

  /** null where there is none, or it is too old. */
  async read(): Promise<DeviceNote | null> {
    const note = await this.#storage?.read(this.#key).catch(() => null)
    if (!isNote(note)) return null
    const age = this.#now() - note.at
    return age >= 0 && age < KEPT_MS[note.verdict] ? note : null
  }

  async write(verdict: DeviceNote['verdict'], reason: string): Promise<void> {
    const note: DeviceNote = { verdict, reason, at: this.#now() }
    await this.#storage?.write(this.#key, note).catch(() => undefined)
  }

  async forget(): Promise<void> {
    await this.#storage?.delete(this.#key).catch(() => undefined)
  }
}

function isNote(value: unknown): value is DeviceNote {
  if (typeof value !== 'object' || value === null) return false
  const { verdict, reason, at } = value as Partial<Record<keyof DeviceNote, unknown>>
  return (
    typeof verdict === 'string' && verdict in KEPT_MS && typeof reason === 'string' && typeof at === 'number'
  )
}
