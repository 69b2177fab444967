/** Four-lane and scalar functions that the kernels share. */
import { multiplyAdd } from './dot'

// @ts-ignore: decorator
@inline
export function horizontalSum(v: v128): f32 {
  return (
    f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 2) + (f32x4.extract_lane(v, 1) + f32x4.extract_lane(v, 3))
  )
}

// @ts-ignore: decorator
@inline
export function horizontalMax(v: v128): f32 {
  return max(
    max(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1)),
    max(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)),
  )
}

/**
 * e^x, relative error below 2.7e-7; exactly 0 below −87, so that masked scores (−∞) leave no trace.
 * x = n ln 2 + r with |r| ≤ ln 2 / 2; e^r by the Chebyshev series cut at degree 5; n enters the exponent bits.
 */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  const clamped = f32x4.pmin(f32x4.splat(88), f32x4.pmax(f32x4.splat(-87), x))
  const n = f32x4.nearest(f32x4.mul(clamped, f32x4.splat(1.4426950408889634)))
  let r = f32x4.sub(clamped, f32x4.mul(n, f32x4.splat(0.693145751953125)))
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(1.428606765330187e-6)))
  let p = f32x4.splat(0.008375137267937035)
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.041917579988663495))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.16666415376600746))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.49998868655632817))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.0000000377501148))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.0000000755407141))
  const power = i32x4.shl(i32x4.add(roundToInt(n), i32x4.splat(127)), 23)
  return v128.and(f32x4.mul(p, power), f32x4.ge(x, f32x4.splat(-87)))
}

export const LOG2_E: f32 = 1.4426950408889634

/**
 * 2^x for x ≤ 0, relative error below 4e-6; 2^−126 below that. What softmax needs, at half the cost of exp4.
 * Adding 1.5 × 2^23 + 127 rounds x to an integer and leaves the exponent of its power in the low bits.
 */
// @ts-ignore: decorator
@inline
export function exp2Negative4(x: v128): v128 {
  const clamped = f32x4.pmax(f32x4.splat(-126), x)
  const shifted = f32x4.add(clamped, f32x4.splat(12583039))
  const r = f32x4.sub(clamped, f32x4.sub(shifted, f32x4.splat(12583039)))
  let p = multiplyAdd(f32x4.splat(0.009676048709047421), r, f32x4.splat(0.05592211948797535))
  p = multiplyAdd(p, r, f32x4.splat(0.24022107138099075))
  p = multiplyAdd(p, r, f32x4.splat(0.6931210235104093))
  p = multiplyAdd(p, r, f32x4.splat(1.0000000755407141))
  return f32x4.mul(p, i32x4.shl(shifted, 23))
}

/** Scalar 2^x, x ≤ 0, through the same polynomial. */
export function exp2Negative(x: f32): f32 {
  return f32x4.extract_lane(exp2Negative4(f32x4.splat(x)), 0)
}

/** Scalar e^x through the same polynomial. */
export function exp1(x: f32): f32 {
  return f32x4.extract_lane(exp4(f32x4.splat(x)), 0)
}

/**
 * Nearest integers (ties to even) of floats of magnitude below 2^22: adding 1.5 × 2^23 leaves the integer in
 * the low mantissa bits. Cheaper than the saturating conversion.
 */
// @ts-ignore: decorator
@inline
export function roundToInt(x: v128): v128 {
  return i32x4.sub(f32x4.add(x, f32x4.splat(12582912)), i32x4.splat(0x4b400000))
}

/** x / (1 + e^−x) */
// @ts-ignore: decorator
@inline
export function silu4(x: v128): v128 {
  return f32x4.div(x, f32x4.add(f32x4.splat(1), exp4(f32x4.neg(x))))
}

/** GELU's tanh form, x / (1 + e^−2y) with y = sqrt(2/π) (x + 0.044715 x³). */
// @ts-ignore: decorator
@inline
export function gelu4(x: v128): v128 {
  const cube = f32x4.mul(f32x4.mul(x, x), x)
  const y = f32x4.mul(
    f32x4.splat(0.7978845608028654),
    f32x4.add(x, f32x4.mul(f32x4.splat(0.044715), cube)),
  )
  return f32x4.div(x, f32x4.add(f32x4.splat(1), exp4(f32x4.mul(f32x4.splat(-2), y))))
}

/** cap × tanh(x / cap) */
// @ts-ignore: decorator
@inline
export function softcap4(x: v128, cap: f32): v128 {
  const e = exp4(f32x4.mul(x, f32x4.splat(2 / cap)))
  const tanh = f32x4.sub(f32x4.splat(1), f32x4.div(f32x4.splat(2), f32x4.add(e, f32x4.splat(1))))
  return f32x4.mul(f32x4.splat(cap), tanh)
}

/** An f16 bit pattern as f32; infinities and NaN come out as large finite numbers. */
export function halfToFloat(bits: u32): f32 {
  const magnitude = reinterpret<f32>((bits & 0x7fff) << 13) * 5192296858534827628530496329220096.0 // 2^112
  return bits & 0x8000 ? -magnitude : magnitude
}

/** The nearest f16 bit pattern (ties to even); too large becomes the largest finite one. */
export function floatToHalf(value: f32): u32 {
  const bits = reinterpret<u32>(value)
  const sign = (bits >>> 16) & 0x8000
  const magnitude = reinterpret<f32>(bits & 0x7fffffff)
  if (magnitude >= 65520) return sign | 0x7bff
  if (magnitude < 6.103515625e-5) {
    // Subnormal: a multiple of 2^−24; adding 0.5 rounds it into the mantissa of a float in [0.5, 1).
    return sign | (reinterpret<u32>(magnitude + 0.5) - 0x3f000000)
  }
  const rounded = (bits & 0x7fffffff) + 0xfff + ((bits >>> 13) & 1)
  return sign | ((rounded - 0x38000000) >>> 13)
}
