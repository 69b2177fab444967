/**
 * The integer dot products under every quantised matrix product, in three builds (constant DOT):
 *
 * 0  plain SIMD: i32x4.dot_i16x8_s; activations are kept as i16, even columns of a quad before odd ones.
 * 1  relaxed SIMD with 16-bit sums: i16x8.relaxed_dot_i8x16_i7x16_s, widened once a block. Two instructions for 16
 *    products where the CPU has no int8 dot product (x86 before AVX-VNNI).
 * 2  relaxed SIMD with 32-bit sums: i32x4.relaxed_dot_i8x16_i7x16_add_s. One instruction where the CPU has one.
 *
 * Weights are the i7 operand (0…127), so all builds mean the same on every CPU.
 * All three give the same integers, hence the same logits to the bit apart from fused multiply-adds.
 */

/** Bytes of 32 quantised activations. */
// @ts-ignore: decorator
@inline
export const BLOCK_ACTIVATION_BYTES: usize = DOT == 0 ? 64 : 32

/** a × b + c, fused where the CPU can. */
// @ts-ignore: decorator
@inline
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  if (DOT == 0) return f32x4.add(f32x4.mul(a, b), c)
  return f32x4.relaxed_madd(a, b, c)
}

/** One column quad (0…7) of a token's block, for four rows at once. */
// @ts-ignore: decorator
@inline
export function loadQuad(activations: usize, quad: usize): v128 {
  return v128.load32_splat(activations + quad * 4)
}

/** Adds the products of 16 weights (4 rows × 4 columns, each 0…127) with a quad to a sum. Builds 1 and 2. */
// @ts-ignore: decorator
@inline
export function addDot(sum: v128, activations: v128, weights: v128): v128 {
  if (DOT == 1) return i16x8.add(sum, i16x8.relaxed_dot_i8x16_i7x16_s(activations, weights))
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(activations, weights, sum)
}

/** The first products of a sum. */
// @ts-ignore: decorator
@inline
export function startDot(activations: v128, weights: v128): v128 {
  if (DOT == 1) return i16x8.relaxed_dot_i8x16_i7x16_s(activations, weights)
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(activations, weights, i32x4.splat(0))
}

/** Four row sums as i32. */
// @ts-ignore: decorator
@inline
export function finishDot(sum: v128): v128 {
  if (DOT == 1) return i32x4.extadd_pairwise_i16x8_s(sum)
  return sum
}

/** Four f16 at `pointer`, all ≥ 0, as f32 × 2^−112. */
// @ts-ignore: decorator
@inline
export function loadScales(pointer: usize): v128 {
  return i32x4.shl(v128.load16x4_u(pointer), 13)
}

/** Four f16 of either sign as f32 × 2^−112. */
// @ts-ignore: decorator
@inline
export function loadSignedScales(pointer: usize): v128 {
  return v128.and(i32x4.shl(v128.load16x4_s(pointer), 13), i32x4.splat(0x8fffffff))
}

/**
 * f16 weight scales are read as f32 × 2^−112 by a shift alone. Activation scales carry 2^64 and finished rows
 * 2^48 to make up for it; in three parts so that nothing overflows.
 */
export const ACTIVATION_FACTOR: f32 = 18446744073709551616.0 // 2^64
export const ROW_FACTOR: f32 = 281474976710656.0 // 2^48
