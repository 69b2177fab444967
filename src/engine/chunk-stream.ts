/**
 * A stream that is pushed into and pulled from. It never holds up who pushes: a reader that is slow or absent
 * delays no other request. Leaving the loop (`return`) calls `onCancel`.
 */
export class ChunkStream<Chunk> implements AsyncIterableIterator<Chunk, undefined> {
  readonly #chunks: Chunk[] = []
  readonly #onCancel: () => void
  #waiting: {
    resolve: (result: IteratorResult<Chunk, undefined>) => void
    reject: (reason: unknown) => void
  }[] = []
  #ended = false
  #failure: { reason: unknown } | null = null

  constructor(onCancel: () => void) {
    this.#onCancel = onCancel
  }

  push(chunk: Chunk): void {
    if (this.#ended) return
    const reader = this.#waiting.shift()
    if (reader) reader.resolve({ done: false, value: chunk })
    else this.#chunks.push(chunk)
  }

  /** No more chunks; those pushed are still read. */
  end(): void {
    this.#ended = true
    for (const reader of this.#waiting.splice(0)) reader.resolve({ done: true, value: undefined })
  }

  /** Chunks pushed so far are still read, then the reader gets `reason` once. */
  fail(reason: unknown): void {
    if (this.#ended) return
    this.#ended = true
    const reader = this.#waiting.shift()
    if (reader) reader.reject(reason)
    else this.#failure = { reason }
    for (const other of this.#waiting.splice(0)) other.resolve({ done: true, value: undefined })
  }

  next(): Promise<IteratorResult<Chunk, undefined>> {
    const chunk = this.#chunks.shift()
    if (chunk !== undefined) return Promise.resolve({ done: false, value: chunk })
    if (this.#failure) {
      const { reason } = this.#failure
      this.#failure = null
      return Promise.reject(reason)
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  return(): Promise<IteratorResult<Chunk, undefined>> {
    this.#chunks.length = 0
    this.#failure = null
    if (!this.#ended) {
      this.end()
      this.#onCancel()
    }
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
