/**
 * What unit tests call: every kernel alone. Built by `node scripts/build-kernels.mjs testing` to build/kernels-testing
 * and never part of what users download.
 */
import { codesOf, metaOf, quantizeRecord } from './activations'
import { BLOCK_ACTIVATION_BYTES } from './dot'
import { exp2Negative4, exp4, gelu4, silu4, softcap4 } from './math'
import { multiply, setInputs, tiledTokens } from './matmul'
import { UNPACKED_BLOCK_BYTES } from './matmul-4bit'
import { Matrix } from './structs'
import { placeInTile } from './tile'

export {
  attendChunk,
  clearResult,
  finishResult,
  loadKey,
  mergePartial,
  moveValue,
  storeKey,
  storeQuery,
  storeValue,
} from './attention'
export { quantizeRecord, rmsNorm } from './activations'
export { hadamard } from './hadamard'
export { summarizeLogits } from './logits'
export { exp1, floatToHalf, halfToFloat } from './math'
export { readRow } from './matmul'
export { groupBytes, matrixKind, repack } from './repack'
export { rotate } from './rope'
export { setThread } from './threads'

export function recordCodes(record: usize, columns: i32): usize {
  return codesOf(record, columns)
}
export function recordMeta(record: usize, columns: i32): usize {
  return metaOf(record, columns)
}
/** 2 where codes are i16, else 1. */
export function codeBytes(): i32 {
  return <i32>(BLOCK_ACTIVATION_BYTES >> 5)
}

/** Enough for the record of a token's input in every build. */
export function recordStride(columns: i32): i32 {
  return (columns * 6 + (columns >> 5) * 16 + 63) & ~63
}

/** Room that `product` works in. */
export function productWorkBytes(columns: i32, tokens: i32): i32 {
  const unpacked = (columns >> 5) * <i32>UNPACKED_BLOCK_BYTES
  return recordStride(columns) * (tokens + 4 * ((tokens + 3) >> 2)) + unpacked
}

/**
 * out[token][row] (+)= matrix × values[token], this thread's share of the rows, for values (tokens, columns), as forward.ts
 * does it. `outStride` in bytes. `work` begins with the tokens' records.
 */
export function product(
  matrix: Matrix, values: usize, tokens: i32, out: usize, outStride: usize, add: bool, work: usize,
): void {
  const columns = matrix.columns
  const recordBytes = <usize>recordStride(columns)
  const tiles = work + <usize>tokens * recordBytes
  const tileBytes = recordBytes * 4
  for (let t = 0; t < tokens; t++) {
    const record = work + <usize>t * recordBytes
    quantizeRecord(values + <usize>(t * columns) * 4, record, columns)
    if (t < tiledTokens(tokens)) placeInTile(record, columns, tiles + <usize>(t >> 2) * tileBytes, t & 3)
  }
  const unpacked = tiles + <usize>((tokens + 3) >> 2) * tileBytes
  setInputs(tokens, work, recordBytes, tiles, tileBytes, unpacked)
  multiply(matrix, out, outStride, add)
}

// The functions of math.ts over `count` values (a multiple of 4), in place.
export function expAll(values: usize, count: i32): void {
  for (let i = 0; i < count; i += 4) {
    const at = values + (<usize>i << 2)
    v128.store(at, exp4(v128.load(at)))
  }
}
export function exp2NegativeAll(values: usize, count: i32): void {
  for (let i = 0; i < count; i += 4) {
    const at = values + (<usize>i << 2)
    v128.store(at, exp2Negative4(v128.load(at)))
  }
}
export function siluAll(values: usize, count: i32): void {
  for (let i = 0; i < count; i += 4) {
    const at = values + (<usize>i << 2)
    v128.store(at, silu4(v128.load(at)))
  }
}
export function geluAll(values: usize, count: i32): void {
  for (let i = 0; i < count; i += 4) {
    const at = values + (<usize>i << 2)
    v128.store(at, gelu4(v128.load(at)))
  }
}
export function softcapAll(values: usize, count: i32, cap: f32): void {
  for (let i = 0; i < count; i += 4) {
    const at = values + (<usize>i << 2)
    v128.store(at, softcap4(v128.load(at), cap))
  }
}
