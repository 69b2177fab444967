import type { TokenSignal } from '../src/contract/signals'
import { FIRST_TOKENS } from '../src/router/calibration/stage-features'
import { tokenFeatures } from '../src/router/signals/token-features'
import { promptFeatures, readPrompt } from '../src/router/signals/prompt-signal'
import { unpackFloats, type ItemRecord, type SignalRow } from './records'

/** One item as the fits see it. */
export interface EvalExample {
  readonly hidden: Float32Array
  readonly right: number
  /** Features of the whole answer, of its first 16 tokens, and of the prompt alone. */
  readonly after: readonly number[]
  readonly during: readonly number[]
  readonly before: readonly number[]
  /** What means the same in every task, for a probe that has not seen this one; null for an empty answer. */
  readonly common: CommonFeatures | null
  /** Baselines: the higher, the surer. */
  readonly meanLogprob: number
  readonly promptTokens: number
}

/** Log-odds that the model itself gives its answer, and what else means the same in every task of that way of asking. */
export type CommonFeatures =
  | { readonly way: 'continued'; readonly logOdds: number }
  | {
      readonly way: 'compared'
      readonly logOdds: number
      /** The same with differences divided by √tokens: sums of many log-probabilities differ by chance alone. */
      readonly steadyLogOdds: number
      /** .5 where the choice that gains most by the question is the likeliest one, −.5 where not, 0 where gains say nothing. */
      readonly agreement: number
    }

/** Mean over training items of each choice's log-probability, where all items have the same choices; else zeros. */
export type ChoiceOffsets = readonly number[]

/**
 * Batch calibration (https://arxiv.org/abs/2309.17249): a label's mean log-probability says how much the model likes
 * the label, not the item. Needs no answers, and is taken from training items only.
 */
export function choiceOffsets(records: readonly ItemRecord[], hasFixedChoices: boolean): ChoiceOffsets {
  const count = records[0]?.choices?.length ?? 0
  if (!hasFixedChoices) return []
  return Array.from({ length: count }, (_, index) => {
    const sums = records.map(({ choices }) => sumOf(choices![index]!.signals))
    return sums.reduce((total, sum) => total + sum, 0) / sums.length
  })
}

export function exampleOf(record: ItemRecord, prompt: string, offsets: ChoiceOffsets): EvalExample {
  const signal = readPrompt(prompt, { hidden: null, tokens: record.promptTokens })
  const before = promptFeatures(signal)
  const hidden = unpackFloats(record.hidden)
  const promptTokens = record.promptTokens
  if (record.choices === undefined) {
    const signals = signalsOf(record.signals!)
    const features = (tokens: readonly TokenSignal[]): number[] => [...tokenFeatures(tokens), ...before]
    return {
      hidden,
      right: record.isRight === true ? 1 : 0,
      after: features(signals),
      during: features(signals.slice(0, FIRST_TOKENS)),
      before,
      common:
        signals.length === 0 ? null : { way: 'continued', logOdds: logOdds(tokenFeatures(signals)[3]!) },
      meanLogprob: tokenFeatures(signals)[0]!,
      promptTokens,
    }
  }
  const whole = compareChoices(record, offsets, Infinity)
  const first = compareChoices(record, offsets, FIRST_TOKENS)
  const chosen = record.choices[whole.best]!
  return {
    hidden,
    right: whole.best === record.gold ? 1 : 0,
    after: [...whole.features, ...before],
    during: [...first.features, ...before],
    before,
    common: {
      way: 'compared',
      logOdds: logOdds(whole.features[0]!),
      steadyLogOdds: logOdds(whole.steadyShare),
      agreement: whole.agreement,
    },
    meanLogprob: sumOf(chosen.signals) / chosen.signals.length,
    promptTokens,
  }
}

/** The likeliest choice, and how it stands beside the others by several measures of likelihood. */
function compareChoices(
  { choices }: ItemRecord,
  offsets: ChoiceOffsets,
  tokens: number,
): { best: number; features: number[]; steadyShare: number; agreement: number } {
  const rows = choices!.map(({ signals, characters, neutral }, index) => {
    const cut = signals.slice(0, tokens)
    const sum = sumOf(cut) - (offsets[index] ?? 0)
    const share = cut.length / signals.length
    return {
      sum,
      mean: sum / cut.length,
      perCharacter: sum / (characters * share),
      gain: sum - neutral * share,
    }
  })
  const sums = rows.map(({ sum }) => sum)
  const best = sums.indexOf(Math.max(...sums))
  const features = [
    sums,
    rows.map(({ mean }) => mean),
    rows.map((row) => row.perCharacter),
    rows.map(({ gain }) => gain),
  ].flatMap((scores, index) => standing(scores, best, index === 2 ? 4 : 1))
  const root = Math.sqrt(choices!.reduce((count, { signals }) => count + signals.length, 0) / choices!.length)
  const [steadyShare] = standing(sums, best, 1 / root)
  const gains = rows.map(({ gain }) => gain)
  // Where all choices end in the same text, gains are sums.
  const saysNothing = choices!.every(({ neutral }) => neutral === choices![0]!.neutral)
  return {
    best,
    steadyShare: steadyShare!,
    agreement: saysNothing ? 0 : gains.indexOf(Math.max(...gains)) === best ? 0.5 : -0.5,
    features: [...features, ...tokenFeatures(signalsOf(choices![best]!.signals.slice(0, tokens)))],
  }
}

/** Of the chosen one among all: ln of its softmax share, its lead over the best other, the entropy of the shares. */
function standing(scores: readonly number[], chosen: number, sharpness: number): number[] {
  const scaled = scores.map((score) => score * sharpness)
  const largest = Math.max(...scaled)
  const logSum = largest + Math.log(scaled.reduce((sum, score) => sum + Math.exp(score - largest), 0))
  const others = scaled.filter((_, index) => index !== chosen)
  const entropy = scaled.reduce((sum, score) => sum - Math.exp(score - logSum) * (score - logSum), 0)
  return [scaled[chosen]! - logSum, scaled[chosen]! - Math.max(...others), entropy]
}

/** ln(p / (1 − p)) of ln p, kept within ±10. */
function logOdds(logProbability: number): number {
  const probability = Math.min(Math.exp(logProbability), 1 - 1e-6)
  return Math.max(-10, Math.min(10, Math.log(probability + 1e-9) - Math.log1p(-probability)))
}

function signalsOf(rows: readonly SignalRow[]): TokenSignal[] {
  return rows.map(([logprob, margin, entropy]) => ({ logprob, margin, entropy }))
}

function sumOf(rows: readonly SignalRow[]): number {
  return rows.reduce((sum, [logprob]) => sum + logprob, 0)
}
