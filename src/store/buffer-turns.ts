import { EngineError } from '../contract/error'

/**
 * One buffer that windows of a file fill in turn. Megabytes of new buffers for each would pile up until the garbage
 * collector runs, which may be after the load.
 */
export class BufferTurns {
  readonly #sizeBytes: number
  #last: Promise<ArrayBuffer | null> = Promise.resolve(null)

  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes
  }

  /** The turn after all that were asked for. */
  next(): Turn {
    const turn = new Turn(this.#last, this.#sizeBytes)
    this.#last = turn.over
    return turn
  }
}

export class Turn {
  /** The buffer, when this turn is over; null where it is lost and the next has to make one. */
  readonly over: Promise<ArrayBuffer | null>
  readonly #before: Promise<ArrayBuffer | null>
  readonly #sizeBytes: number
  #end: (buffer: ArrayBuffer | null | Promise<ArrayBuffer | null>) => void = () => undefined
  #buffer: ArrayBuffer | null = null
  #isTaken = false
  #isOver = false

  constructor(before: Promise<ArrayBuffer | null>, sizeBytes: number) {
    this.#before = before
    this.#sizeBytes = sizeBytes
    this.over = new Promise((resolve) => (this.#end = resolve))
  }

  /**
   * Waits for the turns before this one. Again: the same buffer, or a new one where that was transferred.
   * @throws EngineError 'aborted' where this turn ended meanwhile.
   */
  async take(): Promise<ArrayBuffer> {
    if (!this.#isTaken) {
      const buffer = await this.#before
      if (this.#isOver) throw new EngineError('aborted', 'Nobody waits for these bytes any more.')
      this.#buffer = buffer
      this.#isTaken = true
    }
    if (this.#buffer?.byteLength !== this.#sizeBytes) this.#buffer = new ArrayBuffer(this.#sizeBytes)
    return this.#buffer
  }

  /** `buffer` is what came of the one taken; null where someone may still write to that. */
  end(buffer: ArrayBuffer | null): void {
    this.#isOver = true
    this.#end(this.#isTaken ? buffer : this.#before)
    this.#buffer = null
  }
}
