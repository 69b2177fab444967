/** From rows as in the file to the groups of 8 rows that the matrix products read (structs.ts). */
import {
  decodeBlock,
  minimum0,
  minimum1,
  rowBytes,
  scale0,
  scale1,
  TYPE_IQ4_NL,
  TYPE_Q4_0,
  TYPE_Q4_1,
  TYPE_Q4_K,
  TYPE_Q8_0,
} from './blocks'
import { floatToHalf, halfToFloat } from './math'
import {
  BLOCK_BYTES_4BIT,
  BLOCK_BYTES_7BIT,
  BLOCK_BYTES_8BIT,
  MATRIX_4BIT,
  MATRIX_7BIT,
  MATRIX_8BIT,
} from './structs'

/** The kind of matrix a GGUF quantisation becomes. */
export function matrixKind(type: i32): i32 {
  if (type == TYPE_Q4_0 || type == TYPE_Q4_1 || type == TYPE_Q4_K) return MATRIX_4BIT
  if (type == TYPE_Q8_0 || type == TYPE_IQ4_NL) return MATRIX_8BIT
  return MATRIX_7BIT
}

/** Bytes of 8 rows of a kind. */
export function groupBytes(kind: i32, columns: i32): usize {
  const blocks = <usize>columns >> 5
  if (kind == MATRIX_4BIT) return blocks * BLOCK_BYTES_4BIT
  if (kind == MATRIX_8BIT) return blocks * BLOCK_BYTES_8BIT
  return blocks * BLOCK_BYTES_7BIT
}

/**
 * Repacks `rows` rows at `source` to groups at `target`; rows missing in the last group become zeros.
 * `codes`: room for 32 bytes.
 */
export function repack(type: i32, source: usize, rows: i32, columns: i32, target: usize, codes: usize): void {
  const kind = matrixKind(type)
  const sourceBytes = rowBytes(type, columns)
  const targetBytes = groupBytes(kind, columns)
  for (let row = 0; row < rows; row += 8) {
    const whole = rows - row >= 8
    if (whole && (type == TYPE_Q4_1 || type == TYPE_Q4_0)) repack4bit(type, source, sourceBytes, columns, target)
    else if (whole && type == TYPE_Q8_0) repack8bit(source, sourceBytes, columns, target)
    else repackAny(type, kind, source, sourceBytes, min(rows - row, 8), columns, target, codes)
    source += sourceBytes * 8
    target += targetBytes
  }
}

/** 4 × 4 transpose of 32-bit words, written `stride` bytes apart. */
// @ts-ignore: decorator
@inline
function storeTransposed(a: v128, b: v128, c: v128, d: v128, target: usize, stride: usize): void {
  const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5)
  const ab1 = v128.shuffle<i32>(a, b, 2, 6, 3, 7)
  const cd0 = v128.shuffle<i32>(c, d, 0, 4, 1, 5)
  const cd1 = v128.shuffle<i32>(c, d, 2, 6, 3, 7)
  v128.store(target, v128.shuffle<i64>(ab0, cd0, 0, 2))
  v128.store(target + stride, v128.shuffle<i64>(ab0, cd0, 1, 3))
  v128.store(target + stride * 2, v128.shuffle<i64>(ab1, cd1, 0, 2))
  v128.store(target + stride * 3, v128.shuffle<i64>(ab1, cd1, 1, 3))
}

/** Weights 0…15 of row r as low nibbles and of row r + 4 as high nibbles. */
// @ts-ignore: decorator
@inline
function joinLow(source: usize, stride: usize): v128 {
  const high = i16x8.shl(v128.load(source + stride * 4), 4)
  return v128.bitselect(v128.load(source), high, i8x16.splat(0x0f))
}

/** The same for weights 16…31. */
// @ts-ignore: decorator
@inline
function joinHigh(source: usize, stride: usize): v128 {
  const low = i16x8.shr_u(v128.load(source), 4)
  return v128.bitselect(low, v128.load(source + stride * 4), i8x16.splat(0x0f))
}

