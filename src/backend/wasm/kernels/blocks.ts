/**
 * Blocks of the GGUF quantisations, 32 weights at a time: weight ≈ scale × code + minimum.
 * Formats: ggml-common.h and ggml-quants.c of https://github.com/ggml-org/ggml.
 */
import { floatToHalf, halfToFloat } from './math'

// Numbers as in GGUF files.
export const TYPE_Q4_0: i32 = 2
export const TYPE_Q4_1: i32 = 3
export const TYPE_Q5_0: i32 = 6
export const TYPE_Q5_1: i32 = 7
export const TYPE_Q8_0: i32 = 8
export const TYPE_Q2_K: i32 = 10
export const TYPE_Q3_K: i32 = 11
export const TYPE_Q4_K: i32 = 12
export const TYPE_Q5_K: i32 = 13
export const TYPE_Q6_K: i32 = 14
export const TYPE_IQ4_NL: i32 = 20

/** f16 bits of the last decoded block: of its first and second 16 weights. */
export let scale0: u32 = 0
export let scale1: u32 = 0
export let minimum0: u32 = 0
export let minimum1: u32 = 0

/** Bytes of 32 weights; for K-types an eighth of 256 (not whole: see rowBytes). */
export function rowBytes(type: i32, columns: i32): usize {
  const blocks = <usize>columns >> 5
  const superBlocks = <usize>columns >> 8
  if (type == TYPE_Q4_0 || type == TYPE_IQ4_NL) return blocks * 18
  if (type == TYPE_Q4_1) return blocks * 20
  if (type == TYPE_Q5_0) return blocks * 22
  if (type == TYPE_Q5_1) return blocks * 24
  if (type == TYPE_Q8_0) return blocks * 34
  if (type == TYPE_Q2_K) return superBlocks * 84
  if (type == TYPE_Q3_K) return superBlocks * 110
  if (type == TYPE_Q4_K) return superBlocks * 144
  if (type == TYPE_Q5_K) return superBlocks * 176
  if (type == TYPE_Q6_K) return superBlocks * 210
  return 0
}

// @ts-ignore: decorator
@inline
function bothHalves(scale: u32, minimum: u32): void {
  scale0 = scale1 = scale
  minimum0 = minimum1 = minimum
}

/** f16 of factor × (f16 at pointer). */
// @ts-ignore: decorator
@inline
function scaled(pointer: usize, factor: f32): u32 {
  return floatToHalf(halfToFloat(load<u16>(pointer)) * factor)
}

/** Nibbles of 16 bytes: low ones are weights 0…15, high ones 16…31. */
// @ts-ignore: decorator
@inline
function splitNibbles(source: usize, codes: usize): void {
  const v = v128.load(source)
  v128.store(codes, v128.and(v, i8x16.splat(15)))
  v128.store(codes, i8x16.shr_u(v, 4), 16)
}

/** Adds 16 to codes whose bit is set. */
function addFifthBits(bits: u32, codes: usize): void {
  for (let i: u32 = 0; i < 32; i++) store<u8>(codes + i, load<u8>(codes + i) | (((bits >> i) & 1) << 4))
}

/**
 * Decodes block `block` (32 columns) of a row: 32 code bytes to `codes`, f16 bits to the globals above.
 * Codes of Q8_0 and IQ4_NL come as code + 128 with minimum −128 × scale left out.
 */
export function decodeBlock(type: i32, row: usize, block: i32, codes: usize): void {
  if (type < TYPE_Q2_K || type == TYPE_IQ4_NL) decodeSimple(type, row + rowBytes(type, block << 5), codes)
  else decodeK(type, row + rowBytes(type, (block >> 3) << 8), block & 7, codes)
}

function decodeSimple(type: i32, source: usize, codes: usize): void {
  const scale = <u32>load<u16>(source)
  if (type == TYPE_Q4_0) {
    splitNibbles(source + 2, codes)
    bothHalves(scale, scaled(source, -8))
  } else if (type == TYPE_Q4_1) {
    splitNibbles(source + 4, codes)
    bothHalves(scale, load<u16>(source, 2))
  } else if (type == TYPE_Q5_0) {
    splitNibbles(source + 6, codes)
    addFifthBits(load<u32>(source, 2), codes)
    bothHalves(scale, scaled(source, -16))
  } else if (type == TYPE_Q5_1) {
    splitNibbles(source + 8, codes)
    addFifthBits(load<u32>(source, 4), codes)
    bothHalves(scale, load<u16>(source, 2))
  } else if (type == TYPE_Q8_0) {
    const flip = i8x16.splat(-128)
    v128.store(codes, v128.xor(v128.load(source, 2), flip))
    v128.store(codes, v128.xor(v128.load(source, 18), flip), 16)
    bothHalves(scale, 0)
  } else {
    // IQ4_NL: sixteen values that follow a normal distribution.
    const values = i8x16(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113)
    const flip = i8x16.splat(-128)
    splitNibbles(source + 2, codes)
    v128.store(codes, v128.xor(i8x16.swizzle(values, v128.load(codes)), flip))
    v128.store(codes, v128.xor(i8x16.swizzle(values, v128.load(codes, 16)), flip), 16)
    bothHalves(scale, 0)
  }
}

