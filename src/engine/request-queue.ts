/** Runs one task at a time, first come first served. */
export class RequestQueue {
  readonly #waiting: (() => void)[] = []
  #running = false
  #idle: (() => void)[] = []

  /** Tasks that wait for their turn. */
  get waiting(): number {
    return this.#waiting.length
  }

  /**
   * Runs `task` when its turn comes and gives its result. Where `signal` fires before, the task is never started
   * and the call rejects with the signal's reason; after that the task itself must heed the signal.
   */
  async run<Result>(signal: AbortSignal, task: () => Promise<Result>): Promise<Result> {
    signal.throwIfAborted()
    if (this.#running) await this.#turn(signal)
    else this.#running = true
    try {
      return await task()
    } finally {
      this.#next()
    }
  }

  /** Resolves when nothing runs or waits. */
  idle(): Promise<void> {
    if (!this.#running) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const start = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(start), 1)
        reject(signal.reason)
      }
      signal.addEventListener('abort', leave, { once: true })
      this.#waiting.push(start)
    })
  }

  #next(): void {
    const start = this.#waiting.shift()
    if (start) {
      start()
      return
    }
    this.#running = false
    for (const resolve of this.#idle.splice(0)) resolve()
  }
}
