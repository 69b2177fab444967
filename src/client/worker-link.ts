import { wrap, type Endpoint, type Remote } from 'comlink'
import { EngineError } from '../contract/error'
import type { WorkerApi } from '../worker/api'

/** A worker of whichever platform, as the link needs it. */
export interface WorkerHandle {
  readonly endpoint: Endpoint
  /** Calls back at most once, when the worker fails or ends by itself; `reason` completes "the worker …". */
  onLost(listener: (reason: string) => void): void
  /** Ends the worker; null where the worker is the caller's own. */
  readonly terminate: (() => void) | null
  /** Whether the worker can hold a Web Lock by which its end is noticed. */
  readonly usesLifeLock: boolean
}

/**
 * The connection to one worker. Every call in flight is registered here and is rejected when the worker dies or
 * the engine is disposed of; comlink alone would leave it pending for ever.
 */
export class WorkerLink {
  readonly api: Remote<WorkerApi>
  /** Name of the lock the worker is asked to hold; null where there are no Web Locks. */
  readonly lifeLock: string | null
  readonly #handle: WorkerHandle
  readonly #pending = new Set<(error: EngineError) => void>()
  readonly #watch = new AbortController()
  #closed: EngineError | null = null

  constructor(handle: WorkerHandle) {
    this.#handle = handle
    this.api = wrap<WorkerApi>(handle.endpoint)
    this.lifeLock =
      handle.usesLifeLock && globalThis.navigator?.locks !== undefined
        ? `minnow-worker-${crypto.randomUUID()}`
        : null
    handle.onLost((reason) => this.#lose(reason))
  }

  /** Why the link is closed, or null while it is open. */
  get closed(): EngineError | null {
    return this.#closed
  }

  /** Whether close() ends the worker, and with it frees all it holds. */
  get endsWorker(): boolean {
    return this.#handle.terminate !== null
  }

  /** Registers a call; `reject` is called once if the link closes first. Gives the function that unregisters it. */
  register(reject: (error: EngineError) => void): () => void {
    if (this.#closed !== null) {
      reject(this.#closed)
      return () => undefined
    }
    this.#pending.add(reject)
    return () => this.#pending.delete(reject)
  }

  /**
   * Starts to watch the life lock, once the worker has it. No event tells of `worker.terminate()` or of a worker
   * killed for memory, but its locks are released, and then ours is granted.
   */
  watchLifeLock(): void {
    if (this.lifeLock === null || this.#closed !== null) return
    navigator.locks
      .request(this.lifeLock, { signal: this.#watch.signal }, () => this.#lose('ended'))
      // Rejects only when close() stops the watch.
      .catch(() => undefined)
  }

  /** Rejects every call in flight with `error` and ends the worker. */
  close(error: EngineError): void {
    if (this.#closed !== null) return
    this.#closed = error
    this.#watch.abort()
    for (const reject of this.#pending) reject(error)
    this.#pending.clear()
    this.#handle.terminate?.()
  }

  #lose(reason: string): void {
    this.close(
      new EngineError('worker-lost', `The engine's worker ${reason}. Create a new engine to go on.`, {
        details: { reason },
      }),
    )
  }
}
