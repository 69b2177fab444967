import { expect } from '@playwright/test'
import { type Logits, TOP_COUNT } from '../../../src/backend/backend'
import { readOutputs } from '../../../src/backend/webgpu/outputs'
import {
  rowsOffset,
  SELECTION_BYTES,
  selectionOffset,
  summaryOffset,
} from '../../../src/backend/webgpu/readback'
import {
  CHUNK_ROWS,
  chunkShader,
  COUNT_BINS,
  mergeChunksShader,
  SUMMARY_FLOATS,
  topShaders,
} from '../../../src/backend/webgpu/shaders/logits'
import { drawShaders, feedShader } from '../../../src/backend/webgpu/shaders/next-token'
import { Sampler } from '../../../src/engine/sampling/sampler'
import type { ModelDefinition } from '../../../src/model/definition'
import { randomFloats, randomNumbers } from '../../fixtures/random-weights'
import { test } from './kernel-page'
import type { RunKernels } from './run-kernels'

const VOCABULARY = 1000

/** Rows of logits, and what is odd about them. */
function rowsOf(vocabulary: number): Record<string, Float32Array> {
  const random = randomNumbers(vocabulary)
  const row = (): Float32Array => randomFloats(vocabulary, 0, 4, random)
  const changed = (change: (row: Float32Array) => void): Float32Array => {
    const values = row()
    change(values)
    return values
  }
  const last = vocabulary - 1
  return {
    plain: row(),
    'all equal': row().fill(-2.5),
    'the largest twice, in different chunks': changed((values) => {
      values[last] = values[5] = 20
    }),
    'the largest twice, side by side': changed((values) => {
      values[last] = values[last - 1] = 20
    }),
    'the largest last': changed((values) => {
      values[last] = 30
    }),
    'the first and the last forbidden': changed((values) => {
      values[0] = values[last] = -Infinity
    }),
    'a whole chunk forbidden': changed((values) => values.fill(-Infinity, 0, CHUNK_ROWS)),
    'all but one forbidden': changed((values) => {
      values.fill(-Infinity)
      values[last] = -1
    }),
    'far below zero': changed((values) => values.forEach((value, i) => (values[i] = value - 1e4))),
    'one far above': changed((values) => {
      values[3] = 500
    }),
    'few distinct values': row().map((value) => Math.round(value / 4)),
    'both zeros': row().map((value, i) => (i % 2 === 0 ? 0 : value > 0 ? -0 : -1)),
  }
}

interface Wanted {
  argmax: number
  maximum: number
  logSumExp: number
  margin: number
  entropy: number
}

function summaryOf(values: Float32Array): Wanted {
  const maximum = values.reduce((a, b) => Math.max(a, b))
  const argmax = values.indexOf(maximum)
  let sum = 0
  let weighted = 0
  let second = -Infinity
  values.forEach((value, i) => {
    if (i !== argmax) second = Math.max(second, value)
    if (value === -Infinity) return
    const p = Math.exp(value - maximum)
    sum += p
    weighted += p * (value - maximum)
  })
  return {
    argmax,
    maximum,
    logSumExp: maximum + Math.log(sum),
    margin: maximum - second,
    entropy: Math.log(sum) - weighted / sum,
  }
}

/** All rows at once, as the session reads them; the first with its likeliest tokens. */
async function outputsOf(
  runKernels: RunKernels,
  rows: readonly Float32Array[],
  softcap: number | null = null,
  sumTemperature = 0,
): Promise<{
  outputs: Logits[]
  selection: Uint32Array<ArrayBuffer>
  summary: Uint32Array<ArrayBuffer>
}> {
  const vocabulary = rows[0]!.length
  const stride = Math.ceil(vocabulary / 32) * 32
  const logits = new Float32Array(rows.length * stride).fill(1e6)
  rows.forEach((row, i) => logits.set(row, i * stride))
  const chunks = Math.ceil(vocabulary / CHUNK_ROWS)
  const [result] = await runKernels({
    buffers: {
      logits,
      chunks: new Float32Array(rows.length * chunks * 8),
      summary: new Float32Array(rows.length * SUMMARY_FLOATS),
      counts: new Uint32Array(COUNT_BINS),
      selection: new Uint32Array(SELECTION_BYTES / 4),
    },
    calls: [
      { shader: chunkShader({ vocabulary, stride, softcap }), x: Math.ceil(chunks / 4) },
      { shader: mergeChunksShader({ vocabulary }), x: 1 },
      ...topShaders({ vocabulary, count: Math.min(TOP_COUNT, vocabulary) }).map(({ shader, x }) => ({
        shader,
        x,
        // The first row alone.
        tokens: rows.length,
      })),
    ],
    steps: [{ count: rows.length, sumTemperature }],
    read: ['summary', 'selection'],
  })
  const bytes = new Uint32Array(rowsOffset / 4)
  bytes.set(result!['summary']!, summaryOffset / 4)
  bytes.set(result!['selection']!, selectionOffset / 4)
  const model = { vocabularySize: vocabulary, embeddingLength: 32 } as ModelDefinition
  const outputs = readOutputs(bytes.buffer, rows.length, 'top', { model, outputNorm: new Float32Array(32) })
  return { outputs, selection: result!['selection']!, summary: result!['summary']! }
}

