import { type Candidates, sortRange } from './candidates'
import type { SamplingSettings } from './settings'

/**
 * Bias and penalties (logit-bias.ts, penalties.ts) for nothing but some candidates, to the bit as for a whole row;
 * the candidates are then in order again.
 * @param recent tokens for the repetition penalty
 * @param counts how often each token stands in the answer
 */
export function adjustCandidates(
  candidates: Candidates,
  { logitBias, repetitionPenalty, frequencyPenalty, presencePenalty }: SamplingSettings,
  recent: ArrayLike<number>,
  counts: ReadonlyMap<number, number>,
): void {
  const { ids, logits, count } = candidates
  const repeated = new Set(repetitionPenalty === 1 ? [] : Array.from(recent))
  for (let i = 0; i < count; i++) {
    const id = ids[i]!
    const bias = logitBias.get(id)
    if (bias !== undefined) logits[i]! += bias
    if (repeated.has(id)) {
      const logit = logits[i]!
      logits[i] = logit > 0 ? logit / repetitionPenalty : logit * repetitionPenalty
    }
    const times = counts.get(id)
    if (times !== undefined) logits[i]! -= times * frequencyPenalty + presencePenalty
  }
  sortRange(candidates, 0, count)
}
