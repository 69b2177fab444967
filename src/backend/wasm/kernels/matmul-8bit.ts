/**
 * Matrix products with MATRIX_8BIT weights (code + 128 in a byte): out[token][row] = Σ columns weight × value.
 * An eight-bit code does not fit the i7 operand, so its nibbles are multiplied apart: low + 16 × high − 128 × Σ values,
 * exact in integers. Rows' blocks are added in the same order on every path.
 */
import { BLOCK_META_BYTES } from './activations'
import { addDot, BLOCK_ACTIVATION_BYTES, finishDot, loadQuad, loadSignedScales, multiplyAdd, startDot } from './dot'
import { storeRows } from './matmul-4bit'
import { BLOCK_BYTES_8BIT } from './structs'
import { TILE_BLOCK_BYTES, TILE_CODES_BYTES, TILE_QUAD_BYTES } from './tile'

// @ts-ignore: decorator
@inline
function plainByte(weights: v128, quad: usize): v128 {
  return i32x4.add(
    i32x4.dot_i16x8_s(v128.and(weights, i16x8.splat(0xff)), v128.load32_splat(quad)),
    i32x4.dot_i16x8_s(i16x8.shr_u(weights, 8), v128.load32_splat(quad, 4)),
  )
}

/** Four rows' sums of code × activation from the sums over nibbles and the block's integer sum. */
// @ts-ignore: decorator
@inline
function joinNibbles(low: v128, high: v128, integerSum: v128): v128 {
  // Of 16-bit sums the widening multiplies as well.
  const sixteenfold = DOT == 1 ? i32x4.dot_i16x8_s(high, i16x8.splat(16)) : i32x4.shl(high, 4)
  return i32x4.sub(i32x4.add(finishDot(low), sixteenfold), i32x4.shl(integerSum, 7))
}

// @ts-ignore: decorator
@inline
function addScaled(row: v128, dots: v128, weightScale: v128, scale: v128): v128 {
  return multiplyAdd(f32x4.convert_i32x4_s(dots), f32x4.mul(weightScale, scale), row)
}

/** Rows of groups [from, to) for one token. */
export function token8bit(
  weights: usize, codes: usize, meta: usize, columns: i32, from: i32, to: i32, out: usize, add: bool,
): void {
  const blocks = columns >> 5
  const groupBytes = <usize>blocks * BLOCK_BYTES_8BIT
  for (let group = from; group < to; group++) {
    let w = weights + <usize>group * groupBytes
    let x = codes
    let m = meta
    let r0 = f32x4.splat(0)
    let r1 = f32x4.splat(0)
    for (let b = blocks; b > 0; b--) {
      let d0: v128, d1: v128
      const integerSum = v128.load32_splat(m, 8)
      if (DOT == 0) {
        d0 = i32x4.shl(i32x4.neg(integerSum), 7)
        d1 = d0
        for (let q: usize = 0; q < 8; q++) {
          d0 = i32x4.add(d0, plainByte(v128.load(w + q * 32, 16), x + q * 8))
          d1 = i32x4.add(d1, plainByte(v128.load(w + q * 32, 32), x + q * 8))
        }
      } else {
        const mask = i8x16.splat(0x0f)
        const first = loadQuad(x, 0)
        const a0 = v128.load(w, 16)
        const c0 = v128.load(w, 32)
        let low0 = startDot(first, v128.and(a0, mask))
        let high0 = startDot(first, v128.and(i16x8.shr_u(a0, 4), mask))
        let low1 = startDot(first, v128.and(c0, mask))
        let high1 = startDot(first, v128.and(i16x8.shr_u(c0, 4), mask))
        for (let q: usize = 1; q < 8; q++) {
          const quad = loadQuad(x, q)
          const a = v128.load(w + q * 32, 16)
          const c = v128.load(w + q * 32, 32)
          low0 = addDot(low0, quad, v128.and(a, mask))
          high0 = addDot(high0, quad, v128.and(i16x8.shr_u(a, 4), mask))
          low1 = addDot(low1, quad, v128.and(c, mask))
          high1 = addDot(high1, quad, v128.and(i16x8.shr_u(c, 4), mask))
        }
        d0 = joinNibbles(low0, high0, integerSum)
        d1 = joinNibbles(low1, high1, integerSum)
      }
      const scale = v128.load32_splat(m)
      r0 = addScaled(r0, d0, loadSignedScales(w), scale)
      r1 = addScaled(r1, d1, loadSignedScales(w + 8), scale)
      w += BLOCK_BYTES_8BIT
      x += BLOCK_ACTIVATION_BYTES
      m += BLOCK_META_BYTES
    }
    const y = out + (<usize>group << 5)
    storeRows(y, r0, add)
    storeRows(y + 16, r1, add)
  }
}

