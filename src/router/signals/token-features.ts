import type { TokenSignal } from '../../contract/signals'

/** Names of `tokenFeatures`, in their order. All in nats, but for the last. */
export const TOKEN_FEATURES = [
  'meanLogprob',
  'minLogprob',
  'lowLogprob',
  'sumLogprob',
  'worstWindow',
  'firstLogprob',
  'firstMargin',
  'firstEntropy',
  'meanMargin',
  'minMargin',
  'meanEntropy',
  'maxEntropy',
  'logTokens',
] as const

/** Tokens over which the worst stretch is looked for. */
const WINDOW = 4

/**
 * What a list of token signals comes to: means, extremes and the 10 % quantile. An empty list gives zeros: an answer
 * without a token is told apart by `logTokens` alone.
 */
export function tokenFeatures(tokens: readonly TokenSignal[]): number[] {
  if (tokens.length === 0) return TOKEN_FEATURES.map(() => 0)
  const logprobs = tokens.map(({ logprob }) => logprob)
  const margins = tokens.map(({ margin }) => Math.min(margin, 30))
  const entropies = tokens.map(({ entropy }) => entropy)
  const sum = total(logprobs)
  return [
    sum / tokens.length,
    Math.min(...logprobs),
    quantile(logprobs, 0.1),
    sum,
    worstWindow(logprobs),
    logprobs[0]!,
    margins[0]!,
    entropies[0]!,
    total(margins) / tokens.length,
    Math.min(...margins),
    total(entropies) / tokens.length,
    Math.max(...entropies),
    Math.log(tokens.length),
  ]
}

/** The lowest mean of `WINDOW` log-probabilities in a row; of fewer, their mean. */
function worstWindow(logprobs: readonly number[]): number {
  const size = Math.min(WINDOW, logprobs.length)
  let sum = total(logprobs.slice(0, size))
  let worst = sum
  for (let i = size; i < logprobs.length; i++) {
    sum += logprobs[i]! - logprobs[i - size]!
    worst = Math.min(worst, sum)
  }
  return worst / size
}

/** With linear interpolation between order statistics. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const at = share * (sorted.length - 1)
  const below = Math.floor(at)
  const low = sorted[below]!
  return low + (at - below) * ((sorted[below + 1] ?? low) - low)
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}
