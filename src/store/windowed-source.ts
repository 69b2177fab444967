import type { ByteSource } from '../contract/bytes'
import { checkRange } from './read-range'

interface Held {
  readonly bytes: Promise<Uint8Array>
  /** The signal that stops its loading; of whoever asked first. */
  readonly signal: AbortSignal | undefined
}

/**
 * A file read in windows (a manifest's chunks, ranges of a URL). Holds two at most: the one in use and the next,
 * which loads while the first is consumed. Going back loads again.
 */
export class WindowedSource implements ByteSource {
  readonly sizeBytes: number
  /** (windows + 1) Where each window starts, and the end. */
  readonly #starts: Float64Array
  readonly #load: (index: number, signal: AbortSignal | undefined) => Promise<Uint8Array>
  readonly #held = new Map<number, Held>()

  constructor(
    windowSizes: readonly number[],
    load: (index: number, signal: AbortSignal | undefined) => Promise<Uint8Array>,
  ) {
    this.#starts = new Float64Array(windowSizes.length + 1)
    windowSizes.forEach((size, index) => (this.#starts[index + 1] = this.#starts[index]! + size))
    this.sizeBytes = this.#starts[windowSizes.length]!
    this.#load = load
  }

  async read(
    offset: number,
    length: number,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<Uint8Array> {
    signal?.throwIfAborted()
    checkRange(offset, length, this.sizeBytes)
    if (length === 0) return new Uint8Array(0)
    const end = offset + length
    let index = this.#windowAt(offset)
    if (end <= this.#starts[index + 1]!) {
      const bytes = await this.#window(index, signal)
      return bytes.subarray(offset - this.#starts[index]!, end - this.#starts[index]!)
    }
    const joined = new Uint8Array(length)
    for (let at = offset; at < end; index++) {
      const start = this.#starts[index]!
      const stop = Math.min(end, this.#starts[index + 1]!)
      const bytes = await this.#window(index, signal)
      joined.set(bytes.subarray(at - start, stop - start), at - offset)
      at = stop
    }
    return joined
  }

  /** The window that holds a byte: the last that starts at or before it. */
  #windowAt(offset: number): number {
    let low = 0
    let high = this.#starts.length - 2
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#starts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return low
  }

  async #window(index: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    for (const other of this.#held.keys())
      if (other !== index && other !== index + 1) this.#held.delete(other)
    for (;;) {
      // What was begun for someone who gave up may never come.
      const found = this.#held.get(index)
      const held = found === undefined || found.signal?.aborted === true ? this.#start(index, signal) : found
      try {
        const bytes = await untilAborted(held.bytes, signal)
        if (index + 2 < this.#starts.length && !this.#held.has(index + 1)) this.#start(index + 1, signal)
        return bytes
      } catch (error) {
        signal?.throwIfAborted()
        // Someone else began this and gave up: begin again for ourselves.
        if (held.signal?.aborted === true) continue
        throw error
      }
    }
  }

  #start(index: number, signal: AbortSignal | undefined): Held {
    const held: Held = { bytes: this.#load(index, signal), signal }
    this.#held.set(index, held)
    // A window that failed is forgotten, so that the next read of it tries again. Who waits for it sees the error.
    held.bytes.catch(() => {
      if (this.#held.get(index) === held) this.#held.delete(index)
    })
    return held
  }
}

/** Settles as `promise` does, or rejects with `signal.reason` as soon as that fires. */
async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  const listening = new AbortController()
  const fired = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true, signal: listening.signal })
  })
  try {
    await Promise.race([promise, fired])
    signal.throwIfAborted()
    return await promise
  } finally {
    listening.abort()
  }
}
