import { expect } from '@playwright/test'
import { gelu, rotate, silu } from '../../../src/backend/reference/operations'
import { matrixFormats } from '../../../src/backend/webgpu/matrix-format'
import type { MatmulTile } from '../../../src/backend/webgpu/shaders/matmul'
import { variantNamed } from '../../../src/backend/webgpu/variant'
import { ggmlTypes } from '../../../src/gguf/block-layout'
import { halfToFloat } from '../../../src/gguf/half'
import type { GgmlType } from '../../../src/gguf/types'
import { randomFloats, randomNumbers } from '../../fixtures/random-weights'
import { test } from './kernel-page'
import {
  activations,
  boundOf,
  callOf,
  countsOf,
  EPSILON,
  errorOf,
  floats,
  type Matrix,
  matrixOf,
  normed,
  pairedRow,
  product,
  storedError,
  UNTOUCHED,
} from './products'

/** As the variants have them; null: tiles in workgroup memory. */
const tiles: Readonly<Record<string, MatmulTile | null>> = {
  'serial, a token': variantNamed('serial').decode,
  'serial, a batch': variantNamed('serial').batch,
  'workgroup, a token': variantNamed('workgroup').decode,
  'subgroup, a token': variantNamed('subgroup').decode,
  tiled: null,
  'serial-i8, a token': variantNamed('serial-i8').decode,
  'serial-i8, a batch': variantNamed('serial-i8').batch,
  'subgroup-i8, a token': variantNamed('subgroup-i8').decode,
}

for (const [name, tile] of Object.entries(tiles)) {
  const types: readonly GgmlType[] = ggmlTypes.filter((type) =>
    // Some where a kernel takes seconds to compile: each way codes, scales and minima come.
    tile === null
      ? ['BF16', 'Q4_0', 'Q2_K', 'Q6_K'].includes(type)
      : tile.arithmetic !== 'i8' || matrixFormats[type].scales > 0,
  )
  test(`products are right: ${name}`, async ({ runKernels }) => {
    const errors = await Promise.all(
      types.map(async (type) => [type, await storedError(runKernels, type, tile)] as const),
    )
    for (const [type, error] of errors) expect(error, type).toBeLessThanOrEqual(boundOf(type, tile))
  })
}

const fusedTiles = ['serial, a token', 'serial, a batch', 'workgroup, a token', 'tiled'] as const