/** Groups [from, to) for a tile of four tokens (tile.ts), four rows at a time. */
export function tile8bit(
  weights: usize, tile: usize, columns: i32, from: i32, to: i32, out: usize, outStride: usize, add: bool,
): void {
  const blocks = columns >> 5
  const groupBytes = <usize>blocks * BLOCK_BYTES_8BIT
  for (let half = from * 2; half < to * 2; half++) {
    let w = weights + <usize>(half >> 1) * groupBytes
    // Rows 0…3 of the group have their scales and bytes first, rows 4…7 right behind.
    const scales: usize = half & 1 ? 8 : 0
    const first: usize = half & 1 ? 32 : 16
    let x = tile
    let r0 = f32x4.splat(0)
    let r1 = f32x4.splat(0)
    let r2 = f32x4.splat(0)
    let r3 = f32x4.splat(0)
    for (let b = columns >> 5; b > 0; b--) {
      const sums0 = v128.load32_splat(x, TILE_CODES_BYTES + 8)
      const sums1 = v128.load32_splat(x, TILE_CODES_BYTES + 24)
      const sums2 = v128.load32_splat(x, TILE_CODES_BYTES + 40)
      const sums3 = v128.load32_splat(x, TILE_CODES_BYTES + 56)
      let d0: v128, d1: v128, d2: v128, d3: v128
      let quads = x
      const end = x + TILE_CODES_BYTES
      let bytes = w + first
      if (DOT == 0) {
        d0 = i32x4.shl(i32x4.neg(sums0), 7)
        d1 = i32x4.shl(i32x4.neg(sums1), 7)
        d2 = i32x4.shl(i32x4.neg(sums2), 7)
        d3 = i32x4.shl(i32x4.neg(sums3), 7)
        for (; quads < end; quads += TILE_QUAD_BYTES) {
          const a = v128.load(bytes)
          d0 = i32x4.add(d0, plainByte(a, quads))
          d1 = i32x4.add(d1, plainByte(a, quads + 8))
          d2 = i32x4.add(d2, plainByte(a, quads + 16))
          d3 = i32x4.add(d3, plainByte(a, quads + 24))
          bytes += 32
        }
      } else {
        const mask = i8x16.splat(0x0f)
        // The first quad starts the sums, as in tileGroup.
        const firstBytes = v128.load(bytes)
        const firstLow = v128.and(firstBytes, mask)
        const firstHigh = v128.and(i16x8.shr_u(firstBytes, 4), mask)
        let quad = v128.load32_splat(quads)
        let low0 = startDot(quad, firstLow), high0 = startDot(quad, firstHigh)
        quad = v128.load32_splat(quads, 4)
        let low1 = startDot(quad, firstLow), high1 = startDot(quad, firstHigh)
        quad = v128.load32_splat(quads, 8)
        let low2 = startDot(quad, firstLow), high2 = startDot(quad, firstHigh)
        quad = v128.load32_splat(quads, 12)
        let low3 = startDot(quad, firstLow), high3 = startDot(quad, firstHigh)
        quads += TILE_QUAD_BYTES
        bytes += 32
        for (; quads < end; quads += TILE_QUAD_BYTES) {
          const a = v128.load(bytes)
          const low = v128.and(a, mask)
          const high = v128.and(i16x8.shr_u(a, 4), mask)
          quad = v128.load32_splat(quads)
          low0 = addDot(low0, quad, low)
          high0 = addDot(high0, quad, high)
          quad = v128.load32_splat(quads, 4)
          low1 = addDot(low1, quad, low)
          high1 = addDot(high1, quad, high)
          quad = v128.load32_splat(quads, 8)
          low2 = addDot(low2, quad, low)
          high2 = addDot(high2, quad, high)
          quad = v128.load32_splat(quads, 12)
          low3 = addDot(low3, quad, low)
          high3 = addDot(high3, quad, high)
          bytes += 32
        }
        d0 = joinNibbles(low0, high0, sums0)
        d1 = joinNibbles(low1, high1, sums1)
        d2 = joinNibbles(low2, high2, sums2)
        d3 = joinNibbles(low3, high3, sums3)
      }
      const scale = loadSignedScales(w + scales)
      r0 = addScaled(r0, d0, scale, v128.load32_splat(x, TILE_CODES_BYTES))
      r1 = addScaled(r1, d1, scale, v128.load32_splat(x, TILE_CODES_BYTES + 16))
      r2 = addScaled(r2, d2, scale, v128.load32_splat(x, TILE_CODES_BYTES + 32))
      r3 = addScaled(r3, d3, scale, v128.load32_splat(x, TILE_CODES_BYTES + 48))
      w += BLOCK_BYTES_8BIT
      x += TILE_BLOCK_BYTES
    }
    let y = out + (<usize>half << 4)
    storeRows(y, r0, add)
    y += outStride
    storeRows(y, r1, add)
    y += outStride
    storeRows(y, r2, add)
    y += outStride
    storeRows(y, r3, add)
  }
}

