import { describe, expect, it } from 'vitest'
import type { BatchSample } from '../../../bench/batch'
import type { LookupSample } from '../../../bench/lookup'
import type { Sample } from '../../../bench/speed'
import { median, ratio } from '../../../bench/statistics'
import { cpuRatios, lookupGain, ratios, speedRows } from '../../../bench/summary'

function sample(
  subject: string,
  measure: 'prefill' | 'decode',
  tokens: number,
  tokensPerSecond: number,
  cpuSeconds: number | null = null,
): Sample {
  const count = measure === 'prefill' ? 0 : 10
  return { subject, measure, tokens, count, isOptional: false, milliseconds: 1, tokensPerSecond, cpuSeconds }
}

function lookup(without: number, withLookup: number): LookupSample {
  const figures = { text: '', newTokens: 10, draftedTokens: 0, acceptedTokens: 0 }
  return {
    prompt: 'any',
    threads: 1,
    with: { ...figures, decodeMs: withLookup },
    without: { ...figures, decodeMs: without },
    sameText: true,
  }
}

const nothing = { loads: [], memory: [], lookups: [], batches: [], bytes: [] }

describe('the medians and ratios of the benchmark', () => {
  it('takes the middle, or the mean of the two in the middle', () => {
    expect(median([9, 1, 5])).toBe(5)
    expect(median([4, 1, 2, 9])).toBe(3)
    expect(median([])).toBeNull()
    expect(ratio(1, 0)).toBeNull()
  })

  it('puts samples of one measure together and adds their CPU time', () => {
    const rows = speedRows([
      sample('minnow-1t', 'decode', 128, 70, 0.1),
      sample('minnow-1t', 'decode', 1024, 50, 0.2),
      sample('minnow-1t', 'decode', 128, 90, 0.3),
    ])
    expect(rows).toHaveLength(2)
    expect(rows[0]).toMatchObject({ tokens: 128, tokensPerSecond: 80, slowest: 70, fastest: 90, samples: 2 })
    expect(rows[0]!.cpuSecondsPer1000).toBeCloseTo(20)
  })

  it('compares several answers at a time with one by all their tokens', () => {
    const batch = (sequences: number, newTokens: number, milliseconds: number): BatchSample => ({
      sequences,
      newTokens,
      milliseconds,
      sameText: true,
    })
    const batches = [
      batch(1, 10, 100),
      batch(4, 40, 200),
      batch(1, 10, 50),
      batch(4, 40, 100),
      batch(1, 10, 200),
    ]
    expect(ratios({ ...nothing, samples: [], batches })).toMatchObject({ batch4_vs_1: 3, batch8_vs_1: null })
  })

  it('compares with the best of the formats of wllama, the same GGUF among them', () => {
    const result = ratios({
      ...nothing,
      samples: [
        sample('minnow-1t', 'decode', 128, 80),
        sample('wllama-q4_1-1t', 'decode', 128, 10),
        sample('wllama-q8_0-1t', 'decode', 128, 16),
        sample('wllama-q8_0-2t', 'decode', 128, 99),
      ],
    })
    expect(result.decode_1t_vs_wllama).toBe(8)
    expect(result.decode_1t_vs_wllama_fastest).toBe(5)
  })

  it('takes a shorter prompt for a peer, never for Minnow', () => {
    const peer = sample('wllama-q4_1-1t', 'prefill', 32, 10)
    const result = ratios({ ...nothing, samples: [sample('minnow-1t', 'prefill', 512, 300), peer] })
    expect(result.prefill512_1t_vs_wllama).toBe(30)
    const short = ratios({ ...nothing, samples: [sample('minnow-1t', 'prefill', 128, 300), peer] })
    expect(short.prefill512_1t_vs_wllama).toBeNull()
  })

  it('compares with onnxruntime-web thread for thread', () => {
    const samples = [
      sample('minnow-1t', 'decode', 128, 80),
      sample('minnow-2t', 'decode', 128, 120),
      sample('onnxruntime-q4_1-1t', 'decode', 128, 2),
      sample('onnxruntime-q4_1-2t', 'decode', 128, 4),
    ]
    const result = ratios({ ...nothing, samples })
    expect(result.decode_1t_vs_onnxruntime).toBe(40)
    expect(result.decode_2t_vs_onnxruntime).toBe(30)
    expect(result.prefill512_1t_vs_onnxruntime).toBeNull()
  })

  it('gives null for what was not measured', () => {
    expect(Object.values(ratios({ ...nothing, samples: [] })).every((value) => value === null)).toBe(true)
  })

  it('compares by CPU time too, and leaves out what has none', () => {
    const samples = [
      sample('minnow-1t', 'decode', 128, 80, 0.1),
      sample('native-1t', 'decode', 128, 80, 0.2),
      sample('wllama-q4_1-1t', 'decode', 128, 80, null),
    ]
    expect(cpuRatios(samples).decode_1t_vs_native).toBeCloseTo(2)
    expect(cpuRatios(samples).decode_1t_vs_wllama).toBeNull()
  })

  it('weighs lookup by time, not by prompt', () => {
    expect(lookupGain([lookup(100, 100), lookup(900, 300)])).toBe(2.5)
  })
})
