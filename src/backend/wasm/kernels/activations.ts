/**
 * Inputs of matrix products. The record of one token with `columns` inputs is
 *   f32 (columns)                      the values
 *   i8 or i16 (columns)                quantised (dot.ts says in which order)
 *   (columns / 32) × { f32 scale, f32 sum, i32 integerSum, f32 lowSum }
 * where value ≈ scale × code, sum = scale × Σ codes of the block, lowSum of its first half. Scale and sums carry
 * ACTIVATION_FACTOR. Blocks of 32 with one scale, 127 steps to each side, as llama.cpp's Q8_1.
 */
import { ACTIVATION_FACTOR, BLOCK_ACTIVATION_BYTES } from './dot'
import { horizontalMax, horizontalSum, roundToInt } from './math'

export const BLOCK_META_BYTES: usize = 16

// @ts-ignore: decorator
@inline
export function codesOf(record: usize, columns: i32): usize {
  return record + <usize>columns * 4
}

// @ts-ignore: decorator
@inline
export function metaOf(record: usize, columns: i32): usize {
  return record + <usize>columns * 4 + (<usize>columns >> 5) * BLOCK_ACTIVATION_BYTES
}

/** RMS norm: x / sqrt(mean(x²) + epsilon) × weight. `output` may be `input`. */
export function rmsNorm(input: usize, weight: usize, columns: i32, epsilon: f32, output: usize): void {
  let squares0 = f32x4.splat(0)
  let squares1 = f32x4.splat(0)
  let i: i32 = 0
  for (; i + 8 <= columns; i += 8) {
    const a = v128.load(input + <usize>i * 4)
    const b = v128.load(input + <usize>i * 4, 16)
    squares0 = f32x4.add(squares0, f32x4.mul(a, a))
    squares1 = f32x4.add(squares1, f32x4.mul(b, b))
  }
  let sum = horizontalSum(f32x4.add(squares0, squares1))
  for (let j = i; j < columns; j++) {
    const a = load<f32>(input + <usize>j * 4)
    sum += a * a
  }
  const inverse: f32 = 1.0 / sqrt<f32>(sum / <f32>columns + epsilon)
  const inverse4 = f32x4.splat(inverse)
  i = 0
  for (; i + 4 <= columns; i += 4) {
    const at = <usize>i * 4
    v128.store(output + at, f32x4.mul(f32x4.mul(v128.load(input + at), inverse4), v128.load(weight + at)))
  }
  for (; i < columns; i++) {
    const at = <usize>i * 4
    store<f32>(output + at, load<f32>(input + at) * inverse * load<f32>(weight + at))
  }
}

/** Makes the record of `values` (columns). `record` may be `values`. Columns that are no multiple of 32 stay unquantised. */
export function quantizeRecord(values: usize, record: usize, columns: i32): void {
  if (values != record) memory.copy(record, values, <usize>columns << 2)
  if (columns & 31) return
  let codes = codesOf(record, columns)
  let meta = metaOf(record, columns)
  for (let b = columns >> 5; b > 0; b--) {
    const v0 = v128.load(values)
    const v1 = v128.load(values, 16)
    const v2 = v128.load(values, 32)
    const v3 = v128.load(values, 48)
    const v4 = v128.load(values, 64)
    const v5 = v128.load(values, 80)
    const v6 = v128.load(values, 96)
    const v7 = v128.load(values, 112)
    const largest = horizontalMax(
      f32x4.pmax(
        f32x4.pmax(
          f32x4.pmax(f32x4.abs(v0), f32x4.abs(v1)),
          f32x4.pmax(f32x4.abs(v2), f32x4.abs(v3)),
        ),
        f32x4.pmax(
          f32x4.pmax(f32x4.abs(v4), f32x4.abs(v5)),
          f32x4.pmax(f32x4.abs(v6), f32x4.abs(v7)),
        ),
      ),
    )
    const inverse = f32x4.splat(largest > 0 ? <f32>127 / largest : 0)
    const scale = (largest * <f32>(1.0 / 127.0)) * ACTIVATION_FACTOR
    // i16 (8 codes each), in column order
    const a = i16x8.narrow_i32x4_s(roundToInt(f32x4.mul(v0, inverse)), roundToInt(f32x4.mul(v1, inverse)))
    const b2 = i16x8.narrow_i32x4_s(roundToInt(f32x4.mul(v2, inverse)), roundToInt(f32x4.mul(v3, inverse)))
    const c = i16x8.narrow_i32x4_s(roundToInt(f32x4.mul(v4, inverse)), roundToInt(f32x4.mul(v5, inverse)))
    const d = i16x8.narrow_i32x4_s(roundToInt(f32x4.mul(v6, inverse)), roundToInt(f32x4.mul(v7, inverse)))
    if (DOT == 0) {
      v128.store(codes, evenBeforeOdd(a))
      v128.store(codes, evenBeforeOdd(b2), 16)
      v128.store(codes, evenBeforeOdd(c), 32)
      v128.store(codes, evenBeforeOdd(d), 48)
    } else {
      v128.store(codes, i8x16.narrow_i16x8_s(a, b2))
      v128.store(codes, i8x16.narrow_i16x8_s(c, d), 16)
    }
    const low = sumLanes(i16x8.add(a, b2))
    const all = low + sumLanes(i16x8.add(c, d))
    store<f32>(meta, scale)
    store<f32>(meta, scale * <f32>all, 4)
    store<i32>(meta, all, 8)
    store<f32>(meta, scale * <f32>low, 12)
    values += 128
    codes += BLOCK_ACTIVATION_BYTES
    meta += BLOCK_META_BYTES
  }
}

/** Per quad of columns (c0 c1 c2 c3): c0 c2 c1 c3. */
// @ts-ignore: decorator
@inline
function evenBeforeOdd(v: v128): v128 {
  return v128.shuffle<i16>(v, v, 0, 2, 1, 3, 4, 6, 5, 7)
}

// @ts-ignore: decorator
@inline
function sumLanes(v: v128): i32 {
  const s = i32x4.extadd_pairwise_i16x8_s(v)
  return (
    i32x4.extract_lane(s, 0) + i32x4.extract_lane(s, 1) + i32x4.extract_lane(s, 2) + i32x4.extract_lane(s, 3)
  )
}
