/**
 * Matrix products with MATRIX_7BIT weights: codes 0…127 in bytes, a scale and a minimum for each 16 columns.
 * Serves the five- and six-bit types and the K-types with blocks of 16 without losing precision.
 */
import { BLOCK_META_BYTES } from './activations'
import { BLOCK_ACTIVATION_BYTES, loadSignedScales, multiplyAdd } from './dot'
import { storeRows } from './matmul-4bit'
import { BLOCK_BYTES_7BIT } from './structs'

/** Adds 4 rows × 4 columns. Two products of 127 × 127 just fit 16 bits: build 1 widens every pair. */
// @ts-ignore: decorator
@inline
function addByteDot(sum: v128, weights: v128, quad: usize): v128 {
  if (DOT == 0) {
    sum = i32x4.add(sum, i32x4.dot_i16x8_s(v128.and(weights, i16x8.splat(0xff)), v128.load32_splat(quad)))
    return i32x4.add(sum, i32x4.dot_i16x8_s(i16x8.shr_u(weights, 8), v128.load32_splat(quad, 4)))
  }
  const values = v128.load32_splat(quad)
  if (DOT == 1) {
    return i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(values, weights)))
  }
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(values, weights, sum)
}

/** Rows of groups [from, to) for one token. */
export function token7bit(
  weights: usize, codes: usize, meta: usize, columns: i32, from: i32, to: i32, out: usize, add: bool,
): void {
  const halves = columns >> 4
  const halfBytes = BLOCK_BYTES_7BIT / 2
  const halfActivationBytes = BLOCK_ACTIVATION_BYTES / 2
  const quadBytes = BLOCK_ACTIVATION_BYTES / 8
  let w = weights + <usize>from * <usize>halves * halfBytes
  for (let group = from; group < to; group++) {
    let x = codes
    let m = meta
    let r0 = f32x4.splat(0)
    let r1 = f32x4.splat(0)
    for (let h = 0; h < halves; h++) {
      let d0 = i32x4.splat(0)
      let d1 = i32x4.splat(0)
      for (let q: usize = 0; q < 4; q++) {
        d0 = addByteDot(d0, v128.load(w + q * 32, 32), x + q * quadBytes)
        d1 = addByteDot(d1, v128.load(w + q * 32, 48), x + q * quadBytes)
      }
      const scale = v128.load32_splat(m)
      // The record keeps the sum of the whole block and of its first half.
      let sum = v128.load32_splat(m, 12)
      if (h & 1) sum = f32x4.sub(v128.load32_splat(m, 4), sum)
      r0 = multiplyAdd(f32x4.convert_i32x4_s(d0), f32x4.mul(loadSignedScales(w), scale), r0)
      r0 = multiplyAdd(loadSignedScales(w + 16), sum, r0)
      r1 = multiplyAdd(f32x4.convert_i32x4_s(d1), f32x4.mul(loadSignedScales(w + 8), scale), r1)
      r1 = multiplyAdd(loadSignedScales(w + 24), sum, r1)
      w += halfBytes
      x += halfActivationBytes
      m += h & 1 ? BLOCK_META_BYTES : 0
    }
    const y = out + (<usize>group << 5)
    storeRows(y, r0, add)
    storeRows(y + 16, r1, add)
  }
}
