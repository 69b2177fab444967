/**
 * What unit tests call: every kernel alone. Built by `node scripts/build-kernels.mjs testing` to build/kernels-testing
 * and never part of what users download.
 */
import { codesOf, metaOf } from './activations'
import { BLOCK_ACTIVATION_BYTES } from './dot'
import { exp4, gelu4, silu4, softcap4 } from './math'

export {
  attendChunk,
  clearResult,
  finishResult,
  loadKey,
  mergePartial,
  moveValue,
  quantizeVector,
  storeKey,
  storeValue,
} from './attention'
export { quantizeRecord, rmsNorm } from './activations'
export { summarizeLogits } from './logits'
export { exp1, floatToHalf, halfToFloat } from './math'
export { multiply, readRow } from './matmul'
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

// The functions of math.ts over `count` values (a multiple of 4), in place.
export function expAll(values: usize, count: i32): void {
  for (let i = 0; i < count; i += 4) {
    const at = values + (<usize>i << 2)
    v128.store(at, exp4(v128.load(at)))
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
