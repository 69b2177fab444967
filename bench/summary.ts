import type { BatchSample } from './batch'
import type { DownloadedFile } from './bytes'
import type { LoadSample } from './loading'
import type { LookupSample } from './lookup'
import type { MemoryFigures } from './memory'
import type { Sample } from './speed'
import { median, ratio } from './statistics'

/** All that was measured, as it came. */
export interface RawFigures {
  readonly samples: readonly Sample[]
  readonly loads: readonly LoadSample[]
  readonly memory: readonly MemoryFigures[]
  readonly lookups: readonly LookupSample[]
  readonly batches: readonly BatchSample[]
  readonly bytes: readonly DownloadedFile[]
}

/** One line of the table of speeds: medians over the samples. */
export interface SpeedRow {
  readonly subject: string
  readonly measure: Sample['measure']
  /** Length of the prompt, or of the context decoded at. */
  readonly tokens: number
  readonly tokensPerSecond: number
  readonly slowest: number
  readonly fastest: number
  readonly samples: number
  /** CPU-seconds for 1,000 tokens, over all samples together. */
  readonly cpuSecondsPer1000: number | null
}

/** The keys that checks from outside read. Null where this run did not measure it (`--only`, or no /proc). */
export interface Ratios {
  readonly decode_1t_vs_wllama: number | null
  readonly decode_2t_vs_wllama: number | null
  readonly decode_1t_vs_wllama_fastest: number | null
  readonly prefill512_1t_vs_wllama: number | null
  readonly prefill512_1t_vs_wllama_fastest: number | null
  readonly decode_1t_vs_onnxruntime: number | null
  readonly decode_2t_vs_onnxruntime: number | null
  readonly prefill512_1t_vs_onnxruntime: number | null
  readonly prefill512_2t_vs_onnxruntime: number | null
  readonly decode_1024_vs_128: number | null
  readonly decode_1t_vs_native: number | null
  readonly decode_2t_vs_native: number | null
  readonly prefill512_1t_vs_native: number | null
  readonly decode_2t_vs_1t: number | null
  readonly prefill_2t_vs_1t: number | null
  /** 1 thread. */
  readonly lookup_gain: number | null
  /** 2 threads: verifying is bound by computing, which scales, decoding one token by memory, which does so less. */
  readonly lookup_gain_2t: number | null
  /** Tokens a second of four answers at a time, against one. 1 thread; so is the next. */
  readonly batch4_vs_1: number | null
  readonly batch2_vs_1: number | null
  readonly batch8_vs_1: number | null
  readonly load_vs_wllama: number | null
  readonly bytes_brotli: number | null
  readonly peak_memory_vs_weights: number | null
}

/**
 * The same comparisons on one thread by CPU time instead of by the clock: on a machine where others work too, these
 * move less. More than 1: Minnow needs less.
 */
export interface CpuRatios {
  readonly decode_1t_vs_wllama: number | null
  readonly decode_1t_vs_wllama_fastest: number | null
  readonly prefill512_1t_vs_wllama: number | null
  readonly prefill512_1t_vs_wllama_fastest: number | null
  readonly decode_1t_vs_onnxruntime: number | null
  readonly prefill512_1t_vs_onnxruntime: number | null
  readonly decode_1024_vs_128: number | null
  readonly decode_1t_vs_native: number | null
  readonly prefill512_1t_vs_native: number | null
}

export function cpuRatios(samples: readonly Sample[]): CpuRatios {
  // Tokens for a CPU-second take the place of tokens for a second.
  const rows = speedRows(samples).map((row) => {
    const seconds = row.cpuSecondsPer1000
    return { ...row, tokensPerSecond: seconds === null || seconds === 0 ? null : 1000 / seconds }
  })
  const known = rows.flatMap((row) =>
    row.tokensPerSecond === null ? [] : [{ ...row, tokensPerSecond: row.tokensPerSecond }],
  )
  return oneThreadRatios(known)
}

