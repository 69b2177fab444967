import { iq4NlValues } from '../../gguf/blocks-of-32'
import { floatToHalf, halfToFloat } from '../../gguf/half'
import type { GgmlType } from '../../gguf/types'
import { BLOCK_COLUMNS, GROUP_ROWS, matrixFormats, scaleWords } from './matrix-format'

/** Buffers of one matrix as they will lie on the GPU. */
export interface PackTarget {
  readonly codes: Uint32Array
  readonly scales: Uint32Array
}

/** 32 codes of a block, four to a word in order of columns; reused for every block. */
const codes = new Uint32Array(8)
/** f16 bits of the first and second 16 columns. */
const scale = new Uint16Array(2)
const minimum = new Uint16Array(2)

/** Lays one row of a file, `bytes` from `at`, into its place. `row` is the row of the target. */
export type RowPacker = (bytes: Uint8Array, at: number, row: number) => void

/** A packer for rows of `columns` columns of a type. Words are little-endian, as GGUF's are and a GPU's. */
export function rowPacker(type: GgmlType, columns: number, target: PackTarget): RowPacker {
  const format = matrixFormats[type]
  const blocks = Math.ceil(columns / BLOCK_COLUMNS)
  const words = scaleWords(format, blocks)
  const { units, hasMinimum } = format
  const perBlock = format.scales
  // From one block to the next in both buffers, and where a row begins.
  const codeStride = units * GROUP_ROWS * 4
  const codesFrom = (row: number): number =>
    Math.floor(row / GROUP_ROWS) * blocks * codeStride + (row % GROUP_ROWS) * 4
  const scalesFrom = (row: number): number =>
    Math.floor(row / GROUP_ROWS) * words * GROUP_ROWS + (row % GROUP_ROWS)
  const straight = straightPackers[type]
  if (straight) {
    return (bytes, at, row) => straight(halfWords(bytes, at), blocks, target, codesFrom(row), scalesFrom(row))
  }
  const unpack = unpackers[type]
  if (unpack === undefined) return floatPacker(type, columns, target.codes, codesFrom)

  return (bytes, at, row) => {
    const file = halfWords(bytes, at)
    const scales = scalesFrom(row)
    let to = codesFrom(row)
    for (let block = 0; block < blocks; block++, to += codeStride) {
      unpack(file, block)
      if (units === 1) {
        for (let i = 0; i < 4; i++) target.codes[to + i] = codes[i]! | (codes[i + 4]! << 4)
      } else {
        for (let i = 0; i < 4; i++) {
          target.codes[to + i] = codes[i]!
          target.codes[to + GROUP_ROWS * 4 + i] = codes[i + 4]!
        }
      }
      if (hasMinimum) {
        for (let s = 0; s < perBlock; s++) {
          target.scales[scales + (block * perBlock + s) * GROUP_ROWS] = scale[s]! | (minimum[s]! << 16)
        }
      } else if (perBlock === 2) {
        target.scales[scales + block * GROUP_ROWS] = scale[0]! | (scale[1]! << 16)
      } else {
        putScale(target.scales, scales, block, scale[0]!)
      }
    }
  }
}

/** Two blocks share a word. */
function putScale(scales: Uint32Array, from: number, block: number, bits: number): void {
  const place = from + (block >> 1) * GROUP_ROWS
  scales[place] = (block & 1) === 0 ? bits : scales[place]! | (bits << 16)
}

/** What lies from `at` on in pieces of 16 bits: blocks of every format are whole numbers of them. */
function halfWords(bytes: Uint8Array, at: number): Uint16Array {
  const start = bytes.byteOffset + at
  if (start % 2 === 0) return new Uint16Array(bytes.buffer, start, (bytes.length - at) >> 1)
  return new Uint16Array(bytes.slice(at).buffer, 0, (bytes.length - at) >> 1)
}

