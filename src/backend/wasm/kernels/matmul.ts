/** Matrix products of any kind, and reading single rows of them (token embeddings). */
import { codesOf, metaOf } from './activations'
import { halfToFloat } from './math'
import { tiles4bit, token4bit } from './matmul-4bit'
import { token7bit } from './matmul-7bit'
import { pair8bit, tile8bit, token8bit } from './matmul-8bit'
import { floatWeight, tokenFloat } from './matmul-float'
import {
  BLOCK_BYTES_4BIT,
  BLOCK_BYTES_7BIT,
  BLOCK_BYTES_8BIT,
  Matrix,
  MATRIX_4BIT,
  MATRIX_7BIT,
  MATRIX_8BIT,
} from './structs'
import { threadCount, threadIndex } from './threads'

/**
 * So many of the tokens are worked on in tiles: fours, and two of what is left over. Four take 2.4 times as long as one,
 * two 1.45 times; so two and one are faster than four with an empty place.
 */
export function tiledTokens(tokens: i32): i32 {
  return tokens & ~1
}

// Inputs of the products that follow: records of tokens, and tiles.
let tokens: i32 = 0
let records: usize = 0
let recordBytes: usize = 0
let tiles: usize = 0
let tileBytes: usize = 0
/** This thread's room for an unpacked group of rows. */
let unpacked: usize = 0

export function setInputs(
  count: i32, firstRecord: usize, bytesOfRecord: usize, firstTile: usize, bytesOfTile: usize,
  roomToUnpack: usize,
): void {
  tokens = count
  records = firstRecord
  recordBytes = bytesOfRecord
  tiles = firstTile
  tileBytes = bytesOfTile
  unpacked = roomToUnpack
}

/**
 * out[token][row] (+)= matrix × input[token], this thread's share of the rows. `outStride` in bytes; rows are padded
 * to a multiple of 8 in quantised kinds, so `out` needs room for that.
 */
export function multiply(matrix: Matrix, out: usize, outStride: usize, add: bool): void {
  const kind = matrix.kind
  const columns = matrix.columns
  const data = matrix.data
  const groups = (matrix.rows + 7) >> 3
  const from = <i32>((<i64>groups * threadIndex) / threadCount)
  const to = <i32>((<i64>groups * (threadIndex + 1)) / threadCount)
  const tiled = tiledTokens(tokens)
  let token = 0
  if (kind == MATRIX_4BIT) {
    tiles4bit(
      data, tiles, tileBytes, tiled, columns, from, to, out, outStride, add, unpacked,
    )
    token = tiled
  } else if (kind == MATRIX_8BIT) {
    for (; token < tiled; token += 4) {
      const tile = tiles + <usize>(token >> 2) * tileBytes
      const y = out + <usize>token * outStride
      if (tiled - token == 2) pair8bit(data, tile, columns, from, to, y, outStride, add)
      else tile8bit(data, tile, columns, from, to, y, outStride, add)
    }
    token = tiled
  }
  for (; token < tokens; token++) {
    const record = records + <usize>token * recordBytes
    const codes = codesOf(record, columns)
    const meta = metaOf(record, columns)
    const y = out + <usize>token * outStride
    if (kind == MATRIX_4BIT) token4bit(data, codes, meta, columns, from, to, y, add)
    else if (kind == MATRIX_8BIT) token8bit(data, codes, meta, columns, from, to, y, add)
    else if (kind == MATRIX_7BIT) token7bit(data, codes, meta, columns, from, to, y, add)
    else tokenFloat(kind, data, record, columns, from << 3, min(to << 3, matrix.rows), y, add)
  }
}

/** Writes `scale` × row `row` of a matrix to `out` (columns, f32). */
export function readRow(matrix: Matrix, row: i32, scale: f32, out: usize): void {
  const columns = matrix.columns
  const kind = matrix.kind
  if (kind > MATRIX_7BIT) {
    for (let c = 0; c < columns; c++) {
      store<f32>(out + (<usize>c << 2), floatWeight(kind, matrix.data, row * columns + c) * scale)
    }
    return
  }
  const lane = row & 7
  const blocks = columns >> 5
  const blockBytes =
    kind == MATRIX_4BIT ? BLOCK_BYTES_4BIT : kind == MATRIX_8BIT ? BLOCK_BYTES_8BIT : BLOCK_BYTES_7BIT
  let block = matrix.data + <usize>(row >> 3) * <usize>blocks * blockBytes
  for (let b = 0; b < blocks; b++) {
    for (let c = 0; c < 32; c++) {
      const quad = <usize>(c >> 2)
      const within = <usize>(((lane & 3) << 2) | (c & 3))
      let value: f32
      if (kind == MATRIX_4BIT) {
        const byte = <u32>load<u8>(block + 32 + quad * 16 + within)
        const code = lane < 4 ? byte & 15 : byte >> 4
        value = halfAt(block, lane) * <f32>code + halfAt(block + 16, lane)
      } else if (kind == MATRIX_8BIT) {
        const byte = <i32>load<u8>(block + 16 + quad * 32 + within + (lane < 4 ? 0 : 16))
        value = halfAt(block, lane) * <f32>(byte - 128)
      } else {
        const half = block + (c < 16 ? 0 : BLOCK_BYTES_7BIT / 2)
        const byte = <i32>load<u8>(half + 32 + (quad & 3) * 32 + within + (lane < 4 ? 0 : 16))
        value = halfAt(half, lane) * <f32>byte + halfAt(half + 16, lane)
      }
      store<f32>(out + (<usize>(b * 32 + c) << 2), value * scale)
    }
    block += blockBytes
  }
}

// @ts-ignore: decorator
@inline
function halfAt(pointer: usize, lane: i32): f32 {
  return halfToFloat(load<u16>(pointer + (<usize>lane << 1)))
}
