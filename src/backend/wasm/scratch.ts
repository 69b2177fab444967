import type { ModelDefinition } from '../../model/definition'
import type { Arena } from './arena'
import { recordBytes, scratchFields, writeRecord } from './records'

/** Kernels' buffers for one batch (kernels/structs.ts, Scratch). */
export interface Scratch {
  readonly pointer: number
  readonly tokens: number
  readonly positions: number
  readonly caches: number
  readonly rotation: number
  readonly activation: number
  readonly activationBytes: number
  readonly logits: number
  readonly results: number
  /** Bytes of a row of logits. */
  readonly logitsRowBytes: number
  readonly threadScratch: number
}

/** Bytes of a row's record in `results` (kernels/logits.ts): i32 argmax, f32 maximum, sum, second, moment. */
export const RESULT_BYTES = 32

export function allocateScratch(
  model: ModelDefinition,
  arena: Arena,
  options: { maxBatch: number; threads: number; ropeCount: number; contextLength: number },
): Scratch {
  const { maxBatch, threads, ropeCount, contextLength } = options
  const { headCount, kvHeadCount, headDim } = model
  const widest = Math.max(model.embeddingLength, model.feedForwardLength, headCount * headDim)
  // f32 values, up to i16 codes, 16 bytes a block (kernels/activations.ts)
  const activationBytes = align(widest * 4 + widest * 2 + Math.ceil(widest / 32) * 16)
  const partialBytes = (headDim + 4) * 4
  const group = headCount / kvHeadCount
  const attentionWork = 4 * 64 * 4 + 4 * 64 * 2 + 16 + 2 * group * partialBytes
  const threadScratchBytes = activationBytes + align(Math.max(attentionWork, headDim * 8))
  // kernels/matmul-4bit.ts, UNPACKED_BLOCK_BYTES
  const unpackedBytes = align(Math.ceil(widest / 32) * 320)
  const strides = {
    embeddingStride: align(model.embeddingLength),
    qkvStride: align((headCount + 2 * kvHeadCount) * headDim),
    feedForwardStride: align(model.feedForwardLength),
    vocabularyStride: align(model.vocabularySize),
  }
  const floats = (count: number): number => arena.allocate(count * 4, 'Working memory')
  const bytes = (count: number): number => arena.allocate(count, 'Working memory')
  const fields = {
    tokens: floats(maxBatch),
    positions: floats(maxBatch),
    caches: floats(maxBatch),
    rotation: floats(ropeCount * maxBatch * headDim),
    residual: floats(maxBatch * strides.embeddingStride),
    activation: bytes(maxBatch * activationBytes),
    qkv: floats(maxBatch * strides.qkvStride),
    queries: bytes(Math.max(maxBatch, threads) * align(headCount * (headDim * 2 + 4))),
    gate: floats(maxBatch * strides.feedForwardStride),
    up: floats(maxBatch * strides.feedForwardStride),
    projection: floats(maxBatch * strides.embeddingStride),
    partials: bytes((Math.ceil(contextLength / 64) + 1) * headCount * partialBytes),
    logits: floats(maxBatch * strides.vocabularyStride),
    statistics: bytes(maxBatch * Math.ceil(model.vocabularySize / 256) * 32),
    results: bytes(maxBatch * RESULT_BYTES),
    threadScratch: bytes(threads * threadScratchBytes),
    tiles: bytes(maxBatch * activationBytes),
    unpacked: bytes(threads * unpackedBytes),
  }
  const pointer = arena.allocate(recordBytes(scratchFields), 'Working memory')
  writeRecord(arena.buffer, pointer, scratchFields, {
    ...fields,
    ...strides,
    threadScratchBytes,
    activationBytes,
    unpackedBytes,
    maxBatch,
  })
  const { tokens, positions, caches, rotation, activation, logits, results, threadScratch } = fields
  return {
    pointer,
    tokens,
    positions,
    caches,
    rotation,
    activation,
    activationBytes,
    logits,
    results,
    threadScratch,
    logitsRowBytes: strides.vocabularyStride * 4,
  }
}

/** To whole cache lines, or 64 floats: rows of different threads share none. */
function align(count: number): number {
  return Math.ceil(count / 64) * 64
}
