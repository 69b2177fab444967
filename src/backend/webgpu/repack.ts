import { iq4NlValues } from '../../gguf/blocks-of-32'
import { floatToHalf, halfToFloat } from '../../gguf/half'
import type { GgmlType } from '../../gguf/types'
import { BLOCK_COLUMNS, GROUP_ROWS, matrixFormats, scaleWords } from './matrix-format'

/** Buffers of one matrix as they will lie on the GPU. */
export interface PackTarget {
  readonly codes: Uint32Array
  readonly scales: Uint32Array
}

/** 32 weights taken apart; reused for every block. Scales and minima are f16 bits of the first and second 16 columns. */
const codes = new Uint8Array(BLOCK_COLUMNS)
const scale = new Uint16Array(2)
const minimum = new Uint16Array(2)

/** Lays one row of a file, `bytes` from `at`, into its place. `row` is the row of the target. */
export type RowPacker = (bytes: Uint8Array, at: number, row: number) => void

/** A packer for rows of `columns` columns of a type. */
export function rowPacker(type: GgmlType, columns: number, target: PackTarget): RowPacker {
  const format = matrixFormats[type]
  const blocks = Math.ceil(columns / BLOCK_COLUMNS)
  const words = scaleWords(format, blocks)
  const { units } = format
  const codeIndex = (row: number, block: number): number =>
    ((Math.floor(row / GROUP_ROWS) * blocks + block) * units * GROUP_ROWS + (row % GROUP_ROWS)) * 4
  const scaleIndex = (row: number, word: number): number =>
    (Math.floor(row / GROUP_ROWS) * words + word) * GROUP_ROWS + (row % GROUP_ROWS)
  const unpack = unpackers[type]
  if (unpack === null) return floatPacker(type, columns, target.codes, codeIndex)

  return (bytes, at, row) => {
    for (let block = 0; block < blocks; block++) {
      unpack(bytes, at, block)
      const to = codeIndex(row, block)
      if (units === 1) {
        for (let i = 0; i < 4; i++) {
          let word = 0
          for (let k = 0; k < 4; k++) {
            word |= (codes[i * 4 + k]! | (codes[16 + i * 4 + k]! << 4)) << (k * 8)
          }
          target.codes[to + i] = word
        }
      } else {
        for (let i = 0; i < 8; i++) {
          const word =
            codes[i * 4]! | (codes[i * 4 + 1]! << 8) | (codes[i * 4 + 2]! << 16) | (codes[i * 4 + 3]! << 24)
          target.codes[to + (i >> 2) * GROUP_ROWS * 4 + (i & 3)] = word
        }
      }
      if (format.hasMinimum) {
        for (let s = 0; s < format.scales; s++) {
          target.scales[scaleIndex(row, block * format.scales + s)] = scale[s]! | (minimum[s]! << 16)
        }
      } else if (format.scales === 2) {
        target.scales[scaleIndex(row, block)] = scale[0]! | (scale[1]! << 16)
      } else {
        const place = scaleIndex(row, block >> 1)
        target.scales[place] = (block & 1) === 0 ? scale[0]! : target.scales[place]! | (scale[0]! << 16)
      }
    }
  }
}

/** Floats keep their bits; what is missing of the last block stays zero. */
function floatPacker(
  type: GgmlType,
  columns: number,
  target: Uint32Array,
  codeIndex: (row: number, block: number) => number,
): RowPacker {
  const bytesEach = type === 'F32' ? 4 : 2
  const perUnit = 16 / bytesEach
  return (bytes, at, row) => {
    for (let column = 0; column < columns; column += 4 / bytesEach) {
      const from = at + column * bytesEach
      const isLastHalf = bytesEach === 2 && column + 1 === columns
      const low = bytes[from]! | (bytes[from + 1]! << 8)
      const word = isLastHalf ? low : low | (bytes[from + 2]! << 16) | (bytes[from + 3]! << 24)
      const within = column % BLOCK_COLUMNS
      const unit = Math.floor(within / perUnit)
      target[
        codeIndex(row, Math.floor(column / BLOCK_COLUMNS)) +
          unit * GROUP_ROWS * 4 +
          Math.floor(((within % perUnit) * bytesEach) / 4)
      ] = word
    }
  }
}

// ---- blocks of the file: formats as in src/gguf/blocks-of-32.ts and blocks-of-256.ts ----

/** Takes block number `block` (of 32 weights) of the row at `at` apart. */
type Unpacker = (bytes: Uint8Array, at: number, block: number) => void

