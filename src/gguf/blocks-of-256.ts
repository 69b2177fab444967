import { halfToFloat } from './half'

// The K formats: blocks of 256 weights with quantised scales of their own for each 16 or 32 weights. Scales and
// products are rounded to float32 before a minimum is subtracted, as in ggml's scalar code.

function half(bytes: Uint8Array, at: number): number {
  return halfToFloat(bytes[at]! | (bytes[at + 1]! << 8))
}

/**
 * 84 bytes: 16 pairs of 4-bit scale and minimum, 64 bytes of 2-bit quants, d, dmin (f16).
 * Weight = d × scale × q − dmin × minimum. Each 32 bytes of quants hold 128 weights, 2 bits after 2 bits.
 */
export function dequantizeQ2K(bytes: Uint8Array, out: Float32Array): void {
  for (let at = 0, to = 0; at < bytes.length; at += 84, to += 256) {
    const d = half(bytes, at + 80)
    const dmin = half(bytes, at + 82)
    for (let group = 0; group < 16; group++) {
      const scales = bytes[at + group]!
      const scale = Math.fround(d * (scales & 0xf))
      const minimum = Math.fround(dmin * (scales >> 4))
      const quants = at + 16 + (group >> 3) * 32 + (group & 1) * 16
      const shift = ((group >> 1) & 3) * 2
      for (let j = 0; j < 16; j++) {
        out[to + group * 16 + j] = Math.fround(scale * ((bytes[quants + j]! >> shift) & 3)) - minimum
      }
    }
  }
}

/**
 * 110 bytes: 32 bytes of high bits, 64 bytes of 2-bit quants, 16 6-bit scales in 12 bytes, d (f16).
 * Weight = d × (scale − 32) × (q − 4), q of 3 bits. Scales: 16 low nibbles in 8 bytes (first 8, then high halves),
 * then 16 × 2 high bits in 4 bytes.
 */
export function dequantizeQ3K(bytes: Uint8Array, out: Float32Array): void {
  for (let at = 0, to = 0; at < bytes.length; at += 110, to += 256) {
    const d = half(bytes, at + 108)
    for (let group = 0; group < 16; group++) {
      const lowBits = bytes[at + 96 + (group & 7)]! >> (group < 8 ? 0 : 4)
      const highBits = bytes[at + 104 + (group & 3)]! >> ((group >> 2) * 2)
      const scale = Math.fround(d * (((lowBits & 0xf) | ((highBits & 3) << 4)) - 32))
      const within = (group & 1) * 16
      const quants = at + 32 + (group >> 3) * 32 + within
      const shift = ((group >> 1) & 3) * 2
      for (let j = 0; j < 16; j++) {
        const high = (bytes[at + within + j]! >> (group >> 1)) & 1
        out[to + group * 16 + j] = scale * (((bytes[quants + j]! >> shift) & 3) + high * 4 - 4)
      }
    }
  }
}

/** 6-bit scale of group 0…7 among the 12 bytes at `at` (get_scale_min_k4 of ggml-quants.c). */
function scaleOf(bytes: Uint8Array, at: number, group: number): number {
  if (group < 4) return bytes[at + group]! & 63
  return (bytes[at + group + 4]! & 0xf) | ((bytes[at + group - 4]! >> 6) << 4)
}

/** 6-bit minimum of group 0…7. */
function minimumOf(bytes: Uint8Array, at: number, group: number): number {
  if (group < 4) return bytes[at + group + 4]! & 63
  return (bytes[at + group + 4]! >> 4) | ((bytes[at + group]! >> 6) << 4)
}

/**
 * 144 bytes: d, dmin (f16), 8 pairs of 6-bit scale and minimum in 12 bytes, 128 bytes of nibbles.
 * Weight = d × scale × q − dmin × minimum. Each 32 bytes hold 64 weights: 32 low nibbles, then 32 high ones.
 */
export function dequantizeQ4K(bytes: Uint8Array, out: Float32Array): void {
  for (let at = 0, to = 0; at < bytes.length; at += 144, to += 256) {
    const d = half(bytes, at)
    const dmin = half(bytes, at + 2)
    for (let group = 0; group < 8; group++) {
      const scale = Math.fround(d * scaleOf(bytes, at + 4, group))
      const minimum = Math.fround(dmin * minimumOf(bytes, at + 4, group))
      const quants = at + 16 + (group >> 1) * 32
      const shift = (group & 1) * 4
      for (let j = 0; j < 32; j++) {
        out[to + group * 32 + j] = Math.fround(scale * ((bytes[quants + j]! >> shift) & 0xf)) - minimum
      }
    }
  }
}

/** 176 bytes: as Q4_K, with 32 bytes before the nibbles whose bit g is the fifth bit of a weight of group g. */
export function dequantizeQ5K(bytes: Uint8Array, out: Float32Array): void {
  for (let at = 0, to = 0; at < bytes.length; at += 176, to += 256) {
    const d = half(bytes, at)
    const dmin = half(bytes, at + 2)
    for (let group = 0; group < 8; group++) {
      const scale = Math.fround(d * scaleOf(bytes, at + 4, group))
      const minimum = Math.fround(dmin * minimumOf(bytes, at + 4, group))
      const quants = at + 48 + (group >> 1) * 32
      const shift = (group & 1) * 4
      for (let j = 0; j < 32; j++) {
        const quant = ((bytes[quants + j]! >> shift) & 0xf) | (((bytes[at + 16 + j]! >> group) & 1) << 4)
        out[to + group * 32 + j] = Math.fround(scale * quant) - minimum
      }
    }
  }
}

/**
 * 210 bytes: 128 bytes of low nibbles, 64 bytes of high 2 bits, 16 signed scales, d (f16).
 * Weight = d × scale × (q − 32), q of 6 bits. Each half of the block (128 weights) is four runs of 32: low nibbles
 * of 64 bytes, then their high ones; the 2 bits of run r are bits 2r and 2r + 1 of 32 bytes.
 */
export function dequantizeQ6K(bytes: Uint8Array, out: Float32Array): void {
  for (let at = 0, to = 0; at < bytes.length; at += 210, to += 256) {
    const d = half(bytes, at + 208)
    for (let group = 0; group < 16; group++) {
      const scale = Math.fround(d * ((bytes[at + 192 + group]! << 24) >> 24))
      const run = (group >> 1) & 3
      const within = (group & 1) * 16
      const lows = at + (group >> 3) * 64 + (run & 1) * 32 + within
      const highs = at + 128 + (group >> 3) * 32 + within
      for (let j = 0; j < 16; j++) {
        const low = (bytes[lows + j]! >> (run < 2 ? 0 : 4)) & 0xf
        const high = (bytes[highs + j]! >> (run * 2)) & 3
        out[to + group * 16 + j] = scale * ((low | (high << 4)) - 32)
      }
    }
  }
}
