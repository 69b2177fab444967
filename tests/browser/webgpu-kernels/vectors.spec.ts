import { expect } from '@playwright/test'
import { gelu, rmsNorm, rotate } from '../../../src/backend/reference/operations'
import {
  BLOCK_COLUMNS,
  GROUP_ROWS,
  matrixBytes,
  matrixFormats,
} from '../../../src/backend/webgpu/matrix-format'
import { rowPacker } from '../../../src/backend/webgpu/repack'
import { activationText } from '../../../src/backend/webgpu/shaders/matmul'
import {
  addNormedShader,
  embedShader,
  gateShader,
  headsShader,
  shiftShader,
} from '../../../src/backend/webgpu/shaders/vectors'
import { ggmlTypes } from '../../../src/gguf/block-layout'
import { dequantize } from '../../../src/gguf/blocks'
import { floatToHalf, halfToFloat } from '../../../src/gguf/half'
import { randomFloats, randomNumbers, randomWeights } from '../../fixtures/random-weights'
import { test } from './kernel-page'

function floats(words: Uint32Array<ArrayBuffer> | undefined): Float32Array {
  return new Float32Array(words!.buffer)
}

function largestDifference(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  expect(got.length).toBe(wanted.length)
  let largest = 0
  for (let i = 0; i < wanted.length; i++) {
    const difference = Math.abs(got[i]! - wanted[i]!)
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference
  }
  return largest
}

test('embeddings of every type are read from the part of the table they lie in', async ({ runKernels }) => {
  const [rows, scale] = [19, 1.5]
  const firstRows = 2 * GROUP_ROWS
  const tokens = Uint32Array.of(0, 7, 15, 16, 18, 3)
  for (const type of ggmlTypes) {
    const columns = type.endsWith('_K') ? 256 : 96
    const format = matrixFormats[type]
    const bytes = randomWeights(type, rows * columns, 1, randomNumbers(5))
    const weights = new Float32Array(rows * columns)
    dequantize(type, bytes, weights)
    const blocks = columns / BLOCK_COLUMNS
    const out = new Float32Array(tokens.length * columns).fill(1e9)
    const partOf = (firstRow: number, count: number) => {
      const size = matrixBytes(format, count, columns)
      const target = { codes: new Uint32Array(size.codes / 4), scales: new Uint32Array(size.scales / 4) }
      const pack = rowPacker(type, columns, target)
      for (let row = 0; row < count; row++) pack(bytes, ((firstRow + row) * bytes.length) / rows, row)
      return target
    }
    const parts = [partOf(0, firstRows), partOf(firstRows, rows - firstRows)] as const
    const call = (part: 0 | 1) => ({
      shader: embedShader({
        format,
        blocks,
        firstRow: part * firstRows,
        rows: part === 0 ? firstRows : rows - firstRows,
        scale,
      }),
      named: { matrixCodes: `codes${part}`, matrixScales: `scales${part}` },
      x: Math.ceil(blocks / 16),
    })
    const [result] = await runKernels({
      buffers: {
        codes0: parts[0].codes,
        scales0: parts[0].scales,
        codes1: parts[1].codes,
        scales1: parts[1].scales,
        tokens,
        out,
      },
      calls: [call(0), call(1)],
      steps: [{ count: tokens.length }],
      read: ['out'],
    })
    const wanted = Array.from(tokens, (token) =>
      Array.from(weights.subarray(token * columns, (token + 1) * columns), (weight) => weight * scale),
    ).flat()
    // Scales that are products are rounded to 11 bits; minima weigh more than what is left.
    const bound = type.endsWith('_K') ? 0.01 : 1e-5
    expect(largestDifference(floats(result!['out']), wanted), type).toBeLessThan(bound)
  }
})

test('what is normed is added to the residual', async ({ runKernels }) => {
  const random = randomNumbers(3)
  // The last block is not full.
  const [columns, width, count] = [83, 96, 5]
  const [x, residual] = [new Float32Array(count * width), new Float32Array(count * width)]
  const normWeights = new Float32Array(width)
  normWeights.set(randomFloats(columns, 1, 0.3, random))
  const wanted = new Float64Array(count * width)
  for (let token = 0; token < count; token++) {
    const row = Float64Array.from(randomFloats(columns, 0, 10 ** (token - 2), random))
    x.set(row, token * width)
    residual.set(randomFloats(columns, 0, 2, random), token * width)
    rmsNorm(row, row, normWeights.subarray(0, columns), 1e-6)
    for (let i = 0; i < columns; i++) wanted[token * width + i] = residual[token * width + i]! + row[i]!
  }
  const [result] = await runKernels({
    buffers: { x, normWeights, residual },
    calls: [{ shader: addNormedShader({ blocks: 3, columns, epsilon: 1e-6 }), x: 1 }],
    steps: [{ count }],
    read: ['residual'],
  })
  expect(largestDifference(floats(result!['residual']), wanted)).toBeLessThan(1e-5)
})

