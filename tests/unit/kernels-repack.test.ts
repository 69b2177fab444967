import { beforeAll, describe, expect, it } from 'vitest'
import { blockLayouts } from '../../src/gguf/block-layout'
import { dequantize } from '../../src/gguf/blocks'
import { halfToFloat } from '../../src/gguf/half'
import { randomNumbers, randomWeights } from '../fixtures/random-weights'
import {
  f32Unit,
  firstMiss,
  KernelBench,
  matrixKinds,
  nodeVariants,
  packedTypes,
  type PackedType,
} from './kernels-harness'

const types = Object.keys(packedTypes) as PackedType[]

/**
 * K types multiply a super-block's scale with small integers; repacked, the product is one f16. Where the two f16 lie
 * in a super-block, and the largest products of them with integers: |code part| and |minimum|.
 */
const kTypes: Partial<Record<PackedType, { d: number; code: number; dmin?: number; minimum?: number }>> = {
  Q2_K: { d: 80, code: 15 * 3, dmin: 82, minimum: 15 },
  Q3_K: { d: 108, code: 32 * 4 },
  Q4_K: { d: 0, code: 63 * 15, dmin: 2, minimum: 63 },
  Q5_K: { d: 0, code: 63 * 31, dmin: 2, minimum: 63 },
  Q6_K: { d: 208, code: 128 * 32 },
}

/** Half the distance of two f16 of this size, which is what rounding to one costs at most. */
const halfRounding = (size: number): number => Math.max(size * 2 ** -11, 2 ** -25)

/** How far each weight may be from what the file says; 0 where nothing is rounded that `dequantize` does not round too. */
function boundOf(type: PackedType, source: Uint8Array): (index: number) => number {
  const fields = kTypes[type]
  if (fields === undefined) return () => 0
  const { blockSize, bytesPerBlock } = blockLayouts[type]
  const view = new DataView(source.buffer, source.byteOffset)
  return (index) => {
    const at = Math.floor(index / blockSize) * bytesPerBlock
    const code = Math.abs(halfToFloat(view.getUint16(at + fields.d, true))) * fields.code
    const minimum =
      fields.dmin === undefined
        ? 0
        : Math.abs(halfToFloat(view.getUint16(at + fields.dmin, true))) * fields.minimum!
    // Both sides round their sum in f32.
    return halfRounding(code) + halfRounding(minimum) + 2 * f32Unit * (code + minimum)
  }
}

describe.each(nodeVariants)('repacked matrices, %s', (variant) => {
  let bench: KernelBench
  beforeAll(async () => {
    bench = await KernelBench.open(variant)
  })

  describe.each(types)('%s', (type) => {
    // Whole groups of 8 rows, a part of one, both; one block and several.
    it.each([
      [8, 256],
      [1, 512],
      [21, 256],
      [16, 768],
    ])('%d × %d weights are read as the file says', (rows, columns) => {
      const source = randomWeights(type, rows * columns, 0.05, randomNumbers(rows * columns))
      const want = new Float32Array(rows * columns)
      dequantize(type, source, want)
      const matrix = bench.putPacked(type, rows, columns, source)
      const out = bench.room(columns * 4)
      const got = new Float32Array(rows * columns)
      for (let row = 0; row < rows; row++) {
        bench.kernels.readRow(matrix, row, 1, out)
        got.set(bench.floats(out, columns), row * columns)
      }
      expect(firstMiss(got, want, boundOf(type, source))).toBeNull()
    })

    it('has no weights in the rows that fill the last group', () => {
      const source = randomWeights(type, 3 * 256, 0.05, randomNumbers(3))
      const matrix = bench.putPacked(type, 3, 256, source)
      const out = bench.room(256 * 4)
      for (let row = 3; row < 8; row++) {
        bench.kernels.readRow(matrix, row, 1, out)
        expect(bench.take(out, 256).every((weight) => weight === 0)).toBe(true)
      }
    })
  })

  it('blocks of 32 may be any number a row', () => {
    const source = randomWeights('Q4_1', 9 * 96, 0.05, randomNumbers(7))
    const want = new Float32Array(9 * 96)
    dequantize('Q4_1', source, want)
    const matrix = bench.putPacked('Q4_1', 9, 96, source)
    const out = bench.room(96 * 4)
    bench.kernels.readRow(matrix, 8, 1, out)
    expect(bench.take(out, 96)).toEqual(want.slice(8 * 96))
  })

  it.each(['F32', 'F16', 'BF16'] as const)('%s rows are read as the file says, times a scale', (type) => {
    const [rows, columns] = [5, 37]
    const source = randomWeights(type, rows * columns, 1, randomNumbers(11))
    const want = new Float32Array(rows * columns)
    dequantize(type, source, want)
    const matrix = bench.putMatrix({
      kind: matrixKinds[type],
      rows,
      columns,
      data: bench.putBytes(source),
    })
    const out = bench.room(columns * 4)
    for (let row = 0; row < rows; row++) {
      bench.kernels.readRow(matrix, row, 16, out)
      expect(bench.take(out, columns)).toEqual(
        want.slice(row * columns, (row + 1) * columns).map((weight) => weight * 16),
      )
    }
  })
})