function expectSummary(got: Logits, wanted: Wanted, what: string): void {
  expect(got.argmax, what).toBe(wanted.argmax)
  expect(got.maximum, what).toBe(wanted.maximum)
  expect(Math.abs(got.logSumExp - wanted.logSumExp), what).toBeLessThan(
    1e-5 * Math.max(1, Math.abs(wanted.maximum)),
  )
  // Nothing beside the one token that is allowed: any large number.
  if (wanted.margin === Infinity) expect(got.margin, what).toBeGreaterThan(1e30)
  else expect(got.margin, what).toBe(wanted.margin)
  expect(Math.abs(got.entropy - wanted.entropy), what).toBeLessThan(1e-4)
}

test('summaries of logits are right: ties, forbidden tokens, extremes', async ({ runKernels }) => {
  const named = Object.entries(rowsOf(VOCABULARY))
  const { outputs } = await outputsOf(
    runKernels,
    named.map(([, row]) => row),
  )
  expect(outputs).toHaveLength(named.length)
  for (const [i, [name, row]] of named.entries()) expectSummary(outputs[i]!, summaryOf(row), name)
})

test('a row without numbers has no sum, by which it is known', async ({ runKernels }) => {
  const partly = randomFloats(VOCABULARY, 0, 4, randomNumbers(5))
  partly[VOCABULARY - 1] = NaN
  const rows = [new Float32Array(VOCABULARY).fill(NaN), partly]
  const { outputs } = await outputsOf(runKernels, rows)
  for (const { logSumExp } of outputs) expect(Number.isFinite(logSumExp)).toBe(false)
})

test('summaries of vocabularies about the size of a chunk are right', async ({ runKernels }) => {
  for (const vocabulary of [2, 127, 128, 129, 257]) {
    const row = randomFloats(vocabulary, 0, 4, randomNumbers(vocabulary))
    const output = (await outputsOf(runKernels, [row])).outputs[0]
    expectSummary(output!, summaryOf(row), `${vocabulary} tokens`)
  }
})

test('sums at a temperature are right', async ({ runKernels }) => {
  const named = Object.entries(rowsOf(VOCABULARY))
  const rows = named.map(([, row]) => row)
  for (const temperature of [0.2, 0.7, 1, 1.5, 100]) {
    const { outputs } = await outputsOf(runKernels, rows, null, temperature)
    for (const [i, [name, row]] of named.entries()) {
      const { maximum } = summaryOf(row)
      const wanted = row.reduce((sum, value) => sum + Math.exp((value - maximum) / temperature), 0)
      expect(outputs[i]!.tempered! / wanted, `${name} at ${temperature}`).toBeCloseTo(1, 5)
    }
  }
})

test('capped logits are summarised as they are capped', async ({ runKernels }) => {
  const row = randomFloats(VOCABULARY, 0, 40, randomNumbers(3))
  const output = (await outputsOf(runKernels, [row], 30)).outputs[0]
  const wanted = summaryOf(row.map((value) => 30 * Math.tanh(value / 30)))
  expect(output!.argmax).toBe(wanted.argmax)
  expect(output!.logSumExp).toBeCloseTo(wanted.logSumExp, 3)
  expect(output!.entropy).toBeCloseTo(wanted.entropy, 3)
})

