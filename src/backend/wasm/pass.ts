import { EngineError } from '../../contract/error'
import type { ModelDefinition, Rope } from '../../model/definition'
import type { Logits } from '../backend'
import type { Arena } from './arena'
import type { Kernels } from './kernel-module'
import { RESULT_BYTES, type Scratch } from './scratch'

/** What passes and sessions use of their backend. */
export interface PassHost {
  readonly model: ModelDefinition
  readonly modelPointer: number
  readonly ropes: readonly Rope[]
  readonly arena: Arena
  readonly kernels: Kernels
  readonly scratch: Scratch
  /** Tokens of one pass. */
  readonly maxBatch: number
  /** The kernels stopped in the middle; nothing of the backend can be used any more. */
  onTrap(): void
}

/** What one sequence adds in a pass: checked, with room for it in the cache. */
export interface PassCall {
  readonly tokens: ArrayLike<number>
  readonly outputs: number
  /** Tokens before these. */
  readonly start: number
  /** Record of the sequence's KV cache. */
  readonly cache: number
}

/**
 * One pass over the weights for tokens of several sequences, maxBatch at most. Tokens whose logits are asked for go
 * behind all others (kernels/forward.ts).
 */
export function runPass(host: PassHost, calls: readonly PassCall[]): Logits[][] {
  const { arena, scratch, kernels, modelPointer, maxBatch, ropes } = host
  const [ids, positions, caches] = [scratch.tokens, scratch.positions, scratch.caches].map(
    (pointer) => new Int32Array(arena.buffer, pointer, maxBatch),
  ) as [Int32Array, Int32Array, Int32Array]
  let count = 0
  const add = ({ tokens, start, cache }: PassCall, from: number, to: number): void => {
    for (let i = from; i < to; i++) {
      ids[count] = tokens[i]!
      positions[count] = start + i
      caches[count] = cache
      for (const [table, rope] of ropes.entries()) {
        const pointer = scratch.rotation + (table * maxBatch + count) * rope.dimensionCount * 4
        writeRotation(arena.buffer, pointer, rope, start + i)
      }
      count++
    }
  }
  for (const call of calls) add(call, 0, call.tokens.length - call.outputs)
  const first = count
  for (const call of calls) add(call, call.tokens.length - call.outputs, call.tokens.length)
  try {
    kernels.run(modelPointer, scratch.pointer, count, count - first)
  } catch (cause) {
    // What a thread left behind is in no known state.
    host.onTrap()
    throw new EngineError(
      'internal',
      'The kernels stopped, perhaps because a thread was lost: load the model again.',
      { cause },
    )
  }
  let row = 0
  return calls.map(({ outputs }) =>
    Array.from({ length: outputs }, () => {
      // The head's input keeps its floats in front of its codes; a token alone has its record in each thread's room.
      const record =
        count === 1 ? scratch.threadScratch : scratch.activation + (first + row) * scratch.activationBytes
      return readLogits(host, row++, record)
    }),
  )
}

function readLogits({ arena, scratch, model }: PassHost, row: number, record: number): Logits {
  const view = new DataView(arena.buffer, scratch.results + row * RESULT_BYTES, RESULT_BYTES)
  const largest = view.getFloat32(4, true)
  const sum = view.getFloat32(8, true)
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

/** (dimensionCount) Cosines, then sines, of a position. */
export function writeRotation(buffer: ArrayBufferLike, pointer: number, rope: Rope, position: number): void {
  const half = rope.dimensionCount / 2
  const table = new Float32Array(buffer, pointer, rope.dimensionCount)
  for (let i = 0; i < half; i++) {
    const angle = position * rope.frequencies[i]!
    table[i] = Math.cos(angle)
    table[half + i] = Math.sin(angle)
  }
}
