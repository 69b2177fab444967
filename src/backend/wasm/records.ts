/**
 * The records of kernels/structs.ts: the same fields in the same order, four bytes each. `loadWasm` checks the sizes
 * against the compiled kernels.
 */

type Fields = Readonly<Record<string, 'i32' | 'f32'>>

export const modelFields = {
  layerCount: 'i32',
  layers: 'i32',
  embedding: 'i32',
  headCount: 'i32',
  kvHeadCount: 'i32',
  headDim: 'i32',
  feedForward: 'i32',
  vocabulary: 'i32',
  normEpsilon: 'f32',
  embeddingScale: 'f32',
  attentionScale: 'f32',
  attentionSoftcap: 'f32',
  logitSoftcap: 'f32',
  activation: 'i32',
  ropeDimensions: 'i32',
  ropeStyle: 'i32',
  tokenEmbedding: 'i32',
  outputNorm: 'i32',
  outputHead: 'i32',
  queryLimit: 'i32',
  keyLimit: 'i32',
} as const satisfies Fields

export const layerFields = {
  attentionNorm: 'i32',
  query: 'i32',
  key: 'i32',
  value: 'i32',
  queryBias: 'i32',
  keyBias: 'i32',
  valueBias: 'i32',
  queryNorm: 'i32',
  keyNorm: 'i32',
  output: 'i32',
  postAttentionNorm: 'i32',
  feedForwardNorm: 'i32',
  gate: 'i32',
  up: 'i32',
  down: 'i32',
  postFeedForwardNorm: 'i32',
  rope: 'i32',
  window: 'i32',
} as const satisfies Fields

export const scratchFields = {
  tokens: 'i32',
  positions: 'i32',
  caches: 'i32',
  rotation: 'i32',
  residual: 'i32',
  activation: 'i32',
  qkv: 'i32',
  queries: 'i32',
  gate: 'i32',
  up: 'i32',
  projection: 'i32',
  partials: 'i32',
  logits: 'i32',
  statistics: 'i32',
  results: 'i32',
  threadScratch: 'i32',
  tiles: 'i32',
  unpacked: 'i32',
  unpackedBytes: 'i32',
  threadScratchBytes: 'i32',
  activationBytes: 'i32',
  embeddingStride: 'i32',
  qkvStride: 'i32',
  feedForwardStride: 'i32',
  vocabularyStride: 'i32',
  maxBatch: 'i32',
} as const satisfies Fields

export const cacheFields = {
  pages: 'i32',
  codeBytes: 'i32',
} as const satisfies Fields

export const matrixFields = {
  kind: 'i32',
  rows: 'i32',
  columns: 'i32',
  data: 'i32',
} as const satisfies Fields

export type RecordOf<F extends Fields> = { readonly [K in keyof F]: number }

export function recordBytes(fields: Fields): number {
  return Object.keys(fields).length * 4
}

/** Writes a record; every field must be given. */
export function writeRecord<F extends Fields>(
  buffer: ArrayBufferLike,
  pointer: number,
  fields: F,
  values: RecordOf<F>,
): void {
  const view = new DataView(buffer, pointer, recordBytes(fields))
  let offset = 0
  for (const [name, type] of Object.entries(fields)) {
    const value = (values as Readonly<Record<string, number>>)[name]!
    if (type === 'f32') view.setFloat32(offset, value, true)
    else view.setUint32(offset, value, true)
    offset += 4
  }
}