test('gate and up that come apart are put together', async ({ runKernels }) => {
  const random = randomNumbers(4)
  const [quads, count] = [19, 3]
  const gate = randomFloats(count * quads * 4, 0, 8, random)
  const up = randomFloats(gate.length, 0, 1, random)
  const [result] = await runKernels({
    buffers: { gate, up },
    calls: [{ shader: gateShader({ quads, activate: activationText('gelu') }), x: 2 }],
    steps: [{ count }],
    read: ['gate'],
  })
  const wanted = gate.map((value, i) => gelu(value) * up[i]!)
  expect(largestDifference(floats(result!['gate']), wanted)).toBeLessThan(1e-4)
})

test('heads are normed, turned and cached; what moves in the cache is turned', async ({ runKernels }) => {
  const random = randomNumbers(6)
  const [heads, kvHeads, headDim, capacity, start, count] = [3, 1, 16, 32, 9, 4]
  const all = heads + 2 * kvHeads
  const qkv = randomFloats(count * all * headDim, 0, 2, random)
  const [queryNorm, keyNorm] = [randomFloats(headDim, 1, 0.3, random), randomFloats(headDim, 1, 0.3, random)]
  const frequencies = Float32Array.from({ length: headDim / 2 }, (_, i) => 2 ** -i)
  const rope = { dimensionCount: headDim, style: 'interleaved' as const, frequencies }
  const turnsOf = (first: number, positions: number): Float32Array =>
    Float32Array.from({ length: positions * headDim }, (_, i) => {
      const angle = (first + Math.floor(i / headDim)) * frequencies[(i >> 1) % (headDim / 2)]!
      return i % 2 === 0 ? Math.cos(angle) : Math.sin(angle)
    })
  const [result] = await runKernels({
    buffers: {
      qkv,
      queryNorm,
      keyNorm,
      rotations: turnsOf(0, capacity),
      queries: new Float32Array(count * heads * headDim),
      cache: new Uint32Array(2 * kvHeads * capacity * (headDim / 2)),
    },
    calls: [{ shader: headsShader({ heads, kvHeads, headDim, epsilon: 1e-6 }), x: 2 }],
    steps: [{ start, count, capacity }],
    read: ['queries', 'cache'],
  })
  const queries = floats(result!['queries'])
  const cache = new Uint16Array(result!['cache']!.buffer)
  const cached = (from: Uint16Array, lane: number, position: number): number[] =>
    Array.from(
      from.subarray((lane * capacity + position) * headDim, (lane * capacity + position + 1) * headDim),
      halfToFloat,
    )
  for (let token = 0; token < count; token++) {
    for (let head = 0; head < all; head++) {
      const what = `token ${token}, head ${head}`
      const from = (token * all + head) * headDim
      const row = Float64Array.from(qkv.subarray(from, from + headDim))
      if (head < heads + kvHeads) {
        rmsNorm(row, row, head < heads ? queryNorm : keyNorm, 1e-6)
        rotate(row, row, headDim, start + token, rope)
      }
      if (head < heads) {
        const at = (token * heads + head) * headDim
        expect(largestDifference(queries.subarray(at, at + headDim), row), what).toBeLessThan(1e-5)
      } else {
        expect(largestDifference(cached(cache, head - heads, start + token), row), what).toBeLessThan(4e-3)
      }
    }
  }

  // Five positions from 12 on move down to 4: their keys turn by −8 positions.
  const [from, to, moving] = [12, 4, 5]
  const before = Uint16Array.from(randomFloats(2 * kvHeads * capacity * headDim, 0, 1, random), floatToHalf)
  const [shifted] = await runKernels({
    buffers: {
      cache: new Uint32Array(before.buffer),
      turns: turnsOf(to - from, 1),
      moved: new Uint32Array(before.length / 2),
    },
    calls: [{ shader: shiftShader({ kvHeads, headDim, positions: capacity }), x: 1, rows: 'outputs' }],
    // y: both lanes.
    steps: [{ start: from, count: moving, capacity, firstOutput: to, outputs: 2 * kvHeads }],
    read: ['moved'],
  })
  const moved = new Uint16Array(shifted!['moved']!.buffer)
  for (let i = 0; i < moving; i++) {
    const key = Float64Array.from(cached(before, 0, from + i))
    rotate(key, key, headDim, to - from, rope)
    expect(largestDifference(cached(moved, 0, i), key), `key ${i}`).toBeLessThan(4e-3)
    expect(cached(moved, 1, i), `value ${i}`).toEqual(cached(before, 1, from + i))
  }
  expect(cached(moved, 0, moving).every((value) => value === 0)).toBe(true)
})
