interface Waiting {
  readonly start: () => void
  /** Whether there is room for it beside those that run. */
  readonly fits: () => boolean
}

/** Runs up to `most` tasks at a time, first come first served. */
export class RequestQueue {
  readonly #most: number
  readonly #waiting: Waiting[] = []
  #running = 0
  #idle: (() => void)[] = []

  constructor(most: number) {
    this.#most = most
  }

  /** Tasks that wait for their turn. */
  get waiting(): number {
    return this.#waiting.length
  }

  /**
   * Runs `task` when its turn comes and gives its result. Beside others it only begins where `fits` says so then; those
   * behind it wait with it. Where `signal` fires before, the task is never started and the call rejects with the signal's
   * reason; after that the task itself must heed the signal.
   */
  run<Result>(signal: AbortSignal, task: () => Promise<Result>, fits = (): boolean => true): Promise<Result> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted()
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
        reject(signal.reason)
        this.#next()
      }
      const start = (): void => {
        signal.removeEventListener('abort', leave)
        this.#running++
        task()
          .finally(() => {
            this.#running--
            this.#next()
          })
          .then(resolve, reject)
      }
      const waiting = { start, fits }
      signal.addEventListener('abort', leave, { once: true })
      this.#waiting.push(waiting)
      this.#next()
    })
  }

  /** Resolves when nothing runs or waits. */
  idle(): Promise<void> {
    if (this.#running === 0 && this.#waiting.length === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  #next(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.#running > 0 && (this.#running >= this.#most || !next.fits())) return
      this.#waiting.shift()
      next.start()
    }
    if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }
}
