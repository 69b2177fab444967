// 16-bit floats. Arguments and results in bits are unsigned 16-bit integers.

/** (32) 2^(exponent − 15) of binary16. */
const powers = Float64Array.from({ length: 32 }, (_, exponent) => 2 ** (exponent - 15))
const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)

/** IEEE 754 binary16 to a number, exactly. */
export function halfToFloat(half: number): number {
  const exponent = (half >>> 10) & 0x1f
  const fraction = half & 0x3ff
  const sign = half & 0x8000 ? -1 : 1
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN
  return sign * powers[exponent]! * (1 + fraction / 1024)
}

/** Rounds to float32, then to the nearest binary16, ties to even, as ggml does. */
export function floatToHalf(value: number): number {
  float[0] = value
  const sign = (bits[0]! >>> 16) & 0x8000
  const magnitude = bits[0]! & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00 // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00 // 65520 and more round to infinity
  if (magnitude < 0x38800000) {
    // Below 2^-14 halves are multiples of 2^-24.
    const scaled = Math.abs(float[0]) * 2 ** 24
    const floor = Math.floor(scaled)
    const rest = scaled - floor
    return sign | (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor)
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1)
  return sign | ((rounded - 0x38000000) >>> 13)
}

/** bfloat16 to a number, exactly. */
export function bfloatToFloat(bfloat: number): number {
  bits[0] = bfloat << 16
  return float[0]!
}

/** Rounds to float32, then to the nearest bfloat16, ties to even. */
export function floatToBfloat(value: number): number {
  float[0] = value
  if ((bits[0]! & 0x7fffffff) > 0x7f800000) return (bits[0]! >>> 16) | 0x40 // NaN, made quiet
  return ((bits[0]! + 0x7fff + ((bits[0]! >>> 16) & 1)) >>> 16) & 0xffff
}