/** Block `b` (0…7) of a super-block of 256. */
function decodeK(type: i32, source: usize, b: i32, codes: usize): void {
  const half = <usize>(b >> 2)
  const shift = <u32>(b & 3) << 1
  if (type == TYPE_Q2_K) {
    const quants = source + 16 + half * 32
    for (let l: usize = 0; l < 32; l++) store<u8>(codes + l, (<u32>load<u8>(quants + l) >> shift) & 3)
    const low = <u32>load<u8>(source + (b << 1))
    const high = <u32>load<u8>(source + (b << 1) + 1)
    scale0 = scaled(source + 80, <f32>(low & 15))
    scale1 = scaled(source + 80, <f32>(high & 15))
    minimum0 = scaled(source + 82, -<f32>(low >> 4))
    minimum1 = scaled(source + 82, -<f32>(high >> 4))
  } else if (type == TYPE_Q3_K) {
    const quants = source + 32 + half * 32
    for (let l: usize = 0; l < 32; l++) {
      const highBit = (<u32>load<u8>(source + l) >> b) & 1
      store<u8>(codes + l, ((<u32>load<u8>(quants + l) >> shift) & 3) | (highBit << 2))
    }
    const low = <f32>sixBitScale(source + 96, b << 1)
    const high = <f32>sixBitScale(source + 96, (b << 1) + 1)
    scale0 = scaled(source + 108, low)
    scale1 = scaled(source + 108, high)
    minimum0 = floatToHalf(-4 * halfToFloat(scale0))
    minimum1 = floatToHalf(-4 * halfToFloat(scale1))
  } else if (type == TYPE_Q6_K) {
    const low = source + half * 64 + <usize>((b & 1) << 5)
    const high = source + 128 + half * 32
    const nibble: u32 = b & 2 ? 4 : 0
    for (let l: usize = 0; l < 32; l++) {
      const code = ((<u32>load<u8>(low + l) >> nibble) & 15) | (((<u32>load<u8>(high + l) >> shift) & 3) << 4)
      store<u8>(codes + l, code)
    }
    const scales = source + 192 + <usize>(b << 1)
    scale0 = scaled(source + 208, <f32>load<i8>(scales))
    scale1 = scaled(source + 208, <f32>load<i8>(scales, 1))
    minimum0 = floatToHalf(-32 * halfToFloat(scale0))
    minimum1 = floatToHalf(-32 * halfToFloat(scale1))
  } else {
    // Q4_K, Q5_K: six-bit scales and minima of eight blocks in twelve bytes.
    const scales = source + 4
    let scale: u32, minimum: u32
    if (b < 4) {
      scale = load<u8>(scales + b) & 63
      minimum = load<u8>(scales + b, 4) & 63
    } else {
      const last = <u32>load<u8>(scales + b, 4)
      scale = (last & 15) | ((<u32>load<u8>(scales + b - 4) >> 6) << 4)
      minimum = (last >> 4) | ((<u32>load<u8>(scales + b) >> 6) << 4)
    }
    const quants = source + (type == TYPE_Q4_K ? 16 : 48) + <usize>((b >> 1) << 5)
    const nibble: u32 = b & 1 ? 4 : 0
    for (let l: usize = 0; l < 32; l++) {
      let code = (<u32>load<u8>(quants + l) >> nibble) & 15
      if (type == TYPE_Q5_K) code |= ((<u32>load<u8>(source + 16 + l) >> b) & 1) << 4
      store<u8>(codes + l, code)
    }
    bothHalves(scaled(source, <f32>scale), scaled(source + 2, -<f32>minimum))
  }
}

/** Q3_K's scale i (0…15) of twelve bytes, −32…31. */
function sixBitScale(scales: usize, i: i32): i32 {
  const low = i < 8 ? load<u8>(scales + i) & 15 : load<u8>(scales + i - 8) >> 4
  const high = (<u32>load<u8>(scales + 8 + (i & 3)) >> ((i >> 2) << 1)) & 3
  return <i32>(low | (high << 4)) - 32
}
