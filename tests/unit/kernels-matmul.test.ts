import { beforeAll, describe, expect, it } from 'vitest'
import { dequantize } from '../../src/gguf/blocks'
import { halfToFloat } from '../../src/gguf/half'
import { randomFloats, randomNumbers, randomWeights } from '../fixtures/random-weights'
import {
  f32Unit,
  firstMiss,
  KernelBench,
  matrixKinds,
  nodeVariants,
  packedTypes,
  type PackedType,
} from './kernels-harness'
import { readRecord } from './kernels-records'

const packed: readonly PackedType[] = ['Q4_1', 'Q4_0', 'Q4_K', 'Q8_0', 'IQ4_NL', 'Q5_1', 'Q6_K', 'Q2_K']
const floats = ['F32', 'F16', 'BF16'] as const

/** Tokens of a call: single ones, tiles of four, tiles and a rest, many tiles. */
const tokenCounts = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 21, 35]

interface Product {
  readonly out: Float32Array
  readonly stride: number
  /** The tokens' records. */
  readonly records: number
}

describe.each(nodeVariants)('matrix products, %s', (variant) => {
  let bench: KernelBench
  beforeAll(async () => {
    bench = await KernelBench.open(variant)
  })

  const inputsOf = (tokens: number, columns: number, seed: number): Float32Array =>
    randomFloats(tokens * columns, 0.2, 1, randomNumbers(seed))

  /** `before`: what is added to; undefined: the products are stored. */
  const multiply = (
    matrix: { pointer: number; rows: number; columns: number },
    values: Float32Array,
    before?: number,
  ): Product => {
    const { kernels } = bench
    const tokens = values.length / matrix.columns
    const stride = Math.ceil(matrix.rows / 8) * 8 + 8
    const length = Math.ceil(tokens / 4) * 4 * stride
    const at = bench.room(length * 4)
    if (before !== undefined) bench.floats(at, length).fill(before)
    const work = bench.room(kernels.productWorkBytes(matrix.columns, tokens))
    kernels.product(
      matrix.pointer,
      bench.put(values),
      tokens,
      at,
      stride * 4,
      before === undefined ? 0 : 1,
      work,
    )
    return { out: bench.take(at, tokens * stride), stride, records: work }
  }

  const rowsOf = ({ out, stride }: Product, token: number, rows: number): Float32Array =>
    out.slice(token * stride, token * stride + rows)

  /** Row of a matrix in memory as the kernels read it. */
  const weightsOf = (pointer: number, row: number, columns: number): Float32Array => {
    const out = bench.room(columns * 4)
    bench.kernels.readRow(pointer, row, 1, out)
    const weights = bench.take(out, columns)
    bench.arena.release(out)
    return weights
  }

  /** The minimum of a weight's block in memory (kernels/structs.ts says where). */
  const minimumOf = (
    matrix: { data: number; kind: number; columns: number },
    row: number,
    column: number,
  ): number => {
    if (matrix.kind === matrixKinds.bits8) return 0
    const blockBytes = matrix.kind === matrixKinds.bits4 ? 160 : 320
    const block = Math.floor(row / 8) * (matrix.columns / 32) + Math.floor(column / 32)
    const half = matrix.kind === matrixKinds.bits7 && column % 32 >= 16 ? 160 : 0
    const at = matrix.data + block * blockBytes + half + 16 + (row % 8) * 2
    return halfToFloat(new DataView(bench.arena.buffer).getUint16(at, true))
  }

  const putType = (type: PackedType, rows: number, columns: number) => {
    const kind = bench.kernels.matrixKind(packedTypes[type])
    const pointer = bench.putPacked(
      type,
      rows,
      columns,
      randomWeights(type, rows * columns, 0.05, randomNumbers(rows + columns)),
    )
    const data = new DataView(bench.arena.buffer).getUint32(pointer + 12, true)
    return { pointer, rows, columns, kind, data }
  }

  // Against Σ weight × scale × code in float64, with the weights as repacked and the record's own codes: integer dots
  // are exact, so only f32 roundings remain. Two of each block's sum are added to the row, each off by a unit of what
  // the row has come to; scale × scale, its product with the dots, the sum's own product, that with the minimum and,
  // of halves of a block, the difference of sums add fewer than 12. What they are shares of is at most
  // Σ (|scale × code| + |minimum|) × |value|, with scale × code = weight − minimum.
  describe.each(packed)('%s', (type) => {
    it.each([
      [24, 256],
      [13, 768],
    ])('%d × %d against float64', (rows, columns) => {
      const matrix = putType(type, rows, columns)
      const tokens = 5
      const product = multiply(matrix, inputsOf(tokens, columns, 1))
      for (let t = 0; t < tokens; t++) {
        const { values, codes, blocks } = readRecord(
          bench,
          product.records + t * bench.kernels.recordStride(columns),
          columns,
        )
        const want = new Float64Array(rows)
        const size = new Float64Array(rows)
        const unquantised = new Float64Array(rows)
        const step = new Float64Array(rows)
        for (let row = 0; row < rows; row++) {
          const weights = weightsOf(matrix.pointer, row, columns)
          for (let c = 0; c < columns; c++) {
            const { scale } = blocks[c >> 5]!
            const value = codes[c]! * scale
            want[row]! += weights[c]! * value
            size[row]! += (Math.abs(weights[c]!) + 2 * Math.abs(minimumOf(matrix, row, c))) * Math.abs(value)
            unquantised[row]! += weights[c]! * values[c]!
            step[row]! += Math.abs(weights[c]!) * scale
          }
        }
        const roundings = 2 * (columns / 16) + 12
        const got = rowsOf(product, t, rows)
        expect(firstMiss(got, want, (row) => roundings * f32Unit * size[row]!)).toBeNull()
        // And against the inputs themselves: half a step each at most, and the roundings of steps.
        expect(
          firstMiss(got, unquantised, (row) => 0.5001 * step[row]! + roundings * f32Unit * size[row]!),
        ).toBeNull()
      }
    })

    it('gives the same bits however many tokens come at once, on any thread', () => {
      const [rows, columns] = [27, 256]
      const matrix = putType(type, rows, columns)
      const most = Math.max(...tokenCounts)
      const inputs = inputsOf(most, columns, 2)
      const single = Array.from({ length: most }, (_, t) =>
        rowsOf(multiply(matrix, inputs.subarray(t * columns, (t + 1) * columns)), 0, rows),
      )
      for (const tokens of tokenCounts) {
        const product = multiply(matrix, inputs.subarray(0, tokens * columns))
        for (let t = 0; t < tokens; t++) expect(rowsOf(product, t, rows)).toEqual(single[t])
        // Behind the padding nothing is written.
        expect(product.out.subarray(Math.ceil(rows / 8) * 8, product.stride).every(Number.isNaN)).toBe(true)
      }
      // Each of three threads writes its share and leaves the rest.
      const shares = Array.from({ length: 3 }, (_, thread) => {
        bench.kernels.setThread(thread, 3)
        const product = multiply(matrix, inputs.subarray(0, 5 * columns))
        bench.kernels.setThread(0, 1)
        return rowsOf(product, 4, rows)
      })
      for (let row = 0; row < rows; row++) {
        const written = shares.map((share) => share[row]!).filter((value) => !Number.isNaN(value))
        expect(written).toEqual([single[4]![row]])
      }
    })

    it('adds to what is there', () => {
      const [rows, columns] = [11, 256]
      const matrix = putType(type, rows, columns)
      const inputs = inputsOf(6, columns, 3)
      const stored = multiply(matrix, inputs)
      const added = multiply(matrix, inputs, 1.5)
      for (let t = 0; t < 6; t++) {
        expect(rowsOf(added, t, rows)).toEqual(rowsOf(stored, t, rows).map((value) => value + 1.5))
      }
    })
  })

  // Eight lanes add columns / 8 products each, then the lanes; with or without fusing. Halves are read × 2^−112: a
  // product with a small input is then below the normal numbers and off by up to 2^−150, times 2^112 at the end.
  describe.each(floats)('%s', (type) => {
    it.each([
      [16, 64],
      [13, 250],
      [1, 7],
    ])('%d × %d against float64', (rows, columns) => {
      const source = randomWeights(type, rows * columns, 0.05, randomNumbers(rows))
      const weights = new Float32Array(rows * columns)
      dequantize(type, source, weights)
      const data = bench.putBytes(source)
      const pointer = bench.putMatrix({ kind: matrixKinds[type], rows, columns, data })
      const tokens = 5
      const inputs = inputsOf(tokens, columns, 4)
      const stored = multiply({ pointer, rows, columns }, inputs)
      const added = multiply({ pointer, rows, columns }, inputs, -2)
      for (let t = 0; t < tokens; t++) {
        const values = inputs.subarray(t * columns, (t + 1) * columns)
        const want = new Float64Array(rows)
        const size = new Float64Array(rows)
        for (let row = 0; row < rows; row++) {
          for (let c = 0; c < columns; c++) {
            const term = weights[row * columns + c]! * values[c]!
            want[row]! += term
            size[row]! += Math.abs(term)
          }
        }
        const roundings = columns / 8 + 6 + (columns % 8)
        const got = rowsOf(stored, t, rows)
        const bound = (row: number): number => roundings * f32Unit * size[row]! + columns * 2 ** -38
        expect(firstMiss(got, want, bound)).toBeNull()
        expect(rowsOf(added, t, rows)).toEqual(got.map((value) => value - 2))
      }
    })
  })
})