/** Groups [from, to) for the first two tokens of a tile, eight rows at a time: they share the unpacking of weights. */
export function pair8bit(
  weights: usize, tile: usize, columns: i32, from: i32, to: i32, out: usize, outStride: usize, add: bool,
): void {
  const blocks = columns >> 5
  const place = TILE_QUAD_BYTES / 4
  let w = weights + <usize>from * <usize>blocks * BLOCK_BYTES_8BIT
  for (let group = from; group < to; group++) {
    let x = tile
    let r00 = f32x4.splat(0), r01 = f32x4.splat(0)
    let r10 = f32x4.splat(0), r11 = f32x4.splat(0)
    for (let b = blocks; b > 0; b--) {
      const sums0 = v128.load32_splat(x, TILE_CODES_BYTES + 8)
      const sums1 = v128.load32_splat(x, TILE_CODES_BYTES + 24)
      let d00: v128, d01: v128, d10: v128, d11: v128
      let quads = x
      const end = x + TILE_CODES_BYTES
      let bytes = w
      if (DOT == 0) {
        d00 = i32x4.shl(i32x4.neg(sums0), 7), d01 = d00
        d10 = i32x4.shl(i32x4.neg(sums1), 7), d11 = d10
        for (; quads < end; quads += TILE_QUAD_BYTES) {
          const a = v128.load(bytes, 16)
          const c = v128.load(bytes, 32)
          d00 = i32x4.add(d00, plainByte(a, quads)), d01 = i32x4.add(d01, plainByte(c, quads))
          d10 = i32x4.add(d10, plainByte(a, quads + place)), d11 = i32x4.add(d11, plainByte(c, quads + place))
          bytes += 32
        }
      } else {
        const mask = i8x16.splat(0x0f)
        let low00 = i32x4.splat(0), high00 = i32x4.splat(0), low01 = i32x4.splat(0), high01 = i32x4.splat(0)
        let low10 = i32x4.splat(0), high10 = i32x4.splat(0), low11 = i32x4.splat(0), high11 = i32x4.splat(0)
        for (; quads < end; quads += TILE_QUAD_BYTES) {
          const a = v128.load(bytes, 16)
          const c = v128.load(bytes, 32)
          const quad0 = v128.load32_splat(quads)
          const quad1 = v128.load32_splat(quads + place)
          let nibbles = v128.and(a, mask)
          low00 = addDot(low00, quad0, nibbles), low10 = addDot(low10, quad1, nibbles)
          nibbles = v128.and(i16x8.shr_u(a, 4), mask)
          high00 = addDot(high00, quad0, nibbles), high10 = addDot(high10, quad1, nibbles)
          nibbles = v128.and(c, mask)
          low01 = addDot(low01, quad0, nibbles), low11 = addDot(low11, quad1, nibbles)
          nibbles = v128.and(i16x8.shr_u(c, 4), mask)
          high01 = addDot(high01, quad0, nibbles), high11 = addDot(high11, quad1, nibbles)
          bytes += 32
        }
        d00 = joinNibbles(low00, high00, sums0), d01 = joinNibbles(low01, high01, sums0)
        d10 = joinNibbles(low10, high10, sums1), d11 = joinNibbles(low11, high11, sums1)
      }
      const scale0 = loadSignedScales(w), scale1 = loadSignedScales(w + 8)
      let scale = v128.load32_splat(x, TILE_CODES_BYTES)
      r00 = addScaled(r00, d00, scale0, scale), r01 = addScaled(r01, d01, scale1, scale)
      scale = v128.load32_splat(x, TILE_CODES_BYTES + 16)
      r10 = addScaled(r10, d10, scale0, scale), r11 = addScaled(r11, d11, scale1, scale)
      w += BLOCK_BYTES_8BIT
      x += TILE_BLOCK_BYTES
    }
    const y = out + (<usize>group << 5)
    storeRows(y, r00, add), storeRows(y + 16, r01, add)
    storeRows(y + outStride, r10, add), storeRows(y + outStride + 16, r11, add)
  }
}
