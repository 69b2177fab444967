import { EngineError } from '../../contract/error'
import type { ModelDefinition, Rope } from '../../model/definition'
import type { BackendSession, Logits } from '../backend'
import type { Arena } from './arena'
import type { Kernels } from './kernel-module'
import { cacheFields, recordBytes, writeRecord } from './records'
import { RESULT_BYTES, type Scratch } from './scratch'

/** What a session uses of its backend. */
export interface SessionHost {
  readonly model: ModelDefinition
  readonly modelPointer: number
  readonly ropes: readonly Rope[]
  readonly arena: Arena
  readonly kernels: Kernels
  readonly scratch: Scratch
  /** Bytes of a number in the KV cache. */
  readonly codeBytes: 1 | 2
  readonly maxBatch: number
  onDispose(session: WasmSession): void
  /** The kernels stopped in the middle; nothing of the backend can be used any more. */
  onTrap(): void
}

/** Tokens of a chunk of the KV cache (kernels/attention.ts). */
const CHUNK = 64

export class WasmSession implements BackendSession {
  readonly contextLength: number
  readonly #host: SessionHost
  readonly #blocks: number[]
  readonly #cache: number
  #length = 0
  #disposed = false

  constructor(host: SessionHost, contextLength: number) {
    const { model, arena, codeBytes } = host
    const capacity = Math.ceil(contextLength / CHUNK) * CHUNK
    const lanes = model.layers.length * model.kvHeadCount
    const chunks = lanes * capacity * model.headDim * 2 * codeBytes
    const scales = lanes * capacity * 4
    const what = `A KV cache of ${contextLength} tokens`
    this.#blocks = []
    try {
      for (const size of [chunks, scales, scales, recordBytes(cacheFields)]) {
        this.#blocks.push(arena.allocate(size, what))
      }
    } catch (error) {
      for (const block of this.#blocks) arena.release(block)
      throw error
    }
    const [chunksAt, keyScales, valueScales, cache] = this.#blocks as [number, number, number, number]
    // Reused memory may hold anything; a masked token's scale must at least be a number.
    new Uint8Array(arena.buffer, keyScales, scales).fill(0)
    new Uint8Array(arena.buffer, valueScales, scales).fill(0)
    writeRecord(arena.buffer, cache, cacheFields, {
      chunks: chunksAt,
      keyScales,
      valueScales,
      capacity,
      codeBytes,
    })
    this.#host = host
    this.#cache = cache
    this.contextLength = contextLength
  }

  get length(): number {
    return this.#length
  }

  // async, so that errors reject; the kernels themselves run in one go.
  async forward(tokens: ArrayLike<number>, options: { outputs?: number } = {}): Promise<Logits[]> {
    this.#checkLive()
    const { model, arena, scratch, maxBatch } = this.#host
    const count = tokens.length
    const outputs = options.outputs ?? 1
    if (count < 1 || count > maxBatch) {
      throw new EngineError('invalid-argument', `forward() takes 1 to ${maxBatch} tokens, got ${count}.`)
    }
    if (!Number.isInteger(outputs) || outputs < 0 || outputs > count) {
      throw new EngineError('invalid-argument', `outputs must be 0 to ${count}, got ${outputs}.`)
    }
    if (this.#length + count > this.contextLength) {
      throw new EngineError(
        'context-overflow',
        `The context holds ${this.contextLength} tokens; ${this.#length} are in it and ${count} more do not fit.`,
        { details: { contextLength: this.contextLength, length: this.#length, tokens: count } },
      )
    }
    const ids = new Int32Array(arena.buffer, scratch.tokens, count)
    for (let i = 0; i < count; i++) {
      const token = tokens[i]!
      if (!Number.isInteger(token) || token < 0 || token >= model.vocabularySize) {
        throw new EngineError(
          'invalid-argument',
          `Token ids are 0 to ${model.vocabularySize - 1}, got ${String(token)}.`,
        )
      }
      ids[i] = token
    }
    this.#writeRotations(count)
    this.#run(count, outputs)
    this.#length += count
    return Array.from({ length: outputs }, (_, row) => this.#logits(row, count, outputs))
  }

  #run(count: number, outputs: number): void {
    const { kernels, modelPointer, scratch } = this.#host
    try {
      kernels.run(modelPointer, scratch.pointer, this.#cache, count, this.#length, outputs)
    } catch (cause) {
      // What a thread left behind is in no known state.
      this.#host.onTrap()
      throw new EngineError(
        'internal',
        'The kernels stopped, perhaps because a thread was lost: load the model again.',
        {
          cause,
        },
      )
    }
  }

  truncate(length: number): void {
    this.#checkLive()
    if (!Number.isInteger(length) || length < 0 || length > this.#length) {
      throw new EngineError('invalid-argument', `truncate() takes 0 to ${this.#length}, got ${length}.`)
    }
    this.#length = length
  }

  shift(from: number, to: number): void {
    this.#checkLive()
    if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= this.#length)) {
      throw new EngineError(
        'invalid-argument',
        `shift() takes 0 ≤ from ≤ to ≤ ${this.#length}, got ${from}, ${to}.`,
      )
    }
    // Keys that stay where they are must not be rounded anew.
    if (from === to) return
    const { model, arena, kernels, scratch, ropes, modelPointer } = this.#host
    const count = this.#length - to
    ropes.forEach((rope, table) => {
      writeRotation(arena.buffer, scratch.rotation + table * rope.dimensionCount * 4, rope, from - to)
    })
    model.layers.forEach((layer, index) => {
      const rotation = scratch.rotation + ropes.indexOf(layer.rope) * layer.rope.dimensionCount * 4
      kernels.shiftLayer(modelPointer, this.#cache, index, to, from, count, rotation, scratch.threadScratch)
    })
    this.#length = from + count
  }

  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    for (const block of this.#blocks) this.#host.arena.release(block)
    this.#host.onDispose(this)
  }

  /** (table, maxBatch, dimensionCount): cosines, then sines, of each token's position. */
  #writeRotations(count: number): void {
    const { arena, scratch, ropes, maxBatch } = this.#host
    ropes.forEach((rope, table) => {
      for (let i = 0; i < count; i++) {
        const pointer = scratch.rotation + (table * maxBatch + i) * rope.dimensionCount * 4
        writeRotation(arena.buffer, pointer, rope, this.#length + i)
      }
    })
  }

  #logits(row: number, count: number, outputs: number): Logits {
    const { arena, scratch, model } = this.#host
    const view = new DataView(arena.buffer, scratch.results + row * RESULT_BYTES, RESULT_BYTES)
    const largest = view.getFloat32(4, true)
    const sum = view.getFloat32(8, true)
    // The head's input keeps its floats in front of its codes; a token alone has its record in each thread's room.
    const record =
      count === 1
        ? scratch.threadScratch
        : scratch.activation + (count - outputs + row) * scratch.activationBytes
    return {
      argmax: view.getInt32(0, true),
      logSumExp: largest + Math.log(sum),
      maximum: largest,
      margin: largest - view.getFloat32(12, true),
      // Rounding may put a certain row a hair below 0.
      entropy: Math.max(0, Math.log(sum) - view.getFloat32(16, true) / sum),
      top: null,
      hidden: () => new Float32Array(arena.buffer, record, model.embeddingLength).slice(),
      values: () =>
        new Float32Array(arena.buffer, scratch.logits + row * scratch.logitsRowBytes, model.vocabularySize),
    }
  }

  #checkLive(): void {
    if (this.#disposed) throw new EngineError('disposed', 'This session was disposed of; create another.')
  }
}

function writeRotation(buffer: ArrayBufferLike, pointer: number, rope: Rope, position: number): void {
  const half = rope.dimensionCount / 2
  const table = new Float32Array(buffer, pointer, rope.dimensionCount)
  for (let i = 0; i < half; i++) {
    const angle = position * rope.frequencies[i]!
    table[i] = Math.cos(angle)
    table[half + i] = Math.sin(angle)
  }
}
