import { EngineError } from '../../contract/error'
import type { Backend, BackendSession } from '../backend'
import { isLoss, RecoveringSession } from './recovering-session'

/** A second loss within this time says that there will be a third. */
const REPEATED_WITHIN_MS = 60_000

export interface RecoveryOptions {
  /** What runs until it is lost. */
  readonly backend: Backend
  /** Opens the same on a new device. */
  readonly reopen: (signal: AbortSignal) => Promise<Backend>
  /** Opens what takes over where there is no new device, or it would not last. */
  readonly fallBack: (signal: AbortSignal) => Promise<Backend>
  /** Milliseconds of a monotonic clock. Default: `performance.now`. */
  readonly now?: () => number
}

/** A backend that outlives its device: its sessions go on where they were, on a new one or elsewhere. */
export interface RecoveringBackend extends Backend {
  /** What happened so far, in a sentence; empty: nothing. */
  readonly recovery: string
}

export function createRecoveringBackend(options: RecoveryOptions): RecoveringBackend {
  return new Recovering(options)
}

/** What the sessions need of their backend. */
export interface RecoveryOwner {
  /** What runs now; null while something else is sought. */
  readonly current: Backend | null
  /** Resolves with what runs as soon as something does. */
  live(): Promise<Backend>
  /** `backend` failed with `error`: something else is to run. @throws `error`, where no loss is to blame. */
  giveUp(backend: Backend, error: unknown): Promise<void>
  forget(session: RecoveringSession): void
}

class Recovering implements RecoveringBackend, RecoveryOwner {
  readonly #options: RecoveryOptions
  readonly #now: () => number
  readonly #sessions = new Set<RecoveringSession>()
  readonly #disposal = new AbortController()
  /** What ran last, for those who ask while something else is sought. */
  #facts: Pick<Backend, 'kind' | 'variant' | 'threads' | 'maxBatch' | 'weightsBytes'>
  #current: Backend | null
  #search: Promise<Backend> | null = null
  #lastLossMs = -Infinity
  #isGpu = true
  /** Why the last device is not used any more. */
  #lastWords = ''
  recovery = ''

  constructor(options: RecoveryOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#current = options.backend
    this.#facts = options.backend
  }

  get kind(): Backend['kind'] {
    return this.#facts.kind
  }

  get variant(): string {
    return this.#facts.variant
  }

  get threads(): number {
    return this.#facts.threads
  }

  get maxBatch(): number {
    return this.#facts.maxBatch
  }

  get weightsBytes(): number {
    return this.#facts.weightsBytes
  }

  get memoryBytes(): number {
    return this.#current?.memoryBytes ?? 0
  }

  get current(): Backend | null {
    return this.#current
  }

  createSession({ contextLength }: { contextLength: number }): BackendSession {
    this.#checkLive()
    const session = new RecoveringSession(this, contextLength)
    this.#sessions.add(session)
    return session
  }

  forget(session: RecoveringSession): void {
    this.#sessions.delete(session)
  }

  async live(): Promise<Backend> {
    this.#checkLive()
    if (this.#current !== null) return this.#current
    this.#search ??= this.#replace().finally(() => {
      this.#search = null
    })
    return this.#search
  }

  async giveUp(backend: Backend, error: unknown): Promise<void> {
    this.#checkLive()
    if (!isLoss(backend, error)) throw error
    if (backend !== this.#current) return
    const now = this.#now()
    this.#lastWords = error.message
    if (error.code === 'out-of-memory') {
      // A new device would have no more room.
      this.#isGpu = false
    } else if (now - this.#lastLossMs < REPEATED_WITHIN_MS) {
      this.#isGpu = false
      this.#lastWords += ' Twice within a minute.'
    }
    this.#lastLossMs = now
    this.#current = null
    backend.dispose()
  }

  dispose(): void {
    if (this.#disposal.signal.aborted) return
    this.#disposal.abort(new EngineError('disposed', 'The backend was disposed of; load the model again.'))
    for (const session of this.#sessions) session.dispose()
    this.#current?.dispose()
    this.#current = null
  }

  async #replace(): Promise<Backend> {
    const { reopen, fallBack } = this.#options
    let why = this.#lastWords
    if (this.#isGpu) {
      try {
        return this.#take(await reopen(this.#disposal.signal), `It goes on on a new device. ${why}`)
      } catch (error) {
        this.#checkLive()
        why += ` ${error instanceof Error ? error.message : String(error)}`
        this.#isGpu = false
      }
    }
    try {
      return this.#take(await fallBack(this.#disposal.signal), `WebAssembly took over. ${why}`)
    } catch (cause) {
      this.#checkLive()
      throw new EngineError('device-lost', `${why} WebAssembly can't take over: ${String(cause)}`, { cause })
    }
  }

  #take(backend: Backend, recovery: string): Backend {
    if (this.#disposal.signal.aborted) backend.dispose()
    this.#checkLive()
    this.#current = backend
    this.#facts = backend
    this.recovery = recovery
    return backend
  }

  #checkLive(): void {
    this.#disposal.signal.throwIfAborted()
  }
}
