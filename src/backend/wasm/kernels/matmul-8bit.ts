/**
 * Matrix products with MATRIX_8BIT weights (code + 128 in a byte): out[token][row] = Σ columns weight × value.
 * An eight-bit code does not fit the i7 operand, so its nibbles are multiplied apart: low + 16 × high − 128 × Σ values,
 * exact in integers. Rows' blocks are added in the same order on every path.
 */
import { BLOCK_META_BYTES } from './activations'
import { addDot, BLOCK_ACTIVATION_BYTES, finishDot, loadQuad, loadSignedScales, multiplyAdd } from './dot'
import { storeRows } from './matmul-4bit'
import { BLOCK_BYTES_8BIT } from './structs'

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
  return i32x4.sub(
    i32x4.add(finishDot(low), i32x4.shl(finishDot(high), 4)),
    i32x4.shl(integerSum, 7),
  )
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
        let low0 = i32x4.splat(0), high0 = i32x4.splat(0)
        let low1 = i32x4.splat(0), high1 = i32x4.splat(0)
        for (let q: usize = 0; q < 8; q++) {
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
      r0 = multiplyAdd(f32x4.convert_i32x4_s(d0), f32x4.mul(loadSignedScales(w), scale), r0)
      r1 = multiplyAdd(f32x4.convert_i32x4_s(d1), f32x4.mul(loadSignedScales(w + 8), scale), r1)
      w += BLOCK_BYTES_8BIT
      x += BLOCK_ACTIVATION_BYTES
      m += BLOCK_META_BYTES
    }
    const y = out + (<usize>group << 5)
    storeRows(y, r0, add)
    storeRows(y + 16, r1, add)
  }
}

/** Groups [from, to) for four tokens whose records lie `stride` bytes apart; four rows × four tokens at a time. */
export function tile8bit(
  weights: usize, codes: usize, meta: usize, stride: usize, columns: i32, from: i32, to: i32,
  out: usize, outStride: usize, add: bool,
): void {
  const blocks = columns >> 5
  const groupBytes = <usize>blocks * BLOCK_BYTES_8BIT
  for (let half = from * 2; half < to * 2; half++) {
    let w = weights + <usize>(half >> 1) * groupBytes
    // Rows 0…3 of the group have their scales and quads first, rows 4…7 right behind.
    const scales: usize = half & 1 ? 8 : 0
    const quads: usize = half & 1 ? 32 : 16
    let x = codes
    let m = meta
    let r0 = f32x4.splat(0)
    let r1 = f32x4.splat(0)
    let r2 = f32x4.splat(0)
    let r3 = f32x4.splat(0)
    for (let b = blocks; b > 0; b--) {
      const x1 = x + stride
      const x2 = x1 + stride
      const x3 = x2 + stride
      const m1 = m + stride
      const m2 = m1 + stride
      const m3 = m2 + stride
      let d0: v128, d1: v128, d2: v128, d3: v128
      if (DOT == 0) {
        d0 = i32x4.shl(i32x4.neg(v128.load32_splat(m, 8)), 7)
        d1 = i32x4.shl(i32x4.neg(v128.load32_splat(m1, 8)), 7)
        d2 = i32x4.shl(i32x4.neg(v128.load32_splat(m2, 8)), 7)
        d3 = i32x4.shl(i32x4.neg(v128.load32_splat(m3, 8)), 7)
        for (let q: usize = 0; q < 8; q++) {
          const a = v128.load(w + quads + q * 32)
          d0 = i32x4.add(d0, plainByte(a, x + q * 8))
          d1 = i32x4.add(d1, plainByte(a, x1 + q * 8))
          d2 = i32x4.add(d2, plainByte(a, x2 + q * 8))
          d3 = i32x4.add(d3, plainByte(a, x3 + q * 8))
        }
      } else {
        const mask = i8x16.splat(0x0f)
        let low0 = i32x4.splat(0), high0 = i32x4.splat(0)
        let low1 = i32x4.splat(0), high1 = i32x4.splat(0)
        let low2 = i32x4.splat(0), high2 = i32x4.splat(0)
        let low3 = i32x4.splat(0), high3 = i32x4.splat(0)
        for (let q: usize = 0; q < 8; q++) {
          const a = v128.load(w + quads + q * 32)
          const low = v128.and(a, mask)
          const high = v128.and(i16x8.shr_u(a, 4), mask)
          let quad = loadQuad(x, q)
          low0 = addDot(low0, quad, low)
          high0 = addDot(high0, quad, high)
          quad = loadQuad(x1, q)
          low1 = addDot(low1, quad, low)
          high1 = addDot(high1, quad, high)
          quad = loadQuad(x2, q)
          low2 = addDot(low2, quad, low)
          high2 = addDot(high2, quad, high)
          quad = loadQuad(x3, q)
          low3 = addDot(low3, quad, low)
          high3 = addDot(high3, quad, high)
        }
        d0 = joinNibbles(low0, high0, v128.load32_splat(m, 8))
        d1 = joinNibbles(low1, high1, v128.load32_splat(m1, 8))
        d2 = joinNibbles(low2, high2, v128.load32_splat(m2, 8))
        d3 = joinNibbles(low3, high3, v128.load32_splat(m3, 8))
      }
      const scale = loadSignedScales(w + scales)
      r0 = multiplyAdd(f32x4.convert_i32x4_s(d0), f32x4.mul(scale, v128.load32_splat(m)), r0)
      r1 = multiplyAdd(f32x4.convert_i32x4_s(d1), f32x4.mul(scale, v128.load32_splat(m1)), r1)
      r2 = multiplyAdd(f32x4.convert_i32x4_s(d2), f32x4.mul(scale, v128.load32_splat(m2)), r2)
      r3 = multiplyAdd(f32x4.convert_i32x4_s(d3), f32x4.mul(scale, v128.load32_splat(m3)), r3)
      w += BLOCK_BYTES_8BIT
      x += BLOCK_ACTIVATION_BYTES
      m += BLOCK_META_BYTES
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