export function speedRows(samples: readonly Sample[]): SpeedRow[] {
  const groups = new Map<string, Sample[]>()
  for (const sample of samples) {
    const key = `${sample.measure} ${sample.tokens} ${sample.subject}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [sample])
    else group.push(sample)
  }
  return [...groups.values()].map((group) => {
    const { subject, measure, tokens } = group[0]!
    const rates = group.map(({ tokensPerSecond }) => tokensPerSecond)
    const cpuSeconds = group.map((sample) => sample.cpuSeconds)
    const work = group.reduce((sum, { count }) => sum + (measure === 'prefill' ? tokens : count), 0)
    return {
      subject,
      measure,
      tokens,
      tokensPerSecond: median(rates)!,
      slowest: Math.min(...rates),
      fastest: Math.max(...rates),
      samples: group.length,
      cpuSecondsPer1000: cpuSeconds.includes(null)
        ? null
        : (cpuSeconds.reduce<number>((sum, seconds) => sum + seconds!, 0) / work) * 1000,
    }
  })
}

export function ratios(raw: RawFigures): Ratios {
  const rows = speedRows(raw.samples)
  const decode = (subject: string): number | null => rate(rows, subject, 'decode', 128)
  const prefill = (subject: string): number | null => rate(rows, subject, 'prefill', 512)
  return {
    ...oneThreadRatios(rows),
    decode_2t_vs_wllama: ratio(decode('minnow-2t'), decode('wllama-q4_1-2t')),
    decode_2t_vs_onnxruntime: ratio(decode('minnow-2t'), decode('onnxruntime-q4_1-2t')),
    prefill512_2t_vs_onnxruntime: ratio(prefill('minnow-2t'), prefill('onnxruntime-q4_1-2t')),
    decode_2t_vs_native: ratio(decode('minnow-2t'), decode('native-2t')),
    decode_2t_vs_1t: ratio(decode('minnow-2t'), decode('minnow-1t')),
    prefill_2t_vs_1t: ratio(prefill('minnow-2t'), prefill('minnow-1t')),
    lookup_gain: lookupGain(raw.lookups.filter(({ threads }) => threads === 1)),
    lookup_gain_2t: lookupGain(raw.lookups.filter(({ threads }) => threads === 2)),
    batch4_vs_1: batchGain(raw.batches, 4),
    batch2_vs_1: batchGain(raw.batches, 2),
    batch8_vs_1: batchGain(raw.batches, 8),
    load_vs_wllama: ratio(loadTime(raw.loads, 'minnow'), loadTime(raw.loads, 'wllama')),
    bytes_brotli:
      raw.bytes.length === 0 ? null : raw.bytes.reduce((sum, { brotliBytes }) => sum + brotliBytes, 0),
    peak_memory_vs_weights: peakMemory(raw.memory),
  }
}

function oneThreadRatios(rows: readonly SpeedRow[]): CpuRatios {
  const decode = (subject: string): number | null => rate(rows, subject, 'decode', 128)
  const prefill = (subject: string): number | null => rate(rows, subject, 'prefill', 512)
  return {
    decode_1t_vs_wllama: ratio(decode('minnow-1t'), decode('wllama-q4_1-1t')),
    decode_1t_vs_wllama_fastest: ratio(decode('minnow-1t'), best(rows, /^wllama-.*-1t$/, 'decode', 128)),
    prefill512_1t_vs_wllama: ratio(prefill('minnow-1t'), prefill('wllama-q4_1-1t')),
    prefill512_1t_vs_wllama_fastest: ratio(
      prefill('minnow-1t'),
      best(rows, /^wllama-.*-1t$/, 'prefill', 512),
    ),
    decode_1t_vs_onnxruntime: ratio(decode('minnow-1t'), decode('onnxruntime-q4_1-1t')),
    prefill512_1t_vs_onnxruntime: ratio(prefill('minnow-1t'), prefill('onnxruntime-q4_1-1t')),
    decode_1024_vs_128: ratio(rate(rows, 'minnow-1t', 'decode', 1024), decode('minnow-1t')),
    decode_1t_vs_native: ratio(decode('minnow-1t'), decode('native-1t')),
    prefill512_1t_vs_native: ratio(prefill('minnow-1t'), prefill('native-1t')),
  }
}

/** Time to decode all answers without prompt lookup, over the time with it: long answers count for more. */
export function lookupGain(samples: readonly LookupSample[]): number | null {
  if (samples.length === 0) return null
  const total = (key: 'with' | 'without'): number =>
    samples.reduce((sum, sample) => sum + sample[key].decodeMs, 0)
  return ratio(total('without'), total('with'))
}

/** Tokens a second of so many answers at a time. */
export function batchRate(samples: readonly BatchSample[], sequences: number): number | null {
  const own = samples.filter((sample) => sample.sequences === sequences)
  return median(own.map(({ newTokens, milliseconds }) => (newTokens / milliseconds) * 1000))
}

function batchGain(samples: readonly BatchSample[], sequences: number): number | null {
  return ratio(batchRate(samples, sequences), batchRate(samples, 1))
}

/**
 * The rate asked for; where a peer was only given a shorter prompt (a quick run), its rate there: evaluating and
 * decoding get slower with length, so this flatters the peer.
 */
function rate(rows: readonly SpeedRow[], subject: string, measure: string, tokens: number): number | null {
  const own = rows.filter((row) => row.subject === subject && row.measure === measure && row.tokens <= tokens)
  const isMinnow = subject.startsWith('minnow')
  const usable = isMinnow ? own.filter((row) => row.tokens === tokens) : own
  const longest = usable.toSorted((a, b) => b.tokens - a.tokens)[0]
  return longest?.tokensPerSecond ?? null
}

function best(rows: readonly SpeedRow[], subjects: RegExp, measure: string, tokens: number): number | null {
  const names = new Set(rows.map(({ subject }) => subject).filter((subject) => subjects.test(subject)))
  const rates = [...names].map((name) => rate(rows, name, measure, tokens)).filter((value) => value !== null)
  return rates.length === 0 ? null : Math.max(...rates)
}

function loadTime(loads: readonly LoadSample[], engine: LoadSample['engine']): number | null {
  return median(loads.filter((load) => load.engine === engine).map(({ totalMs }) => totalMs))
}

function peakMemory(memory: readonly MemoryFigures[]): number | null {
  const parts = memory.map(
    ({ peakRssBytes, idleRssBytes, weightsBytes }) => (peakRssBytes - idleRssBytes) / weightsBytes,
  )
  return parts.length === 0 ? null : Math.max(...parts)
}
