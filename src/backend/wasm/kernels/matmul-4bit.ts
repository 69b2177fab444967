/**
 * Matrix products with MATRIX_4BIT weights: out[token][row] = Σ columns weight × value.
 *
 * Groups are read one after the other, as one stream: two at once share the loads of activations but were half as fast
 * from memory (9.6 against 4.3 ms a token of SmolLM2), because each stream then jumps every few KB. Four tokens at a time
 * share the unpacking of weights.
 * Every path adds a row's blocks in the same order by the same operations: results do not depend on the path.
 */
import { addDot, BLOCK_ACTIVATION_BYTES, finishDot, loadQuad, loadSignedScales, multiplyAdd, ROW_FACTOR, startDot } from './dot'
import { BLOCK_META_BYTES } from './activations'
import { BLOCK_BYTES_4BIT } from './structs'
import { TILE_BLOCK_BYTES, TILE_CODES_BYTES, TILE_QUAD_BYTES } from './tile'

/** Adds one block's contribution to four rows: dots × weight scale × scale + minimum × sum. */
// @ts-ignore: decorator
@inline
function addBlock(row: v128, dots: v128, weightScale: v128, minimum: v128, scale: v128, sum: v128): v128 {
  row = multiplyAdd(f32x4.convert_i32x4_s(dots), f32x4.mul(weightScale, scale), row)
  return multiplyAdd(minimum, sum, row)
}

// @ts-ignore: decorator
@inline
function plainLow(weights: v128, quad: usize): v128 {
  const mask = i16x8.splat(0x0f)
  return i32x4.add(
    i32x4.dot_i16x8_s(v128.and(weights, mask), v128.load32_splat(quad)),
    i32x4.dot_i16x8_s(v128.and(i16x8.shr_u(weights, 8), mask), v128.load32_splat(quad, 4)),
  )
}

// @ts-ignore: decorator
@inline
function plainHigh(weights: v128, quad: usize): v128 {
  const mask = i16x8.splat(0x0f)
  return i32x4.add(
    i32x4.dot_i16x8_s(v128.and(i16x8.shr_u(weights, 4), mask), v128.load32_splat(quad)),
    i32x4.dot_i16x8_s(i16x8.shr_u(weights, 12), v128.load32_splat(quad, 4)),
  )
}

/** Rows of groups [from, to) for one token; `out` points to row 0 and is written, or added to. */
export function token4bit(
  weights: usize, codes: usize, meta: usize, columns: i32, from: i32, to: i32, out: usize, add: bool,
): void {
  const blocks = columns >> 5
  let w = weights + <usize>from * <usize>blocks * BLOCK_BYTES_4BIT
  for (let group = from; group < to; group++) {
    let x = codes
    let m = meta
    let r0 = f32x4.splat(0)
    let r1 = f32x4.splat(0)
    for (let b = blocks; b > 0; b--) {
      const mask = i8x16.splat(0x0f)
      let s0: v128, s1: v128
      if (DOT == 0) {
        const first = v128.load(w, 32)
        s0 = plainLow(first, x)
        s1 = plainHigh(first, x)
        for (let q: usize = 1; q < 8; q++) {
          const a = v128.load(w + q * 16, 32)
          s0 = i32x4.add(s0, plainLow(a, x + q * 8))
          s1 = i32x4.add(s1, plainHigh(a, x + q * 8))
        }
      } else {
        const first = v128.load(w, 32)
        const quad0 = loadQuad(x, 0)
        s0 = startDot(quad0, v128.and(first, mask))
        s1 = startDot(quad0, v128.and(i16x8.shr_u(first, 4), mask))
        for (let q: usize = 1; q < 8; q++) {
          const quad = loadQuad(x, q)
          const a = v128.load(w + q * 16, 32)
          s0 = addDot(s0, quad, v128.and(a, mask))
          s1 = addDot(s1, quad, v128.and(i16x8.shr_u(a, 4), mask))
        }
      }
      const scale = v128.load32_splat(m)
      const sum = v128.load32_splat(m, 4)
      r0 = addBlock(r0, finishDot(s0), loadSignedScales(w), loadSignedScales(w + 16), scale, sum)
      r1 = addBlock(r1, finishDot(s1), loadSignedScales(w + 8), loadSignedScales(w + 24), scale, sum)
      w += BLOCK_BYTES_4BIT
      x += BLOCK_ACTIVATION_BYTES
      m += BLOCK_META_BYTES
    }
    const y = out + (<usize>group << 5)
    storeRows(y, r0, add)
    storeRows(y + 16, r1, add)
  }
}

// ---- four tokens, or two ----

