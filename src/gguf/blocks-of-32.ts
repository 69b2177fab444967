import { halfToFloat } from './half'

// Formats with one scale (and one minimum) for 32 weights. Nibble j of a block's 16 bytes is weight j, its high
// half weight j + 16. Products are rounded to float32 before a minimum is added, as in ggml's scalar code.

function half(bytes: Uint8Array, at: number): number {
  return halfToFloat(bytes[at]! | (bytes[at + 1]! << 8))
}

/** Q4_0: d (f16), 16 bytes; weight = d × (q − 8). Q4_1: d, m (f16), 16 bytes; weight = d × q + m. */
export function dequantizeQ4(bytes: Uint8Array, out: Float32Array, hasMinimum: boolean): void {
  const bytesPerBlock = hasMinimum ? 20 : 18
  for (let at = 0, to = 0; at < bytes.length; at += bytesPerBlock, to += 32) {
    const scale = half(bytes, at)
    const minimum = hasMinimum ? half(bytes, at + 2) : -0 // adding −0 changes nothing, not even −0
    const offset = hasMinimum ? 0 : 8
    const quants = at + bytesPerBlock - 16
    for (let j = 0; j < 16; j++) {
      const pair = bytes[quants + j]!
      out[to + j] = Math.fround(scale * ((pair & 0xf) - offset)) + minimum
      out[to + j + 16] = Math.fround(scale * ((pair >> 4) - offset)) + minimum
    }
  }
}

/** As Q4, with the fifth bits of all 32 weights in 4 bytes before the nibbles. Q5_0's weight = d × (q − 16). */
export function dequantizeQ5(bytes: Uint8Array, out: Float32Array, hasMinimum: boolean): void {
  const bytesPerBlock = hasMinimum ? 24 : 22
  for (let at = 0, to = 0; at < bytes.length; at += bytesPerBlock, to += 32) {
    const scale = half(bytes, at)
    const minimum = hasMinimum ? half(bytes, at + 2) : -0 // adding −0 changes nothing, not even −0
    const offset = hasMinimum ? 0 : 16
    const quants = at + bytesPerBlock - 16
    const fifths = quants - 4
    for (let j = 0; j < 16; j++) {
      const pair = bytes[quants + j]!
      const low = (pair & 0xf) | (((bytes[fifths + (j >> 3)]! >> (j & 7)) & 1) << 4)
      const high = (pair >> 4) | (((bytes[fifths + 2 + (j >> 3)]! >> (j & 7)) & 1) << 4)
      out[to + j] = Math.fround(scale * (low - offset)) + minimum
      out[to + j + 16] = Math.fround(scale * (high - offset)) + minimum
    }
  }
}

/** Q8_0: d (f16), 32 signed bytes; weight = d × q. */
export function dequantizeQ8(bytes: Uint8Array, out: Float32Array): void {
  for (let at = 0, to = 0; at < bytes.length; at += 34, to += 32) {
    const scale = half(bytes, at)
    for (let j = 0; j < 32; j++) out[to + j] = scale * ((bytes[at + 2 + j]! << 24) >> 24)
  }
}

/** (16) kvalues_iq4nl of ggml-common.h. */
export const iq4NlValues = Int8Array.of(
  -127,
  -104,
  -83,
  -65,
  -49,
  -35,
  -22,
  -10,
  1,
  13,
  25,
  38,
  53,
  69,
  89,
  113,
)

/** IQ4_NL: d (f16), 16 bytes; weight = d × iq4NlValues[q]. */
export function dequantizeIq4Nl(bytes: Uint8Array, out: Float32Array): void {
  for (let at = 0, to = 0; at < bytes.length; at += 18, to += 32) {
    const scale = half(bytes, at)
    for (let j = 0; j < 16; j++) {
      const pair = bytes[at + 2 + j]!
      out[to + j] = scale * iq4NlValues[pair & 0xf]!
      out[to + j + 16] = scale * iq4NlValues[pair >> 4]!
    }
  }
}
