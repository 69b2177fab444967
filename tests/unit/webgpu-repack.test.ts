import { describe, expect, it } from 'vitest'
import {
  BLOCK_COLUMNS,
  GROUP_ROWS,
  matrixBytes,
  matrixFormats,
  scaleWords,
} from '../../src/backend/webgpu/matrix-format'
import { type PackTarget, rowPacker } from '../../src/backend/webgpu/repack'
import { ggmlTypes } from '../../src/gguf/block-layout'
import { dequantize } from '../../src/gguf/blocks'
import { halfToFloat } from '../../src/gguf/half'
import type { GgmlType } from '../../src/gguf/types'
import { randomNumbers, randomWeights } from '../fixtures/random-weights'

const ROWS = 19

/** Scale × (code − offset) and minimum, whose sum is a weight, as the layout's description (matrix-format.ts) has them. */
function termsOf(
  type: GgmlType,
  columns: number,
  target: PackTarget,
  row: number,
  column: number,
): [scaled: number, minimum: number] {
  const format = matrixFormats[type]
  const blocks = Math.ceil(columns / BLOCK_COLUMNS)
  const block = Math.floor(column / BLOCK_COLUMNS)
  const group = Math.floor(row / GROUP_ROWS)
  const within = column % BLOCK_COLUMNS
  /** Word `index` of the row's block. */
  const word = (index: number): number => {
    const unit = (group * blocks + block) * format.units + (index >> 2)
    return target.codes[(unit * GROUP_ROWS + (row % GROUP_ROWS)) * 4 + (index & 3)]!
  }
  const scalesOf = (index: number): number =>
    target.scales[(group * scaleWords(format, blocks) + index) * GROUP_ROWS + (row % GROUP_ROWS)]!
  if (format.codes === 'f32') return [new Float32Array(Uint32Array.of(word(within)).buffer)[0]!, 0]
  if (format.scales === 0) {
    const bits = (word(within >> 1) >>> ((within & 1) * 16)) & 0xffff
    if (format.codes === 'f16') return [halfToFloat(bits), 0]
    return [new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!, 0]
  }
  const shift = (within % 4) * 8
  const code =
    format.codes === 'u8'
      ? (word(within >> 2) >>> shift) & 0xff
      : (word((within & 15) >> 2) >>> (shift + (within < 16 ? 0 : 4))) & 0xf
  const half = format.scales === 2 && within >= 16 ? 1 : 0
  if (format.hasMinimum) {
    const pair = scalesOf(block * format.scales + half)
    return [halfToFloat(pair & 0xffff) * (code - format.offset), halfToFloat(pair >>> 16)]
  }
  const pair = scalesOf(format.scales === 2 ? block : block >> 1)
  const isHigh = format.scales === 2 ? half === 1 : (block & 1) === 1
  return [halfToFloat(isHigh ? pair >>> 16 : pair & 0xffff) * (code - format.offset), 0]
}

describe.each(ggmlTypes)('weights of %s laid out for the GPU', (type) => {
  // An odd number of blocks of 32 where the type has such blocks.
  const columns = type.endsWith('_K') ? 512 : 96
  const bytes = randomWeights(type, columns * ROWS, 1, randomNumbers(3))
  const wanted = new Float32Array(columns * ROWS)
  dequantize(type, bytes, wanted)

  it.each([0, 1])('mean what they meant, from %i bytes into a buffer', (offset) => {
    const size = matrixBytes(matrixFormats[type], ROWS, columns)
    const target = { codes: new Uint32Array(size.codes / 4), scales: new Uint32Array(size.scales / 4) }
    const file = new Uint8Array(bytes.length + offset)
    file.set(bytes, offset)
    const pack = rowPacker(type, columns, target)
    for (let row = 0; row < ROWS; row++) pack(file, offset + (row * bytes.length) / ROWS, row)
    for (let i = 0; i < wanted.length; i++) {
      const [scaled, minimum] = termsOf(type, columns, target, Math.floor(i / columns), i % columns)
      // K types: scales and minima are products, rounded to half floats.
      const rounding = type.endsWith('_K') ? 2 ** -10.9 : 2 ** -23
      const slack = rounding * (Math.abs(scaled) + Math.abs(minimum)) + 2 ** -24
      expect(Math.abs(scaled + minimum - wanted[i]!)).toBeLessThanOrEqual(slack)
    }
  })
})

it('take the bits on a GPU that decision 4 says', () => {
  const bits = (type: GgmlType): number => {
    const { codes, scales } = matrixBytes(matrixFormats[type], GROUP_ROWS, 512)
    return ((codes + scales) * 8) / (GROUP_ROWS * 512)
  }
  expect(Object.fromEntries(ggmlTypes.map((type) => [type, bits(type)]))).toEqual({
    F32: 32,
    F16: 16,
    BF16: 16,
    Q4_0: 4.5,
    Q4_1: 5,
    Q4_K: 5,
    Q2_K: 6,
    Q3_K: 5,
    Q5_0: 8.5,
    Q5_1: 9,
    Q5_K: 9,
    Q6_K: 9,
    Q8_0: 8.5,
    IQ4_NL: 8.5,
  })
})
