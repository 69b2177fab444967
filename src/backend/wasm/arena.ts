import { EngineError } from '../../contract/error'

const PAGE_BYTES = 65_536
const ALIGNMENT = 64
/** Below lie a guard against null pointers and the threads' control words. */
const FIRST_BYTE = 4096

interface Block {
  pointer: number
  sizeBytes: number
}

/** Hands out the kernels' memory. Pages beyond the highest block used are not there yet; pages never touched cost nothing. */
export class Arena {
  readonly memory: WebAssembly.Memory
  readonly #free: Block[] = []
  readonly #used = new Map<number, number>()
  #top = FIRST_BYTE

  constructor(memory: WebAssembly.Memory) {
    this.memory = memory
  }

  get buffer(): ArrayBufferLike {
    return this.memory.buffer
  }

  /** Bytes of all blocks in use. */
  get usedBytes(): number {
    let sum = 0
    for (const sizeBytes of this.#used.values()) sum += sizeBytes
    return sum
  }

  /**
   * A block, not zeroed, aligned to a cache line.
   * @throws EngineError 'out-of-memory' with what was wanted.
   */
  allocate(bytes: number, what: string): number {
    const sizeBytes = Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
    const index = this.#free.findIndex((block) => block.sizeBytes >= sizeBytes)
    if (index >= 0) {
      const block = this.#free[index]!
      const { pointer } = block
      block.pointer += sizeBytes
      block.sizeBytes -= sizeBytes
      if (block.sizeBytes === 0) this.#free.splice(index, 1)
      this.#used.set(pointer, sizeBytes)
      return pointer
    }
    const pointer = this.#top
    this.#grow(pointer + sizeBytes, sizeBytes, what)
    this.#top = pointer + sizeBytes
    this.#used.set(pointer, sizeBytes)
    return pointer
  }

  /** Gives a block back; neighbours are joined. */
  release(pointer: number): void {
    const sizeBytes = this.#used.get(pointer)
    if (sizeBytes === undefined) return
    this.#used.delete(pointer)
    this.#free.push({ pointer, sizeBytes })
    this.#free.sort((a, b) => a.pointer - b.pointer)
    for (let i = this.#free.length - 2; i >= 0; i--) {
      const block = this.#free[i]!
      const next = this.#free[i + 1]!
      if (block.pointer + block.sizeBytes !== next.pointer) continue
      block.sizeBytes += next.sizeBytes
      this.#free.splice(i + 1, 1)
    }
    const last = this.#free.at(-1)
    if (last !== undefined && last.pointer + last.sizeBytes === this.#top) {
      this.#top = last.pointer
      this.#free.pop()
    }
  }

  #grow(endByte: number, wantedBytes: number, what: string): void {
    const missing = endByte - this.memory.buffer.byteLength
    if (missing <= 0) return
    try {
      this.memory.grow(Math.ceil(missing / PAGE_BYTES))
    } catch (cause) {
      throw new EngineError(
        'out-of-memory',
        `${what} needs ${Math.ceil(wantedBytes / 2 ** 20)} MiB more, which this device does not give: close other ` +
          'pages, or choose a smaller context or model.',
        { cause, details: { wantedBytes, heldBytes: this.memory.buffer.byteLength } },
      )
    }
  }
}
