import type { ByteSource } from '../contract/bytes'
import { BufferTurns, type Turn } from './buffer-turns'
import { checkRange } from './read-range'

/**
 * Gives the buffer to fill, from its start, when nobody needs its bytes any more: ask for the bytes first, for it
 * when they come. Once more after a failure: the same, or a new one where that was transferred.
 */
export type TakeBuffer = () => Promise<ArrayBuffer>

/** Gets one window whole: an array on what `take` gave, or on what that was transferred to. */
export type LoadWindow = (
  index: number,
  take: TakeBuffer,
  signal: AbortSignal | undefined,
) => Promise<Uint8Array<ArrayBuffer>>

interface Held {
  readonly bytes: Promise<Uint8Array<ArrayBuffer>>
  /** The same once it is here. */
  loaded: Uint8Array<ArrayBuffer> | null
  readonly turn: Turn
  /** The signal that stops its loading; of whoever asked first. */
  readonly signal: AbortSignal | undefined
}

/**
 * A file read in windows (a manifest's chunks, ranges of a URL). Read forwards one buffer is in memory: the
 * next window is asked for while one is consumed, and comes as soon as that is left. Going back loads again.
 */
export class WindowedSource implements ByteSource {
  readonly sizeBytes: number
  /** (windows + 1) Where each window starts, and the end. */
  readonly #starts: Float64Array
  readonly #load: LoadWindow
  readonly #turns: BufferTurns
  /** Where a read that spans windows is put together. */
  #joined = new ArrayBuffer(0)
  readonly #held = new Map<number, Held>()

  constructor(windowSizes: readonly number[], load: LoadWindow) {
    this.#starts = new Float64Array(windowSizes.length + 1)
    windowSizes.forEach((size, index) => (this.#starts[index + 1] = this.#starts[index]! + size))
    this.sizeBytes = this.#starts[windowSizes.length]!
    this.#load = load
    this.#turns = new BufferTurns(windowSizes.reduce((largest, size) => Math.max(largest, size), 0))
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
    const joined = this.#joinedBytes(length)
    for (let at = offset; at < end; index++) {
      const start = this.#starts[index]!
      const stop = Math.min(end, this.#starts[index + 1]!)
      const bytes = await this.#window(index, signal)
      joined.set(bytes.subarray(at - start, stop - start), at - offset)
      at = stop
    }
    return joined
  }

  #joinedBytes(length: number): Uint8Array {
    if (this.#joined.byteLength < length) this.#joined = new ArrayBuffer(length)
    return new Uint8Array(this.#joined, 0, length)
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
    for (;;) {
      const found = this.#held.get(index)
      // What was begun for someone who gave up may never come.
      const isUsable = found !== undefined && found.signal?.aborted !== true
      // The next window may stay only behind this one: it would not give up its turn.
      for (const other of this.#held.keys()) {
        if (!isUsable || (other !== index && other !== index + 1)) this.#drop(other)
      }
      const held = isUsable ? found : this.#start(index, signal)
      try {
        const bytes = await untilAborted(held.bytes, signal)
        const isLast = index + 2 >= this.#starts.length
        if (!isLast && this.#held.get(index) === held && !this.#held.has(index + 1)) {
          this.#start(index + 1, signal)
        }
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
    const turn = this.#turns.next()
    const bytes = this.#load(index, () => turn.take(), signal)
    const held: Held = { bytes, loaded: null, turn, signal }
    this.#held.set(index, held)
    bytes.then(
      (loaded) => (held.loaded = loaded),
      () => {
        // A window that failed is forgotten, so that the next read of it tries again. Who waits sees the error.
        if (this.#held.get(index) === held) this.#drop(index)
      },
    )
    return held
  }

  /** Forgets a window. A buffer that it is still loading into is left to that. */
  #drop(index: number): void {
    const held = this.#held.get(index)
    this.#held.delete(index)
    held?.turn.end(held.loaded?.buffer ?? null)
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
