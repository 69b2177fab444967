import { expect } from '@playwright/test'
import { softcap, softmax } from '../../../src/backend/reference/operations'
import {
  type AttentionShape,
  mergeShader,
  serialAttentionShader,
  tiledAttentionShader,
} from '../../../src/backend/webgpu/shaders/attention'
import { floatToHalf, halfToFloat } from '../../../src/gguf/half'
import { randomFloats, randomNumbers } from '../../fixtures/random-weights'
import { test } from './kernel-page'
import type { RunKernels } from './run-kernels'

const HEADS = 4
const KV_HEADS = 2
const HEAD_DIM = 16
const NAN_HALF = 0x7e00
const UNTOUCHED = 1e9

/** How a variant does it: null: an invocation for each token and head, else so many tokens a workgroup. */
const CUTS = { serial: null, 'tiled, a token': 1, 'tiled, a batch': 8 } as const

interface Case {
  window: number | null
  softcap: number | null
  splits: number
}

const CASES: readonly Case[] = [
  { window: null, softcap: null, splits: 1 },
  { window: 24, softcap: 2, splits: 1 },
  { window: null, softcap: 2, splits: 4 },
  { window: 70, softcap: null, splits: 4 },
]

/** Tokens before, tokens and room: borders of splits, of the 64 positions made at a time, of windows and of pages. */
const DECODE: readonly (readonly [start: number, count: number, capacity: number])[] = [
  ...[0, 1, 2, 3, 4, 6, 23, 24, 25, 62, 63, 64, 65, 69, 70, 127, 128, 254, 255].map(
    (start) => [start, 1, 256] as const,
  ),
  ...[255, 256, 257, 511].map((start) => [start, 1, 512] as const),
]
const BATCHES: readonly (readonly [start: number, count: number, capacity: number])[] = [
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((count) => [0, count, 256] as const),
  [61, 5, 256],
  [20, 9, 256],
  [247, 9, 256],
  [250, 9, 512],
  [0, 70, 256],
]

for (const [name, tokens] of Object.entries(CUTS)) {
  for (const shape of CASES) {
    // A batch is not split.
    if (tokens === 8 && shape.splits > 1) continue
    const title = `window ${shape.window}, softcap ${shape.softcap}, ${shape.splits} splits`
    test(`attention is right: ${name}, ${title}`, async ({ runKernels }) => {
      const steps = [...(tokens === 8 ? [] : DECODE), ...(tokens === 1 || shape.splits > 1 ? [] : BATCHES)]
      const errors = await Promise.all(
        steps.map(async (step) => [step.join(', '), await errorOf(runKernels, shape, tokens, step)] as const),
      )
      for (const [step, error] of errors) expect.soft(error, step).toBeLessThan(2e-5)
    })
  }
}

async function errorOf(
  runKernels: RunKernels,
  { window, softcap: cap, splits }: Case,
  tokens: number | null,
  [start, count, capacity]: readonly [number, number, number],
): Promise<number> {
  const random = randomNumbers(start * 31 + count)
  const shape: AttentionShape = {
    heads: HEADS,
    kvHeads: KV_HEADS,
    headDim: HEAD_DIM,
    scale: 1 / Math.sqrt(HEAD_DIM),
    softcap: cap,
    window,
    splits,
    queryStride: HEADS * HEAD_DIM,
  }
  const end = start + count
  // What no token may see is no number.
  const cache = new Uint16Array(2 * KV_HEADS * capacity * HEAD_DIM).fill(NAN_HALF)
  for (let lane = 0; lane < 2 * KV_HEADS; lane++) {
    const values = randomFloats(end * HEAD_DIM, 0, 1.5, random)
    cache.set(Array.from(values, floatToHalf), lane * capacity * HEAD_DIM)
  }
  const queries = randomFloats(count * HEADS * HEAD_DIM, 0, 1.5, random)
  const mixed = new Float32Array((count + 1) * HEADS * HEAD_DIM).fill(UNTOUCHED)
  const [result] = await runKernels({
    buffers: {
      queries,
      cache: new Uint32Array(cache.buffer),
      mixed,
      partials: new Float32Array(count * HEADS * splits * (HEAD_DIM + 4)),
    },
    calls: [
      {
        shader: tokens === null ? serialAttentionShader(shape) : tiledAttentionShader(shape, tokens),
        named: { out: splits > 1 ? 'partials' : 'mixed' },
        x: tokens === null ? Math.ceil((HEADS * splits) / 4) : HEADS * splits,
        tokens: tokens ?? 1,
      },
      ...(splits > 1
        ? [{ shader: mergeShader(shape), named: { out: 'mixed' }, x: Math.ceil((HEADS * HEAD_DIM) / 4 / 16) }]
        : []),
    ],
    steps: [{ start, count, capacity }],
    read: ['mixed'],
  })
  const got = new Float32Array(result!['mixed']!.buffer)
  expect(got.subarray(count * HEADS * HEAD_DIM).every((value) => value === UNTOUCHED)).toBe(true)
  const at = (lane: number, position: number, i: number): number =>
    halfToFloat(cache[(lane * capacity + position) * HEAD_DIM + i]!)
  let largest = 0
  for (let token = 0; token < count; token++) {
    const last = start + token
    const first = window === null ? 0 : Math.max(0, last + 1 - window)
    for (let head = 0; head < HEADS; head++) {
      const kvHead = Math.floor((head * KV_HEADS) / HEADS)
      const from = (token * HEADS + head) * HEAD_DIM
      const scores = Float64Array.from({ length: last + 1 - first }, (_, p) => {
        let sum = 0
        for (let i = 0; i < HEAD_DIM; i++) sum += queries[from + i]! * at(kvHead, first + p, i)
        return softcap(sum * shape.scale, cap)
      })
      softmax(scores, scores.length)
      for (let i = 0; i < HEAD_DIM; i++) {
        let wanted = 0
        scores.forEach((weight, p) => {
          wanted += weight * at(KV_HEADS + kvHead, first + p, i)
        })
        const difference = Math.abs(wanted - got[from + i]!)
        if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference
      }
    }
  }
  return largest
}