/** Floats keep their bits; what is missing of the last block stays zero. */
function floatPacker(
  type: GgmlType,
  columns: number,
  target: Uint32Array,
  codesFrom: (row: number) => number,
): RowPacker {
  const halves = type === 'F32' ? columns * 2 : columns
  return (bytes, at, row) => {
    const file = halfWords(bytes, at)
    const to = codesFrom(row)
    for (let i = 0; i * 2 < halves; i++) {
      const high = i * 2 + 1 < halves ? file[i * 2 + 1]! << 16 : 0
      target[to + (i >> 2) * GROUP_ROWS * 4 + (i & 3)] = file[i * 2]! | high
    }
  }
}

/** Whole rows of the commonest formats, whose codes already lie as they shall. */
const straightPackers: Partial<
  Record<
    GgmlType,
    (file: Uint16Array, blocks: number, target: PackTarget, codesAt: number, scalesAt: number) => void
  >
> = {
  Q4_0: (file, blocks, target, codesAt, scalesAt) => {
    for (let block = 0, from = 0, to = codesAt; block < blocks; block++, from += 9, to += GROUP_ROWS * 4) {
      putScale(target.scales, scalesAt, block, file[from]!)
      for (let i = 0; i < 4; i++) target.codes[to + i] = word(file, from + 1 + i * 2)
    }
  },
  Q4_1: (file, blocks, target, codesAt, scalesAt) => {
    for (let block = 0, from = 0, to = codesAt; block < blocks; block++, from += 10, to += GROUP_ROWS * 4) {
      target.scales[scalesAt + block * GROUP_ROWS] = word(file, from)
      for (let i = 0; i < 4; i++) target.codes[to + i] = word(file, from + 2 + i * 2)
    }
  },
  Q8_0: (file, blocks, target, codesAt, scalesAt) => {
    for (let block = 0, from = 0, to = codesAt; block < blocks; block++, from += 17, to += GROUP_ROWS * 8) {
      putScale(target.scales, scalesAt, block, file[from]!)
      for (let i = 0; i < 4; i++) {
        target.codes[to + i] = word(file, from + 1 + i * 2) ^ 0x80808080
        target.codes[to + GROUP_ROWS * 4 + i] = word(file, from + 9 + i * 2) ^ 0x80808080
      }
    }
  },
}

// ---- blocks of the file: formats as in src/gguf/blocks-of-32.ts and blocks-of-256.ts ----

/** Takes block number `block` (of 32 weights) of a row apart, four codes at a time. Places are in pieces of 16 bits. */
type Unpacker = (file: Uint16Array, block: number) => void

const NIBBLES = 0x0f0f0f0f
const PAIRS = 0x03030303
const ONES = 0x01010101