const unpackers: Readonly<Record<GgmlType, Unpacker | null>> = {
  F32: null,
  F16: null,
  BF16: null,
  Q4_0: (bytes, at, block) => {
    const from = at + block * 18
    setScales(half(bytes, from), 0)
    nibbles(bytes, from + 2)
  },
  Q4_1: (bytes, at, block) => {
    const from = at + block * 20
    setScales(half(bytes, from), half(bytes, from + 2))
    nibbles(bytes, from + 4)
  },
  Q5_0: (bytes, at, block) => {
    const from = at + block * 22
    setScales(half(bytes, from), 0)
    nibbles(bytes, from + 6)
    fifthBits(bytes, from + 2)
  },
  Q5_1: (bytes, at, block) => {
    const from = at + block * 24
    setScales(half(bytes, from), half(bytes, from + 2))
    nibbles(bytes, from + 8)
    fifthBits(bytes, from + 4)
  },
  Q8_0: (bytes, at, block) => {
    const from = at + block * 34
    setScales(half(bytes, from), 0)
    for (let j = 0; j < 32; j++) codes[j] = bytes[from + 2 + j]! ^ 0x80
  },
  IQ4_NL: (bytes, at, block) => {
    const from = at + block * 18
    setScales(half(bytes, from), 0)
    nibbles(bytes, from + 2)
    for (let j = 0; j < 32; j++) codes[j] = iq4NlValues[codes[j]!]! + 128
  },
  Q2_K: (bytes, at, block) => {
    const from = at + (block >> 3) * 84
    const pair = block & 7
    for (let h = 0; h < 2; h++) {
      const scales = bytes[from + pair * 2 + h]!
      scale[h] = product(bytes, from + 80, scales & 0xf)
      minimum[h] = product(bytes, from + 82, -(scales >> 4))
    }
    const quants = from + 16 + (pair >> 2) * 32
    for (let j = 0; j < 32; j++) codes[j] = (bytes[quants + j]! >> ((pair & 3) * 2)) & 3
  },
  Q3_K: (bytes, at, block) => {
    const from = at + (block >> 3) * 110
    const pair = block & 7
    for (let h = 0; h < 2; h++) {
      const group = pair * 2 + h
      const low = (bytes[from + 96 + (group & 7)]! >> (group < 8 ? 0 : 4)) & 0xf
      const high = (bytes[from + 104 + (group & 3)]! >> ((group >> 2) * 2)) & 3
      scale[h] = product(bytes, from + 108, (low | (high << 4)) - 32)
    }
    const quants = from + 32 + (pair >> 2) * 32
    for (let j = 0; j < 32; j++) {
      const high = (bytes[from + j]! >> pair) & 1
      codes[j] = ((bytes[quants + j]! >> ((pair & 3) * 2)) & 3) | (high << 2)
    }
  },
  Q4_K: (bytes, at, block) => {
    const from = at + (block >> 3) * 144
    kScales(bytes, from, block & 7)
    kNibbles(bytes, from + 16, block & 7)
  },
  Q5_K: (bytes, at, block) => {
    const from = at + (block >> 3) * 176
    kScales(bytes, from, block & 7)
    kNibbles(bytes, from + 48, block & 7)
    for (let j = 0; j < 32; j++) codes[j]! |= ((bytes[from + 16 + j]! >> (block & 7)) & 1) << 4
  },
  Q6_K: (bytes, at, block) => {
    const from = at + (block >> 3) * 210
    const run = block & 3
    const side = (block >> 2) & 1
    for (let h = 0; h < 2; h++) {
      scale[h] = product(bytes, from + 208, (bytes[from + 192 + (block & 7) * 2 + h]! << 24) >> 24)
    }
    const lows = from + side * 64 + (run & 1) * 32
    const highs = from + 128 + side * 32
    for (let j = 0; j < 32; j++) {
      const low = (bytes[lows + j]! >> (run < 2 ? 0 : 4)) & 0xf
      codes[j] = low | (((bytes[highs + j]! >> (run * 2)) & 3) << 4)
    }
  },
}

function half(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8)
}

/** f16 bits of (f16 at `at`) × factor. */
function product(bytes: Uint8Array, at: number, factor: number): number {
  return floatToHalf(halfToFloat(half(bytes, at)) * factor)
}

function setScales(scaleBits: number, minimumBits: number): void {
  scale.fill(scaleBits)
  minimum.fill(minimumBits)
}

function nibbles(bytes: Uint8Array, at: number): void {
  for (let j = 0; j < 16; j++) {
    codes[j] = bytes[at + j]! & 0xf
    codes[16 + j] = bytes[at + j]! >> 4
  }
}

function fifthBits(bytes: Uint8Array, at: number): void {
  for (let j = 0; j < 32; j++) codes[j]! |= ((bytes[at + (j >> 3)]! >> (j & 7)) & 1) << 4
}

/** d, dmin, then 6-bit scales and minima of 8 groups in 12 bytes (get_scale_min_k4 of ggml-quants.c). */
function kScales(bytes: Uint8Array, from: number, group: number): void {
  const at = from + 4
  const [s, m] =
    group < 4
      ? [bytes[at + group]! & 63, bytes[at + group + 4]! & 63]
      : [
          (bytes[at + group + 4]! & 0xf) | ((bytes[at + group - 4]! >> 6) << 4),
          (bytes[at + group + 4]! >> 4) | ((bytes[at + group]! >> 6) << 4),
        ]
  setScales(product(bytes, from, s), product(bytes, from + 2, -m))
}

/** 32 bytes hold two groups: low nibbles, then high ones. */
function kNibbles(bytes: Uint8Array, from: number, group: number): void {
  const quants = from + (group >> 1) * 32
  const shift = (group & 1) * 4
  for (let j = 0; j < 32; j++) codes[j] = (bytes[quants + j]! >> shift) & 0xf
}
