/**
 * Records that the host writes into memory (see ../layout.ts, which lists the same fields in the same order).
 * All fields are four bytes wide; a pointer of 0 means "this model has none".
 */

/** A weight matrix of `rows` outputs and `columns` inputs, as repacked at load. */
@unmanaged
export class Matrix {
  kind: i32 // one of MatrixKind
  rows: i32
  columns: i32
  data: usize
}

// How the rows of a matrix lie in memory; repack.ts writes them, matmul-*.ts read them.
// Quantised kinds keep groups of 8 rows; within a group, blocks of 32 columns one after the other.
/** Block: 8 f16 scales, 8 f16 minima, 8 column quads × 16 bytes (4 rows × 4 columns; low nibble row r, high row r + 4). */
export const MATRIX_4BIT: i32 = 0
/** Block: 8 f16 scales, 8 column quads × 2 × 16 bytes (rows 0…3, rows 4…7) of code + 128. */
export const MATRIX_8BIT: i32 = 1
/** Block: for each half of 16 columns 8 f16 scales and 8 f16 minima, then quads as in MATRIX_8BIT with codes 0…127. */
export const MATRIX_7BIT: i32 = 2
/** Plain rows of f32, f16, bf16. */
export const MATRIX_F32: i32 = 3
export const MATRIX_F16: i32 = 4
export const MATRIX_BF16: i32 = 5

export const BLOCK_BYTES_4BIT: usize = 160
export const BLOCK_BYTES_8BIT: usize = 272
export const BLOCK_BYTES_7BIT: usize = 320

@unmanaged
export class Layer {
  attentionNorm: usize // f32 (embedding)
  query: Matrix // pointers to Matrix records
  key: Matrix
  value: Matrix
  queryBias: usize // f32 (heads × headDim) or 0
  keyBias: usize
  valueBias: usize
  queryNorm: usize // f32 (headDim) or 0
  keyNorm: usize
  output: Matrix
  postAttentionNorm: usize
  feedForwardNorm: usize
  gate: Matrix
  up: Matrix
  down: Matrix
  postFeedForwardNorm: usize
  rope: i32 // which of the model's rotation tables
  window: i32 // 0: sees everything before it
}

@unmanaged
export class Model {
  layerCount: i32
  layers: usize // Layer[layerCount], contiguous
  embedding: i32 // length of the residual
  headCount: i32
  kvHeadCount: i32
  headDim: i32
  feedForward: i32
  vocabulary: i32
  normEpsilon: f32
  embeddingScale: f32
  attentionScale: f32
  attentionSoftcap: f32 // 0: none
  logitSoftcap: f32 // 0: none
  activation: i32 // 0 SiLU, 1 GELU (tanh)
  ropeDimensions: i32
  ropeStyle: i32 // 0 interleaved, 1 half
  tokenEmbedding: Matrix
  outputNorm: usize
  outputHead: Matrix
  queryLimit: i32 // largest magnitude of a quantised query element (attention.ts)
  keyLimit: i32
}

/** Buffers of one forward pass, shared by all threads unless said otherwise. */
@unmanaged
export class Scratch {
  tokens: usize // i32 (maxBatch)
  positions: usize // i32 (maxBatch): each token's place in its sequence
  caches: usize // Cache[] (maxBatch): each token's sequence
  rotation: usize // f32 (table, maxBatch, ropeDimensions): cosines then sines of a token
  residual: usize // f32 (maxBatch, embedding)
  activation: usize // activations.ts, (maxBatch)
  qkv: usize // f32 (maxBatch, qkvStride)
  queries: usize // attention.ts, (maxBatch, headCount)
  gate: usize // f32 (maxBatch, feedForwardStride)
  up: usize
  projection: usize // f32 (maxBatch, embeddingStride)
  partials: usize // f32 (headCount, chunks, headDim + 4)
  logits: usize // f32 (maxOutputs, vocabularyStride)
  statistics: usize // f32 (maxOutputs, chunks of 256 rows, 8)
  results: usize // (maxOutputs) records of logits.ts
  threadScratch: usize // one area a thread
  tiles: usize // tile.ts (maxBatch / 4)
  unpacked: usize // matmul-4bit.ts, one area a thread
  unpackedBytes: i32
  threadScratchBytes: i32
  activationBytes: i32 // one token's record of the widest input
  embeddingStride: i32 // floats, as all strides
  qkvStride: i32
  feedForwardStride: i32
  vocabularyStride: i32
  maxBatch: i32
}

/** The KV cache of one sequence (attention.ts says how it lies in memory). */
@unmanaged
export class Cache {
  pages: usize // usize[]: one page a PAGE tokens
  codeBytes: i32 // 1: codes are i8; 2: i16
}