const unpackers: Partial<Record<GgmlType, Unpacker>> = {
  Q5_0: (file, block) => {
    const from = block * 11
    setScales(file[from]!, 0)
    nibbles(file, from + 3)
    fifthBits(word(file, from + 1))
  },
  Q5_1: (file, block) => {
    const from = block * 12
    setScales(file[from]!, file[from + 1]!)
    nibbles(file, from + 4)
    fifthBits(word(file, from + 2))
  },
  IQ4_NL: (file, block) => {
    const from = block * 9
    setScales(file[from]!, 0)
    nibbles(file, from + 1)
    for (let i = 0; i < 8; i++) {
      const four = codes[i]!
      codes[i] =
        (iq4NlValues[four & 0xf]! + 128) |
        ((iq4NlValues[(four >> 8) & 0xf]! + 128) << 8) |
        ((iq4NlValues[(four >> 16) & 0xf]! + 128) << 16) |
        ((iq4NlValues[four >>> 24]! + 128) << 24)
    }
  },
  Q2_K: (file, block) => {
    const from = (block >> 3) * 42
    const pair = block & 7
    for (let h = 0; h < 2; h++) {
      const scales = byte(file, from * 2 + pair * 2 + h)
      scale[h] = product(file[from + 40]!, scales & 0xf)
      minimum[h] = product(file[from + 41]!, -(scales >> 4))
    }
    const quants = from + 8 + (pair >> 2) * 16
    for (let i = 0; i < 8; i++) codes[i] = (word(file, quants + i * 2) >> ((pair & 3) * 2)) & PAIRS
  },
  Q3_K: (file, block) => {
    const from = (block >> 3) * 55
    const pair = block & 7
    for (let h = 0; h < 2; h++) {
      const group = pair * 2 + h
      const low = (byte(file, from * 2 + 96 + (group & 7)) >> (group < 8 ? 0 : 4)) & 0xf
      const high = (byte(file, from * 2 + 104 + (group & 3)) >> ((group >> 2) * 2)) & 3
      scale[h] = product(file[from + 54]!, (low | (high << 4)) - 32)
    }
    const quants = from + 16 + (pair >> 2) * 16
    for (let i = 0; i < 8; i++) {
      const low = (word(file, quants + i * 2) >> ((pair & 3) * 2)) & PAIRS
      codes[i] = low | (((word(file, from + i * 2) >> pair) & ONES) << 2)
    }
  },
  Q4_K: (file, block) => {
    const from = (block >> 3) * 72
    kScales(file, from, block & 7)
    kNibbles(file, from + 8, block & 7)
  },
  Q5_K: (file, block) => {
    const from = (block >> 3) * 88
    kScales(file, from, block & 7)
    kNibbles(file, from + 24, block & 7)
    for (let i = 0; i < 8; i++) codes[i]! |= ((word(file, from + 8 + i * 2) >> (block & 7)) & ONES) << 4
  },
  Q6_K: (file, block) => {
    const from = (block >> 3) * 105
    const run = block & 3
    const side = (block >> 2) & 1
    for (let h = 0; h < 2; h++) {
      const signed = (byte(file, from * 2 + 192 + (block & 7) * 2 + h) << 24) >> 24
      scale[h] = product(file[from + 104]!, signed)
    }
    const lows = from + side * 32 + (run & 1) * 16
    const highs = from + 64 + side * 16
    for (let i = 0; i < 8; i++) {
      const low = (word(file, lows + i * 2) >> (run < 2 ? 0 : 4)) & NIBBLES
      codes[i] = low | (((word(file, highs + i * 2) >> (run * 2)) & PAIRS) << 4)
    }
  },
}

function word(file: Uint16Array, at: number): number {
  return file[at]! | (file[at + 1]! << 16)
}

function byte(file: Uint16Array, at: number): number {
  return (file[at >> 1]! >> ((at & 1) * 8)) & 0xff
}

/** f16 bits of an f16 times a factor. */
function product(bits: number, factor: number): number {
  return floatToHalf(halfToFloat(bits) * factor)
}

function setScales(scaleBits: number, minimumBits: number): void {
  scale[0] = scale[1] = scaleBits
  minimum[0] = minimum[1] = minimumBits
}

/** 16 bytes: columns 0…15 in their low nibbles, 16…31 in the high ones. */
function nibbles(file: Uint16Array, at: number): void {
  for (let i = 0; i < 4; i++) {
    const four = word(file, at + i * 2)
    codes[i] = four & NIBBLES
    codes[i + 4] = (four >> 4) & NIBBLES
  }
}

/** Bit j of `bits` becomes bit 4 of code j: a multiplication spreads four bits over four bytes. */
function fifthBits(bits: number): void {
  for (let i = 0; i < 8; i++) codes[i]! |= ((((bits >> (i * 4)) & 0xf) * 0x204081) & ONES) << 4
}

/** d, dmin, then 6-bit scales and minima of 8 groups in 12 bytes (get_scale_min_k4 of ggml-quants.c). */
function kScales(file: Uint16Array, from: number, group: number): void {
  const at = from * 2 + 4
  const first = byte(file, at + (group < 4 ? group : group + 4))
  const second = byte(file, at + (group < 4 ? group + 4 : group - 4))
  const s = group < 4 ? first & 63 : (first & 0xf) | ((second >> 6) << 4)
  const m = group < 4 ? second & 63 : (first >> 4) | ((byte(file, at + group) >> 6) << 4)
  setScales(product(file[from]!, s), product(file[from + 1]!, -m))
}

/** 32 bytes hold two groups: low nibbles, then high ones. */
function kNibbles(file: Uint16Array, from: number, group: number): void {
  const quants = from + (group >> 1) * 16
  for (let i = 0; i < 8; i++) codes[i] = (word(file, quants + i * 2) >> ((group & 1) * 4)) & NIBBLES
}
