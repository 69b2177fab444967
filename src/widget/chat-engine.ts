import type { Engine, EngineInfo, LoadProgress } from '../contract/engine'

export type EngineState =
  | { phase: 'loading'; progress: LoadProgress | null }
  | { phase: 'ready'; info: EngineInfo }
  | { phase: 'failed' }

export type OpenEngine = (options: {
  onProgress(progress: LoadProgress): void
  signal: AbortSignal
}) => Promise<Engine>

/** The engine of a chat: opened once, given up, opened again when it was lost. */
export class ChatEngine {
  readonly #open: OpenEngine
  readonly #onChange: (state: EngineState) => void
  #engine: Promise<Engine> | null = null
  #loading = new AbortController()

  constructor(open: OpenEngine, onChange: (state: EngineState) => void) {
    this.#open = open
    this.#onChange = onChange
  }

  /** The one that is there or on its way; null where none is wanted yet or it failed. */
  get current(): Promise<Engine> | null {
    return this.#engine
  }

  load(): Promise<Engine> {
    this.#engine ??= this.#load()
    return this.#engine
  }

  /** Gives it up, whether it is there or on its way. */
  drop(): void {
    this.#loading.abort()
    this.#engine?.then((engine) => engine.dispose()).catch(() => undefined)
    this.#engine = null
  }

  /** An engine whose worker died is of no more use: the next question opens a new one. */
  async dropLost(error: unknown): Promise<void> {
    if (!(error instanceof Error && 'code' in error && error.code === 'worker-lost')) return
    const lost = this.#engine
    if (lost === null) return
    this.#engine = null
    this.#onChange({ phase: 'failed' })
    await (await lost).dispose()
  }

  async #load(): Promise<Engine> {
    const { signal } = (this.#loading = new AbortController())
    this.#onChange({ phase: 'loading', progress: null })
    try {
      const engine = await this.#open({
        signal,
        onProgress: (progress) => {
          if (!signal.aborted) this.#onChange({ phase: 'loading', progress })
        },
      })
      if (!signal.aborted) this.#onChange({ phase: 'ready', info: engine.info })
      return engine
    } catch (error) {
      if (!signal.aborted) {
        this.#engine = null
        this.#onChange({ phase: 'failed' })
      }
      throw error
    }
  }
}