/** An unpacked block: 8 quads × { rows 0…3, rows 4…7 } in bytes, then 8 scales and 8 minima as f32 × 2^−112. */
export const UNPACKED_BLOCK_BYTES: usize = 320
const UNPACKED_SCALES: usize = 256

/** Unpacks a group of rows once for many tiles. */
function unpackGroup(weights: usize, columns: i32, out: usize): void {
  const mask = i8x16.splat(0x0f)
  for (let b = columns >> 5; b > 0; b--) {
    for (let q: usize = 0; q < 8; q++) {
      const a = v128.load(weights + q * 16, 32)
      v128.store(out + q * 32, v128.and(a, mask))
      v128.store(out + q * 32, v128.and(i16x8.shr_u(a, 4), mask), 16)
    }
    for (let i: usize = 0; i < 4; i++) {
      v128.store(out + i * 16, loadSignedScales(weights + i * 8), UNPACKED_SCALES)
    }
    weights += BLOCK_BYTES_4BIT
    out += UNPACKED_BLOCK_BYTES
  }
}

/**
 * One group of rows, unpacked or not, for the first `tokens` (2 or 4) of a tile (tile.ts). The plain build has it packed.
 */
// @ts-ignore: decorator
@inline
function tileGroup(
  tokens: i32, unpacked: bool, weights: usize, tile: usize, columns: i32, out: usize, outStride: usize, add: bool,
): void {
  let w = weights
  let x = tile
  let r00 = f32x4.splat(0), r01 = f32x4.splat(0)
  let r10 = f32x4.splat(0), r11 = f32x4.splat(0)
  let r20 = f32x4.splat(0), r21 = f32x4.splat(0)
  let r30 = f32x4.splat(0), r31 = f32x4.splat(0)
  for (let b = columns >> 5; b > 0; b--) {
    const mask = i8x16.splat(0x0f)
    let s00: v128, s01: v128, s10: v128, s11: v128
    let s20 = i32x4.splat(0), s21 = i32x4.splat(0), s30 = i32x4.splat(0), s31 = i32x4.splat(0)
    // The first quad starts the sums: 5 % faster than adding it to zeros.
    const first = v128.load(unpacked ? w : w + 32)
    if (DOT == 0) {
      s00 = plainLow(first, x), s01 = plainHigh(first, x)
      s10 = plainLow(first, x + 8), s11 = plainHigh(first, x + 8)
      if (tokens > 2) {
        s20 = plainLow(first, x + 16), s21 = plainHigh(first, x + 16)
        s30 = plainLow(first, x + 24), s31 = plainHigh(first, x + 24)
      }
    } else {
      const low = unpacked ? first : v128.and(first, mask)
      const high = unpacked ? v128.load(w, 16) : v128.and(i16x8.shr_u(first, 4), mask)
      let quad = v128.load32_splat(x)
      s00 = startDot(quad, low), s01 = startDot(quad, high)
      quad = v128.load32_splat(x, 4)
      s10 = startDot(quad, low), s11 = startDot(quad, high)
      if (tokens > 2) {
        quad = v128.load32_splat(x, 8)
        s20 = startDot(quad, low), s21 = startDot(quad, high)
        quad = v128.load32_splat(x, 12)
        s30 = startDot(quad, low), s31 = startDot(quad, high)
      }
    }
    let quads = x + TILE_QUAD_BYTES
    const end = x + TILE_CODES_BYTES
    let quadWeights = unpacked ? w + 32 : w + 48
    for (; quads < end; quads += TILE_QUAD_BYTES) {
      const a = v128.load(quadWeights)
      if (DOT == 0) {
        s00 = i32x4.add(s00, plainLow(a, quads))
        s01 = i32x4.add(s01, plainHigh(a, quads))
        s10 = i32x4.add(s10, plainLow(a, quads + 8))
        s11 = i32x4.add(s11, plainHigh(a, quads + 8))
        if (tokens > 2) {
          s20 = i32x4.add(s20, plainLow(a, quads + 16))
          s21 = i32x4.add(s21, plainHigh(a, quads + 16))
          s30 = i32x4.add(s30, plainLow(a, quads + 24))
          s31 = i32x4.add(s31, plainHigh(a, quads + 24))
        }
      } else {
        const low = unpacked ? a : v128.and(a, mask)
        const high = unpacked ? v128.load(quadWeights, 16) : v128.and(i16x8.shr_u(a, 4), mask)
        let quad = v128.load32_splat(quads)
        s00 = addDot(s00, quad, low)
        s01 = addDot(s01, quad, high)
        quad = v128.load32_splat(quads, 4)
        s10 = addDot(s10, quad, low)
        s11 = addDot(s11, quad, high)
        if (tokens > 2) {
          quad = v128.load32_splat(quads, 8)
          s20 = addDot(s20, quad, low)
          s21 = addDot(s21, quad, high)
          quad = v128.load32_splat(quads, 12)
          s30 = addDot(s30, quad, low)
          s31 = addDot(s31, quad, high)
        }
      }
      quadWeights += unpacked ? 32 : 16
    }
    const scale0 = unpacked ? v128.load(w, UNPACKED_SCALES) : loadSignedScales(w)
    const scale1 = unpacked ? v128.load(w, UNPACKED_SCALES + 16) : loadSignedScales(w + 8)
    const minimum0 = unpacked ? v128.load(w, UNPACKED_SCALES + 32) : loadSignedScales(w + 16)
    const minimum1 = unpacked ? v128.load(w, UNPACKED_SCALES + 48) : loadSignedScales(w + 24)
    let scale = v128.load32_splat(x, TILE_CODES_BYTES), sum = v128.load32_splat(x, TILE_CODES_BYTES + 4)
    r00 = addBlock(r00, finishDot(s00), scale0, minimum0, scale, sum)
    r01 = addBlock(r01, finishDot(s01), scale1, minimum1, scale, sum)
    scale = v128.load32_splat(x, TILE_CODES_BYTES + 16), sum = v128.load32_splat(x, TILE_CODES_BYTES + 20)
    r10 = addBlock(r10, finishDot(s10), scale0, minimum0, scale, sum)
    r11 = addBlock(r11, finishDot(s11), scale1, minimum1, scale, sum)
    if (tokens > 2) {
      scale = v128.load32_splat(x, TILE_CODES_BYTES + 32), sum = v128.load32_splat(x, TILE_CODES_BYTES + 36)
      r20 = addBlock(r20, finishDot(s20), scale0, minimum0, scale, sum)
      r21 = addBlock(r21, finishDot(s21), scale1, minimum1, scale, sum)
      scale = v128.load32_splat(x, TILE_CODES_BYTES + 48), sum = v128.load32_splat(x, TILE_CODES_BYTES + 52)
      r30 = addBlock(r30, finishDot(s30), scale0, minimum0, scale, sum)
      r31 = addBlock(r31, finishDot(s31), scale1, minimum1, scale, sum)
    }
    w += unpacked ? UNPACKED_BLOCK_BYTES : BLOCK_BYTES_4BIT
    x += TILE_BLOCK_BYTES
  }
  let y = out
  storeRows(y, r00, add), storeRows(y + 16, r01, add)
  y += outStride
  storeRows(y, r10, add), storeRows(y + 16, r11, add)
  if (tokens == 2) return
  y += outStride
  storeRows(y, r20, add), storeRows(y + 16, r21, add)
  y += outStride
  storeRows(y, r30, add), storeRows(y + 16, r31, add)
}

