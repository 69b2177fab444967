import { TOP_COUNT } from '../backend'
import { BufferUsage, MapMode } from './gpu-flags'
import type { GpuMemory } from './gpu-memory'
import type { GpuHealth } from './health'
import { SELECTION_HEAD, SUMMARY_FLOATS } from './shaders/logits'

/** Rows of logits made at once. */
export const LOGIT_ROWS = 16

/** The token a step began with, padded. */
const TOKEN_BYTES = 16
const SUMMARY_BYTES = LOGIT_ROWS * SUMMARY_FLOATS * 4
export const SELECTION_BYTES = (SELECTION_HEAD + TOP_COUNT * 2) * 4

/** A buffer the CPU reads results from: the first token, summaries, then the selection, then whole rows with their hidden states. */
export interface ReadbackSlot {
  readonly buffer: GPUBuffer
  /** Whether it has room for whole rows. */
  readonly isLarge: boolean
}

export const summaryOffset = TOKEN_BYTES
export const selectionOffset = summaryOffset + SUMMARY_BYTES
export const rowsOffset = selectionOffset + SELECTION_BYTES

/** Buffers for reading back, reused: two are enough for decoding ahead. */
export class ReadbackPool {
  readonly #memory: GpuMemory
  readonly #rowBytes: number
  readonly #free: ReadbackSlot[] = []

  /** @param rowBytes of one output's logits and hidden state */
  constructor(memory: GpuMemory, rowBytes: number) {
    this.#memory = memory
    this.#rowBytes = rowBytes
  }

  take(isLarge: boolean): ReadbackSlot {
    const index = this.#free.findIndex((slot) => slot.isLarge === isLarge)
    if (index >= 0) return this.#free.splice(index, 1)[0]!
    const size = rowsOffset + (isLarge ? LOGIT_ROWS * this.#rowBytes : 0)
    const usage = BufferUsage.mapRead | BufferUsage.copyTarget
    return { buffer: this.#memory.create(size, usage, 'Results'), isLarge }
  }

  /** Waits for the GPU, hands the bytes over, and takes the buffer back. */
  async read<Result>(
    slot: ReadbackSlot,
    bytes: number,
    health: GpuHealth,
    use: (bytes: ArrayBuffer) => Result,
  ): Promise<Result> {
    try {
      await slot.buffer.mapAsync(MapMode.read, 0, bytes)
    } catch (cause) {
      this.#memory.release(slot.buffer)
      throw await health.explain(cause)
    }
    try {
      health.check()
      return use(slot.buffer.getMappedRange(0, bytes))
    } finally {
      slot.buffer.unmap()
      this.#free.push(slot)
    }
  }
}