for (const name of fusedTiles) {
  const tile = tiles[name]!
  test(`what follows a product is right: ${name}`, async ({ runKernels }) => {
    const random = randomNumbers(11)
    const counts = countsOf(tile)
    const most = Math.max(...counts)
    const step = { count: most, start: 5, capacity: most + 9 }

    // Added to the residual, without a norm.
    const type = 'Q4_1'
    const down = matrixOf(type, 13, random)
    const { x, plain, normWeights } = activations(down, most, random)
    const residual = randomFloats(most * 13, 0, 3, random)
    const shape = { format: matrixFormats[type], blocks: down.blocks, bias: false } as const
    const norm = { epsilon: EPSILON, columns: down.columns }
    const weightsOf = ({ codes, scales }: Matrix) => ({ matrixCodes: codes, matrixScales: scales })
    const [added] = await runKernels({
      buffers: { ...weightsOf(down), x, out: residual },
      calls: [callOf({ ...shape, rows: 13, norm: null, result: 'add', outStride: 13 }, tile)],
      steps: [step],
      read: ['out'],
    })
    expect(
      errorOf(
        floats(added!['out']!),
        product(down, plain).map((value, i) => value + residual[i]!),
      ),
    ).toBeLessThan(1e-5)

    // Logits of the last tokens only.
    const someOutputs = 3
    const firstOutput = most - someOutputs
    if (firstOutput > 0) {
      const [head] = await runKernels({
        buffers: {
          ...weightsOf(down),
          x,
          normWeights,
          out: new Float32Array(someOutputs * 13 + 13).fill(UNTOUCHED),
        },
        calls: [
          callOf({ ...shape, rows: 13, norm, result: 'store', outStride: 13, outputsOnly: true }, tile),
        ],
        steps: [{ count: most, firstOutput, outputs: someOutputs }],
        read: ['out'],
      })
      const values = floats(head!['out']!)
      const wanted = product(down, normed(plain, normWeights.subarray(0, down.columns)))
      expect(errorOf(values.subarray(0, someOutputs * 13), wanted.subarray(firstOutput * 13))).toBeLessThan(
        2e-5,
      )
      expect(values.subarray(someOutputs * 13).every((value) => value === UNTOUCHED)).toBe(true)
    }

    // Gate and up in pairs, an odd number of them.
    for (const activation of tile === null ? (['silu'] as const) : (['silu', 'gelu'] as const)) {
      const paired = matrixOf(type, 26, random, pairedRow)
      const [gated] = await runKernels({
        buffers: { ...weightsOf(paired), x, normWeights, out: new Float32Array(most * 13) },
        calls: [callOf({ ...shape, rows: 26, norm, result: 'gated', activation, outStride: 13 }, tile)],
        steps: [step],
        read: ['out'],
      })
      const both = product(paired, normed(plain, normWeights.subarray(0, down.columns)))
      const activate = { silu, gelu }[activation]
      const wanted = Float64Array.from(
        { length: most * 13 },
        (_, i) => activate(both[i * 2]!) * both[i * 2 + 1]!,
      )
      expect(errorOf(floats(gated!['out']!), wanted), activation).toBeLessThan(3e-5)
    }

    // Query, key and value: rotated, the latter two into the cache.
    const heads = { queries: 3, keys: 1, headDim: 8 }
    const { headDim } = heads
    const qkv = matrixOf(type, 5 * headDim, random, pairedRow)
    const bias = randomFloats(qkv.rows, 0, 1, random)
    const frequencies = Float32Array.from({ length: headDim / 2 }, (_, i) => 3 ** -i)
    const rotations = new Float32Array(step.capacity * headDim)
    for (let i = 0; i < rotations.length / 2; i++) {
      const angle = Math.floor(i / (headDim / 2)) * frequencies[i % (headDim / 2)]!
      rotations.set([Math.cos(angle), Math.sin(angle)], i * 2)
    }
    const [rotated] = await runKernels({
      buffers: {
        ...weightsOf(qkv),
        x,
        normWeights,
        bias,
        rotations,
        out: new Float32Array(most * 3 * headDim),
        cache: new Uint32Array(2 * step.capacity * (headDim / 2)),
      },
      calls: [
        callOf(
          { ...shape, rows: qkv.rows, norm, result: 'rotated', bias: true, heads, outStride: 3 * headDim },
          tile,
        ),
      ],
      steps: [step],
      read: ['out', 'cache'],
    })
    const [queries, cache] = [floats(rotated!['out']!), new Uint16Array(rotated!['cache']!.buffer)]
    const plainQkv = product(qkv, normed(plain, normWeights.subarray(0, down.columns))).map(
      (value, i) => value + bias[i % qkv.rows]!,
    )
    const rope = { dimensionCount: headDim, style: 'interleaved' as const, frequencies }
    for (let token = 0; token < most; token++) {
      const row = plainQkv.subarray(token * qkv.rows, (token + 1) * qkv.rows)
      const turned = row.slice(0, 4 * headDim)
      rotate(turned, turned, headDim, step.start + token, rope)
      const query = queries.subarray(token * 3 * headDim, (token + 1) * 3 * headDim)
      expect(errorOf(query, turned.subarray(0, 3 * headDim)), `query ${token}`).toBeLessThan(3e-5)
      const cached = (lane: number): number[] =>
        Array.from(
          cache.subarray(
            (lane * step.capacity + step.start + token) * headDim,
            (lane * step.capacity + step.start + token + 1) * headDim,
          ),
          halfToFloat,
        )
      // Rounded to 11 bits.
      expect(errorOf(cached(0), turned.subarray(3 * headDim)), `key ${token}`).toBeLessThan(2e-3)
      expect(errorOf(cached(1), row.subarray(4 * headDim)), `value ${token}`).toBeLessThan(2e-3)
    }
    // Nothing before the first token and behind the last.
    for (let lane = 0; lane < 2; lane++) {
      const from = lane * step.capacity * headDim
      const before = cache.subarray(from, from + step.start * headDim)
      const behind = cache.subarray(from + (step.start + most) * headDim, from + step.capacity * headDim)
      expect([...before, ...behind].every((bits) => bits === 0)).toBe(true)
    }
  })
}
