/** Lets the event loop run other tasks: messages, aborts, timers. */
export type MacrotaskYield = () => Promise<void>

let shared: MacrotaskYield | null = null

/**
 * A turn of the event loop at the least cost (5 to 25 µs): `setImmediate` in Node, a message to oneself in browsers.
 * Not `setTimeout(0)`, which browsers stretch to 4 ms, and not `scheduler.yield()`, whose continuations go ahead of
 * queued messages, of which the abort is one.
 */
export function macrotaskYield(): MacrotaskYield {
  shared ??= yieldBySetImmediate() ?? yieldByMessage()
  return shared
}

/** null outside Node. */
function yieldBySetImmediate(): MacrotaskYield | null {
  const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => unknown }
  if (setImmediate === undefined) return null
  return () =>
    new Promise((resolve) => {
      setImmediate(resolve)
    })
}

/** The channel is one for all engines of a thread, as it would otherwise have to be closed with each. */
function yieldByMessage(): MacrotaskYield {
  const { port1, port2 } = new MessageChannel()
  const waiting: (() => void)[] = []
  port1.addEventListener('message', () => waiting.shift()?.())
  port1.start()
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve)
      port2.postMessage(null)
    })
}

/** Yields between steps once enough work was done since the last time. */
export class Pacer {
  readonly #yieldToOthers: MacrotaskYield
  readonly #now: () => number
  readonly #intervalMs: number
  #last: number

  constructor(yieldToOthers: MacrotaskYield, now: () => number, intervalMs: number) {
    this.#yieldToOthers = yieldToOthers
    this.#now = now
    this.#intervalMs = intervalMs
    this.#last = now()
  }

  /** Resolves at once, or after a turn of the event loop where `intervalMs` went by since the last one. */
  async breathe(): Promise<void> {
    if (this.#now() - this.#last < this.#intervalMs) return
    await this.#yieldToOthers()
    this.#last = this.#now()
  }
}
