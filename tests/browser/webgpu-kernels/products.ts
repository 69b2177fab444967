import { linear, rmsNorm } from '../../../src/backend/reference/operations'
import { BLOCK_COLUMNS, matrixBytes, matrixFormats } from '../../../src/backend/webgpu/matrix-format'
import { rowPacker } from '../../../src/backend/webgpu/repack'
import { type MatmulShape, matmulShader, type MatmulTile } from '../../../src/backend/webgpu/shaders/matmul'
import { TILE_ROWS, TILE_TOKENS, tiledMatmulShader } from '../../../src/backend/webgpu/shaders/matmul-tiled'
import { dequantize } from '../../../src/gguf/blocks'
import type { GgmlType } from '../../../src/gguf/types'
import { randomFloats, randomNumbers, randomWeights } from '../../fixtures/random-weights'
import type { KernelCall, RunKernels } from './run-kernels'

export const EPSILON = 1e-5
/** In what no kernel may write. */
export const UNTOUCHED = 1e9
/** Odd, with a last group and a last tile that are not full. */
const ROWS = 77

/** Types with blocks of 256 need as many columns; of the others an odd number of blocks, the last of which is not full. */
function columnsOf(type: GgmlType): number {
  if (type.endsWith('_K')) return 256
  return matrixFormats[type].scales === 0 ? 90 : 96
}

/** Largest error allowed, as a share of the results' root mean square. */
export function boundOf(type: GgmlType, tile: MatmulTile | null): number {
  // Activations in 8 bits, as in WebAssembly.
  if (tile?.arithmetic === 'i8' && matrixFormats[type].scales > 0) return 0.03
  // Activations, products and sums of four of them in 11 bits.
  if (tile?.arithmetic === 'f16' && matrixFormats[type].scales > 0) return 4e-3
  // Scales that are products, rounded to 11 bits.
  return type.endsWith('_K') ? 2e-3 : 2e-5
}

export interface Matrix {
  type: GgmlType
  columns: number
  rows: number
  blocks: number
  weights: Float32Array // (rows, columns)
  codes: Uint32Array
  scales: Uint32Array
}

/** @param place of a row in the GPU's matrix */
export function matrixOf(
  type: GgmlType,
  rows: number,
  random: () => number,
  place: (row: number) => number = (row) => row,
): Matrix {
  const columns = columnsOf(type)
  const bytes = randomWeights(type, rows * columns, 1 / Math.sqrt(columns), random)
  const weights = new Float32Array(rows * columns)
  dequantize(type, bytes, weights)
  const size = matrixBytes(matrixFormats[type], rows, columns)
  const [codes, scales] = [new Uint32Array(size.codes / 4), new Uint32Array(size.scales / 4)]
  const pack = rowPacker(type, columns, { codes, scales })
  for (let row = 0; row < rows; row++) pack(bytes, (row * bytes.length) / rows, place(row))
  return { type, columns, rows, blocks: Math.ceil(columns / BLOCK_COLUMNS), weights, codes, scales }
}

/** Rows of pairs, as weights.ts lays them: four pairs a group, their halves four rows apart. */
export function pairedRow(row: number): number {
  const pair = row >> 1
  return (pair >> 2) * 8 + (pair & 3) + (row & 1) * 4
}

export function callOf(shape: MatmulShape, tile: MatmulTile | null): KernelCall {
  const rows = shape.outputsOnly ? 'outputs' : 'count'
  return tile === null
    ? {
        shader: tiledMatmulShader(shape),
        x: Math.ceil(shape.rows / TILE_ROWS),
        tokens: TILE_TOKENS,
        rows,
      }
    : {
        shader: matmulShader(shape, tile),
        x: Math.ceil(shape.rows / 8 / tile.groups),
        tokens: tile.tokens,
        rows,
      }
}

/** (tokens, columns), with what pads them to whole blocks left zero, and their norm's weights. */
export function activations({ columns, blocks }: Matrix, tokens: number, random: () => number) {
  const width = blocks * BLOCK_COLUMNS
  const x = new Float32Array(tokens * width)
  const plain = new Float64Array(tokens * columns)
  for (let token = 0; token < tokens; token++) {
    const row = randomFloats(columns, 0, 1 + token, random)
    x.set(row, token * width)
    plain.set(row, token * columns)
  }
  const normWeights = new Float32Array(width)
  normWeights.set(randomFloats(columns, 1, 0.3, random))
  return { x, plain, normWeights }
}

export function product({ weights, columns, rows }: Matrix, x: Float64Array): Float64Array {
  const tokens = x.length / columns
  const out = new Float64Array(tokens * rows)
  linear(out, weights, x, tokens, columns, rows)
  return out
}

export function normed(x: Float64Array, weights: Float32Array): Float64Array {
  const out = new Float64Array(x.length)
  rmsNorm(out, x, weights, EPSILON)
  return out
}

/** Largest difference, as a share of the wanted values' root mean square; what is not a number is infinitely far. */
export function errorOf(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  let squares = 0
  let largest = 0
  for (let i = 0; i < wanted.length; i++) {
    const difference = Math.abs(got[i]! - wanted[i]!)
    largest = difference <= largest ? largest : Number.isNaN(difference) ? Infinity : difference
    squares += wanted[i]! ** 2
  }
  return got.length === wanted.length ? largest / Math.sqrt(squares / wanted.length) : Infinity
}

export function floats(words: Uint32Array<ArrayBuffer>): Float32Array {
  return new Float32Array(words.buffer)
}

/** Numbers of tokens a tile is tried with: all about its size. */
export function countsOf(tile: MatmulTile | null): number[] {
  if (tile === null) return [1, 2, 3, 4, 5, 6, 7, 8, 9, 32, 33]
  return tile.tokens === 1 ? [1] : [1, 2, 3, 4, 5, 6, 7, 8, 9]
}

/** Of products with norm and bias of any number of tokens; infinite where anything else is written. */
export async function storedError(
  runKernels: RunKernels,
  type: GgmlType,
  tile: MatmulTile | null,
): Promise<number> {
  const random = randomNumbers(7)
  const matrix = matrixOf(type, ROWS, random)
  const counts = countsOf(tile)
  const most = Math.max(...counts)
  const { x, plain, normWeights } = activations(matrix, most, random)
  const bias = randomFloats(ROWS, 0, 1, random)
  const outStride = ROWS + 3
  const shape: MatmulShape = {
    format: matrixFormats[type],
    rows: ROWS,
    blocks: matrix.blocks,
    norm: { epsilon: EPSILON, columns: matrix.columns },
    result: 'store',
    bias: true,
    outStride,
  }
  const results = await runKernels({
    buffers: {
      matrixCodes: matrix.codes,
      matrixScales: matrix.scales,
      x,
      normWeights,
      bias,
      out: new Float32Array((most + 1) * outStride).fill(UNTOUCHED),
    },
    calls: [callOf(shape, tile)],
    steps: counts.map((count) => ({ count })),
    read: ['out'],
  })
  const wanted = product(matrix, normed(plain, normWeights.subarray(0, matrix.columns)))
  let largest = 0
  results.forEach(({ out }, i) => {
    const got = floats(out!)
    for (let token = 0; token < counts[i]!; token++) {
      const row = got.subarray(token * outStride, token * outStride + ROWS)
      const withBias = wanted.subarray(token * ROWS, (token + 1) * ROWS).map((value, r) => value + bias[r]!)
      largest = Math.max(largest, errorOf(row, withBias))
      got.fill(UNTOUCHED, token * outStride, token * outStride + ROWS)
    }
    if (got.some((value) => value !== UNTOUCHED)) largest = Infinity
  })
  return largest
}