/** From so many tiles on, unpacking pays: 7 % at 16 tiles. The plain build unpacks in another way. */
const TILES_TO_UNPACK: i32 = DOT == 0 ? i32.MAX_VALUE / 4 : 8

/**
 * Groups [from, to) for an even number of tokens in tiles that lie `tileStride` bytes apart. A group's weights stay in the
 * first-level cache. `unpacked`: room for UNPACKED_BLOCK_BYTES a block.
 */
export function tiles4bit(
  weights: usize, tiles: usize, tileStride: usize, tokens: i32, columns: i32, from: i32, to: i32,
  out: usize, outStride: usize, add: bool, unpacked: usize,
): void {
  const groupBytes = (<usize>columns >> 5) * BLOCK_BYTES_4BIT
  for (let group = from; group < to; group++) {
    const w = weights + <usize>group * groupBytes
    let tile = tiles
    let y = out + (<usize>group << 5)
    let left = tokens
    const isUnpacked = tokens >= TILES_TO_UNPACK * 4
    if (isUnpacked) unpackGroup(w, columns, unpacked)
    for (; left >= 4; left -= 4) {
      if (isUnpacked) tileGroup(4, true, unpacked, tile, columns, y, outStride, add)
      else tileGroup(4, false, w, tile, columns, y, outStride, add)
      tile += tileStride
      y += outStride * 4
    }
    if (left == 2) tileGroup(2, false, w, tile, columns, y, outStride, add)
  }
}

/** Scales finished rows back and writes them, or adds them to what is there (the residual). */
// @ts-ignore: decorator
@inline
export function storeRows(out: usize, rows: v128, add: bool): void {
  const value = f32x4.mul(rows, f32x4.splat(ROW_FACTOR))
  v128.store(out, add ? f32x4.add(v128.load(out), value) : value)
}