function repack4bit(type: i32, source: usize, stride: usize, columns: i32, target: usize): void {
  const header: usize = type == TYPE_Q4_1 ? 4 : 2
  for (let b = columns >> 5; b > 0; b--) {
    for (let r: usize = 0; r < 8; r++) {
      const row = source + r * stride
      const scale = <u32>load<u16>(row)
      store<u16>(target + (r << 1), scale)
      store<u16>(
        target + (r << 1),
        type == TYPE_Q4_1 ? <u32>load<u16>(row, 2) : floatToHalf(-8 * halfToFloat(scale)),
        16,
      )
    }
    const q = source + header
    storeTransposed(
      joinLow(q, stride), joinLow(q + stride, stride), joinLow(q + stride * 2, stride), joinLow(q + stride * 3, stride),
      target + 32, 16,
    )
    storeTransposed(
      joinHigh(q, stride), joinHigh(q + stride, stride), joinHigh(q + stride * 2, stride),
      joinHigh(q + stride * 3, stride), target + 96, 16,
    )
    source += header + 16
    target += BLOCK_BYTES_4BIT
  }
}

function repack8bit(source: usize, stride: usize, columns: i32, target: usize): void {
  const flip = i8x16.splat(-128)
  for (let b = columns >> 5; b > 0; b--) {
    for (let r: usize = 0; r < 8; r++) store<u16>(target + (r << 1), load<u16>(source + r * stride))
    for (let part: usize = 0; part < 4; part++) {
      // part: columns 0…15 or 16…31 of rows 0…3 or 4…7
      const rows = source + (part >> 1) * 4 * stride + 2 + (part & 1) * 16
      storeTransposed(
        v128.xor(v128.load(rows), flip),
        v128.xor(v128.load(rows + stride), flip),
        v128.xor(v128.load(rows + stride * 2), flip),
        v128.xor(v128.load(rows + stride * 3), flip),
        target + 16 + (part & 1) * 128 + (part >> 1) * 16,
        32,
      )
    }
    source += 34
    target += BLOCK_BYTES_8BIT
  }
}

/** Any type and fewer than 8 rows, a weight at a time. */
function repackAny(
  type: i32, kind: i32, source: usize, stride: usize, rows: i32, columns: i32, target: usize, codes: usize,
): void {
  memory.fill(target, 0, groupBytes(kind, columns))
  for (let b = 0; b < columns >> 5; b++) {
    for (let r = 0; r < rows; r++) {
      decodeBlock(type, source + <usize>r * stride, b, codes)
      const lane = <usize>r << 1
      // Byte of (row, column) within 16 bytes of 4 rows × 4 columns.
      const within = <usize>((r & 3) << 2)
      if (kind == MATRIX_4BIT) {
        store<u16>(target + lane, scale0)
        store<u16>(target + lane, minimum0, 16)
        for (let c: usize = 0; c < 32; c++) {
          const at = target + 32 + (c >> 2) * 16 + within + (c & 3)
          const code = load<u8>(codes + c)
          store<u8>(at, load<u8>(at) | (r < 4 ? code : code << 4))
        }
      } else if (kind == MATRIX_8BIT) {
        store<u16>(target + lane, scale0)
        storeBytes(codes, 8, target + 16 + (r < 4 ? 0 : 16) + within)
      } else {
        store<u16>(target + lane, scale0)
        store<u16>(target + lane, minimum0, 16)
        storeBytes(codes, 4, target + 32 + (r < 4 ? 0 : 16) + within)
        const second = target + BLOCK_BYTES_7BIT / 2
        store<u16>(second + lane, scale1)
        store<u16>(second + lane, minimum1, 16)
        storeBytes(codes + 16, 4, second + 32 + (r < 4 ? 0 : 16) + within)
      }
    }
    target += kind == MATRIX_4BIT ? BLOCK_BYTES_4BIT : kind == MATRIX_8BIT ? BLOCK_BYTES_8BIT : BLOCK_BYTES_7BIT
  }
}

/** Writes `quads` × 4 codes, 32 bytes apart. */
// @ts-ignore: decorator
@inline
function storeBytes(codes: usize, quads: usize, target: usize): void {
  for (let q: usize = 0; q < quads; q++) store<u32>(target + q * 32, load<u32>(codes + q * 4))
}
