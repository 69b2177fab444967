/** Reads a stream from front to back, in parts whose sizes its user chooses. */
export class StreamReader {
  /** Fills buffers it is given; null where the stream is not one of bytes. */
  readonly #bytes: ReadableStreamBYOBReader | null
  /** Gives what comes; null where `#bytes` is there. */
  readonly #pieces: ReadableStreamDefaultReader<Uint8Array> | null
  /** Of the last piece, what the parts so far did not need. */
  #rest: Uint8Array = new Uint8Array(0)

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#bytes = byteReader(stream)
    this.#pieces = this.#bytes === null ? stream.getReader() : null
  }

  /**
   * The next `sizeBytes`; fewer where the stream ends before. They lie on `into`, from its start, or, where the stream
   * is one of bytes, on what that was transferred to: those are read straight into it.
   */
  async read(
    into: ArrayBuffer,
    sizeBytes: number,
    onBytes: (count: number) => void = () => undefined,
  ): Promise<Uint8Array<ArrayBuffer>> {
    // Each read of a stream of bytes takes the buffer away and gives a new one on the same memory.
    let buffer = into
    let at = 0
    while (at < sizeBytes) {
      const part = new Uint8Array(buffer, at, sizeBytes - at)
      const filled = this.#bytes === null ? await this.#copyInto(part) : await fill(this.#bytes, part)
      buffer = filled.buffer
      if (filled.length === 0) break
      at += filled.length
      onBytes(filled.length)
    }
    return new Uint8Array(buffer, 0, at)
  }

  /** Whether nothing follows. What this looks at is lost: the last call before `cancel`. */
  async isAtEnd(): Promise<boolean> {
    return (await this.read(new ArrayBuffer(1), 1)).length === 0
  }

  async cancel(): Promise<void> {
    await (this.#bytes ?? this.#pieces)?.cancel()
  }

  /** Some bytes at least; none at the end. */
  async #copyInto(part: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#pieces!.read()
      if (done) return part.subarray(0, 0)
      this.#rest = value
    }
    const taken = this.#rest.subarray(0, part.length)
    part.set(taken)
    this.#rest = this.#rest.subarray(taken.length)
    return part.subarray(0, taken.length)
  }
}

/** The whole of a stream that should have `sizeBytes`; null, and the rest cancelled, where it is longer. */
export async function readStream(
  stream: ReadableStream<Uint8Array>,
  into: ArrayBuffer,
  sizeBytes: number,
  onBytes?: (count: number) => void,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const reader = new StreamReader(stream)
  const bytes = await reader.read(into, sizeBytes, onBytes)
  if (await reader.isAtEnd()) return bytes
  await reader.cancel()
  return null
}

function byteReader(stream: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | null {
  try {
    return stream.getReader({ mode: 'byob' })
  } catch {
    return null
  }
}

async function fill(
  reader: ReadableStreamBYOBReader,
  part: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const { value } = await reader.read(part)
  if (value === undefined) throw new Error('the stream was cancelled')
  return value
}