test('the likeliest tokens come in order, the lowest id first among equals', async ({ runKernels }) => {
  for (const vocabulary of [100, 256, 257, VOCABULARY]) {
    for (const [name, row] of Object.entries(rowsOf(Math.max(vocabulary, 200)))) {
      const values = row.slice(0, vocabulary)
      const output = (await outputsOf(runKernels, [values])).outputs[0]
      const { ids, logits } = output!.top!
      const what = `${name}, ${vocabulary} tokens`
      const count = Math.min(TOP_COUNT, vocabulary)
      const order = Array.from(values.keys()).toSorted((a, b) => values[b]! - values[a]! || a - b)
      expect(ids, what).toHaveLength(count)
      expect(new Set(ids).size, what).toBe(count)
      expect(
        Array.from(logits, (value) => value + 0),
        what,
      ).toEqual(order.slice(0, count).map((id) => values[id]! + 0))
      // Among equals at the very border it is left open which are taken.
      const border = values[order[count - 1]!]!
      const above = order.filter((id) => values[id]! > border)
      expect(Array.from(ids).slice(0, above.length), what).toEqual(above)
      for (const id of ids.slice(above.length)) expect(values[id], what).toBe(border)
      const equals = Array.from(ids).slice(above.length)
      expect(equals, what).toEqual(equals.toSorted((a, b) => a - b))
    }
  }
})

test('the likeliest token of the wanted row is fed', async ({ runKernels }) => {
  const summary = new Float32Array(3 * SUMMARY_FLOATS)
  summary[0] = 7
  summary[SUMMARY_FLOATS] = 151_935
  summary[2 * SUMMARY_FLOATS] = 9
  const fed = await runKernels({
    buffers: { summary, tokens: Uint32Array.of(1, 2) },
    calls: [{ shader: feedShader(), x: 1 }],
    steps: [0, 1, 2].map((newestRow) => ({ count: 1, newestRow })),
    read: ['tokens'],
  })
  expect(fed.map(({ tokens }) => Array.from(tokens!))).toEqual([
    [7, 2],
    [151_935, 2],
    [9, 2],
  ])
})

test('a token is drawn as the sampler draws it', async ({ runKernels }) => {
  const settings = [
    { topK: 1, temperature: 1, topP: 1, minP: 0 },
    { topK: 40, temperature: 0.7, topP: 1, minP: 0 },
    { topK: 40, temperature: 0.8, topP: 0.95, minP: 0.05 },
    { topK: TOP_COUNT, temperature: 1.5, topP: 0.9, minP: 0 },
    { topK: TOP_COUNT, temperature: 100, topP: 1, minP: 0.001 },
    { topK: 5, temperature: 0.01, topP: 0.5, minP: 0.5 },
    { topK: 0, temperature: 0.2, topP: 0.9, minP: 0 },
    { topK: 0, temperature: 1, topP: 1, minP: 0 },
    { topK: 0, temperature: 0.7, topP: 1, minP: 0 },
    { topK: 0, temperature: 1.2, topP: 0.6, minP: 0.05 },
  ]
  const others = {
    repetitionPenalty: 1,
    frequencyPenalty: 0,
    presencePenalty: 0,
    logitBias: new Map<number, number>(),
  }
  let differing = 0
  let told = 0
  const seen = new Set<number>()
  for (const [i, setting] of settings.entries()) {
    for (const [name, row] of Object.entries(rowsOf(VOCABULARY))) {
      if (name === 'all but one forbidden') continue
      const sumTemperature = setting.topK === 0 ? setting.temperature : 0
      const { outputs, selection, summary } = await outputsOf(runKernels, [row], null, sumTemperature)
      const samplers = Array.from(
        { length: 12 },
        (_, seed) => new Sampler({ ...setting, ...others, seed: seed * 100 + i }),
      )
      const results = await runKernels({
        buffers: { selection, summary, ranked: new Uint32Array(TOP_COUNT * 2), tokens: Uint32Array.of(9, 8) },
        calls: drawShaders(TOP_COUNT),
        steps: samplers.map(({ draw }) => ({ count: 1, draw: draw! })),
        read: ['tokens'],
      })
      results.forEach(({ tokens }, s) => {
        const wanted = samplers[s]!.sample(outputs[0]!)
        expect(tokens![1]).toBe(8)
        // The likeliest tokens do not tell it.
        if (wanted === null) return
        told++
        if (tokens![0] !== wanted) differing++
        seen.add(wanted)
      })
    }
  }
  // What lies within single precision of the border between two tokens may fall to either.
  expect(differing).toBeLessThanOrEqual(2)
  expect(seen.size).toBeGreaterThan(100)
  expect(told).toBeGreaterThan(6 * 11 * 12)
})
