/** A signal that fires with its parent or when the time of the phase at hand is over. */
export class Deadline<Phase extends string> {
  readonly #controller = new AbortController()
  readonly #parents: readonly AbortSignal[]
  readonly #onTimeout: (phase: Phase, limitMs: number) => unknown
  #timer: ReturnType<typeof setTimeout> | undefined
  #endsAt = Infinity

  /** @param onTimeout makes the reason to abort with */
  constructor(parents: readonly AbortSignal[], onTimeout: (phase: Phase, limitMs: number) => unknown) {
    this.#parents = parents
    this.#onTimeout = onTimeout
    for (const parent of parents) {
      if (parent.aborted) this.abort(parent.reason)
      else parent.addEventListener('abort', this.#onParentAbort)
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  get remainingMs(): number {
    return Math.max(0, this.#endsAt - performance.now())
  }

  /** Starts a phase; the one before it is over. */
  start(phase: Phase, limitMs: number): void {
    this.pause()
    if (limitMs === Infinity || this.signal.aborted) return
    this.#endsAt = performance.now() + limitMs
    this.#timer = setTimeout(() => this.abort(this.#onTimeout(phase, limitMs)), limitMs)
  }

  /** No phase runs. */
  pause(): void {
    clearTimeout(this.#timer)
    this.#endsAt = Infinity
  }

  abort(reason: unknown): void {
    this.dispose()
    this.#controller.abort(reason)
  }

  /** Forgets parents and time; the signal stays as it is. */
  dispose(): void {
    this.pause()
    for (const parent of this.#parents) parent.removeEventListener('abort', this.#onParentAbort)
  }

  readonly #onParentAbort = (event: Event): void => {
    this.abort((event.target as AbortSignal).reason)
  }
}

/** What `promise` gives; rejects as soon as the signal fires, whether `promise` heeds it or not. */
export function raceSignal<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** Rejects with the signal's reason. */
export function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const elapsed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, durationMs)
  })
  return raceSignal(elapsed, signal).finally(() => clearTimeout(timer))
}
