import { beforeAll, describe, expect, it } from 'vitest'
import { modelFields, scratchFields } from '../../src/backend/wasm/records'
import { RESULT_BYTES } from '../../src/backend/wasm/scratch'
import { randomFloats, randomNumbers } from '../fixtures/random-weights'
import { f32Unit, firstMiss, KernelBench, nodeVariants } from './kernels-harness'

/** exp4's, see kernels-math.test.ts. */
const expError = 2.7e-7

describe.each(nodeVariants)('the summary of logits, %s', (variant) => {
  let bench: KernelBench
  beforeAll(async () => {
    bench = await KernelBench.open(variant)
  })

  interface Summary {
    argmax: number
    largest: number
    sum: number
    second: number
    moment: number
    values: Float32Array
  }

  const summarize = (rows: readonly Float32Array[], logitSoftcap = 0): Summary[] => {
    const vocabulary = rows[0]!.length
    const zeros = (fields: object): Record<string, number> =>
      Object.fromEntries(Object.keys(fields).map((field) => [field, 0]))
    const model = bench.putRecord(modelFields, {
      ...(zeros(modelFields) as Record<keyof typeof modelFields, number>),
      vocabulary,
      logitSoftcap,
    })
    const stride = Math.ceil(vocabulary / 64) * 64
    const logits = bench.room(rows.length * stride * 4)
    // Behind the rows lies what would win.
    bench.floats(logits, rows.length * stride).fill(1e9)
    rows.forEach((row, i) => bench.floats(logits + i * stride * 4, vocabulary).set(row))
    const results = bench.room(rows.length * RESULT_BYTES)
    const scratch = bench.putRecord(scratchFields, {
      ...(zeros(scratchFields) as Record<keyof typeof scratchFields, number>),
      logits,
      statistics: bench.room(rows.length * Math.ceil(vocabulary / 256) * 32),
      results,
      vocabularyStride: stride,
    })
    bench.kernels.summarizeLogits(model, scratch, rows.length)
    const view = new DataView(bench.arena.buffer, results)
    return rows.map((_, i) => ({
      argmax: view.getInt32(i * RESULT_BYTES, true),
      largest: view.getFloat32(i * RESULT_BYTES + 4, true),
      sum: view.getFloat32(i * RESULT_BYTES + 8, true),
      second: view.getFloat32(i * RESULT_BYTES + 12, true),
      moment: view.getFloat32(i * RESULT_BYTES + 16, true),
      values: bench.take(logits + i * stride * 4, vocabulary),
    }))
  }

  const logSumExpIn = ({ largest, sum }: Summary): number => largest + Math.log(sum)

  const firstLargest = (row: Float32Array): number => row.indexOf(Math.max(...row))

  const logSumExpOf = (row: ArrayLike<number>): number => {
    const values = Array.from(row)
    const largest = Math.max(...values)
    return largest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0))
  }

  // Terms are positive: 64 of a lane, 4 lanes, the chunks and their factors round once each, exponentials twice. The
  // logarithm turns that share into an absolute error; differences of logits are rounded by a unit of their size.
  it.each([1, 3, 4, 255, 256, 257, 301, 1023, 2051])('of %d logits', (vocabulary) => {
    const rows = [1, 4, 12].map((deviation) =>
      randomFloats(vocabulary, -3, deviation, randomNumbers(vocabulary + deviation)),
    )
    const summaries = summarize(rows)
    const roundings = 64 + 4 + 2 * Math.ceil(vocabulary / 256) + 45
    rows.forEach((row, i) => {
      expect(summaries[i]!.argmax).toBe(firstLargest(row))
      const error = Math.abs(logSumExpIn(summaries[i]!) - logSumExpOf(row))
      expect(error).toBeLessThanOrEqual(2 * expError + roundings * f32Unit)
      expect(summaries[i]!.values).toEqual(row)
    })
  })

  it.each([2, 3, 5, 255, 257, 301, 2051])('has the second of %d and what the entropy needs', (vocabulary) => {
    for (const deviation of [0.1, 1, 4, 12]) {
      const row = randomFloats(vocabulary, -3, deviation, randomNumbers(vocabulary + deviation))
      const [{ largest, sum, second, moment }] = summarize([row]) as [Summary]
      expect([largest, second]).toEqual(Array.from(row.toSorted((a, b) => b - a).subarray(0, 2)))
      const logSum = logSumExpOf(row)
      const entropy = row.reduce((total, x) => total - Math.exp(x - logSum) * (x - logSum), 0)
      expect(Math.abs(Math.log(sum) - moment / sum - entropy)).toBeLessThan(1e-5 * (1 + entropy))
    }
  })

  it('finds the second wherever it lies beside the best, and when it equals it', () => {
    for (const [best, second] of [
      [0, 1],
      [0, 4],
      [3, 2],
      [255, 256],
      [256, 255],
      [700, 5],
      [5, 700],
      [301, 302],
    ]) {
      const row = new Float32Array(1000).fill(-1)
      row[best!] = 5
      for (const value of [4, 5]) {
        row[second!] = value
        expect(summarize([row])[0]!.second).toBe(value)
      }
    }
  })

  it('counts impossible tokens as nothing', () => {
    const row = new Float32Array(600).fill(-Infinity)
    row[300] = 1
    row[301] = 1
    const [{ sum, moment, second }] = summarize([row]) as [Summary]
    expect(Math.abs(sum - 2)).toBeLessThanOrEqual(2 * expError + 4 * f32Unit)
    expect([Math.abs(moment), second]).toEqual([0, 1])
  })

  it('names the lowest index among equals, within a chunk and across chunks', () => {
    const row = new Float32Array(1000).fill(-1)
    for (const at of [900, 700, 300, 299, 257, 256, 255, 31, 2, 0]) {
      row[at] = 5
      expect(summarize([row])[0]!.argmax).toBe(at)
    }
    expect(summarize([new Float32Array(513)])[0]!.argmax).toBe(0)
  })

  it('caps logits first', () => {
    const row = randomFloats(301, 0, 20, randomNumbers(1))
    const [summary] = summarize([row], 10)
    const want = Float64Array.from(row, (value) => 10 * Math.tanh(value / 10))
    expect(firstMiss(summary!.values, want, () => 10 * (expError / 2 + 7 * f32Unit))).toBeNull()
    expect(summary!.argmax).toBe(firstLargest(summary!.values))
    expect(logSumExpIn(summary!)).toBeCloseTo(logSumExpOf(want), 4)
  })

  it('of far apart logits is the largest', () => {
    const row = new Float32Array(300).fill(-1e4)
    row[299] = 1e4
    const [summary] = summarize([row])
    expect(summary!.argmax).toBe(299)
    expect(Math.abs(logSumExpIn(summary!) - 1e4)).toBeLessThanOrEqual(expError)
  })
})
