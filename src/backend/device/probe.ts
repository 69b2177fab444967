import { EngineError } from '../../contract/error'
import {
  type Probe,
  PROBE_READINGS,
  PROBE_TOKENS,
  type ProbeReading,
  READING_TOKENS,
} from '../../contract/probe'
import type { Backend, LogitDetail, Logits } from '../backend'

/** Tokens evaluated together; the rest comes one by one, the last behind a cache that has slid. */
const BATCH = 16
const BATCH_READINGS = 4
/** What the cache forgets before the last token, so that keys are moved. */
const SLIDE = [3, 7] as const

/**
 * A right device that computes with other roundings (8-bit activations, an f16 cache) differs by less than this in
 * each log-probability, in nats, and by less than the second on average.
 * WebAssembly against the reference: SmolLM2 in Q4_1 0.41 and 0.08 on average, tiny models at most 0.25 and 0.07.
 */
export const LARGEST_DIFFERENCE = 1
export const LARGEST_MEAN_DIFFERENCE = 0.25
/** Tokens nearer than this to the likeliest may come first instead. */
export const NEAR_TIE = 0.5

/** @param prompt at least 16 ids; the probe goes on from there as the backend would. */
export async function makeProbe(backend: Backend, prompt: readonly number[]): Promise<Probe> {
  if (prompt.length < BATCH) {
    throw new EngineError('invalid-argument', `A probe starts with ${BATCH} tokens, got ${prompt.length}.`)
  }
  const tokens = prompt.slice(0, BATCH)
  const readings: ProbeReading[] = []
  await runProbe(backend, tokens, (logits, step) => {
    readings.push(readTop(logits.values(), logits.logSumExp))
    if (step >= BATCH - 1 && step < PROBE_TOKENS - 1) tokens.push(logits.argmax)
  })
  return { tokens, readings }
}

export interface ProbeOutcome {
  /** Why the device can't be trusted; null: it can. */
  readonly problem: string | null
  /** Of all log-probabilities compared, in nats. */
  readonly largestDifference: number
  readonly meanDifference: number
  /** What it took. */
  readonly probeMs: number
}

/**
 * Forced decoding of a probe: a batch, single steps with every kind of reading, a step that follows by itself, and
 * one behind a cache that has slid.
 */
export async function checkProbe(
  backend: Backend,
  probe: Probe,
  signal?: AbortSignal,
): Promise<ProbeOutcome> {
  const startedAt = performance.now()
  let problem: string | null = null
  let largest = 0
  let sum = 0
  let count = 0
  await runProbe(backend, probe.tokens, (logits, step, detail) => {
    signal?.throwIfAborted()
    const reading = probe.readings[step - (PROBE_TOKENS - PROBE_READINGS)]!
    const where = `after token ${step + 1} of the probe`
    if (!(Number.isFinite(logits.maximum) && Number.isFinite(logits.logSumExp))) {
      problem ??= `${where} the GPU gives no numbers`
      return
    }
    const place = reading.ids.indexOf(logits.argmax)
    if (place < 0 || reading.logprobs[0]! - reading.logprobs[place]! > NEAR_TIE) {
      problem ??= `${where} the GPU takes token ${logits.argmax} for the likeliest, not ${reading.ids[0]}`
    }
    reading.ids.forEach((id, i) => {
      const logit = logitOf(logits, id, detail)
      if (logit === null) return
      const difference = Math.abs(logit - logits.logSumExp - reading.logprobs[i]!)
      // Also of what is no number.
      if (!(difference <= LARGEST_DIFFERENCE)) {
        problem ??= `${where} the log-probability of token ${id} is off by ${difference.toFixed(2)}`
      }
      largest = Math.max(largest, difference)
      sum += difference
      count++
    })
  })
  const mean = sum / count
  if (!(mean <= LARGEST_MEAN_DIFFERENCE)) {
    problem ??= `log-probabilities are off by ${mean.toFixed(2)} on average`
  }
  return {
    problem,
    largestDifference: largest,
    meanDifference: mean,
    probeMs: performance.now() - startedAt,
  }
}

/** Calls back with the logits behind token `step`, while they can be read; `tokens` may grow in the callback. */
async function runProbe(
  backend: Backend,
  tokens: readonly number[],
  read: (logits: Logits, step: number, detail: LogitDetail) => void,
): Promise<void> {
  const session = backend.createSession({ contextLength: PROBE_TOKENS })
  try {
    const batch = await session.forward(tokens.slice(0, BATCH), { outputs: BATCH_READINGS })
    batch.forEach((logits, i) => read(logits, BATCH - BATCH_READINGS + i, 'all'))
    let likeliest = -1
    for (const [i, detail] of (['all', 'top', 'summary', 'top', 'all'] as const).entries()) {
      const step = BATCH + i
      if (step === PROBE_TOKENS - 1) session.shift(...SLIDE)
      const follows = step === PROBE_TOKENS - 2 && likeliest === tokens[step]
      const logits =
        follows && session.follow !== undefined
          ? await session.follow({ detail })
          : (await session.forward([tokens[step]!], { detail }))[0]!
      likeliest = logits.argmax
      read(logits, step, detail)
    }
  } finally {
    session.dispose()
  }
}

/** null where it was not read. */
function logitOf(logits: Logits, id: number, detail: LogitDetail): number | null {
  if (detail === 'all' || (detail === 'top' && logits.top === null)) return logits.values()[id]!
  if (detail === 'top') {
    const place = logits.top!.ids.indexOf(id)
    return place < 0 ? Number.NaN : logits.top!.logits[place]!
  }
  return id === logits.argmax ? logits.maximum : null
}

function readTop(values: Float32Array, logSumExp: number): ProbeReading {
  const ids = Array.from(values.keys())
    .toSorted((a, b) => values[b]! - values[a]! || a - b)
    .slice(0, READING_TOKENS)
  // Four decimals are far finer than the bounds.
  return { ids, logprobs: ids.map((id) => Math.round((values[id]! - logSumExp) * 1e4) / 1e4) }
}
