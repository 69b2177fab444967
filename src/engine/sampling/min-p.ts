import type { Candidates } from './candidates'

/** The least logit that min-p (https://arxiv.org/abs/2407.01082) keeps: minP times as likely as the largest. */
export function minPThreshold(largest: number, minP: number): number {
  return minP > 0 ? largest + Math.log(minP) : -Infinity
}

/** Drops candidates below the threshold; keeps the order of the others. */
export function keepMinP(candidates: Candidates, threshold: number): void {
  const { ids, logits, weights } = candidates
  let kept = 0
  for (let i = 0; i < candidates.count; i++) {
    if (logits[i]! >= threshold) {
      ids[kept] = ids[i]!
      logits[kept] = logits[i]!
      weights[kept] = weights[i]!
      kept++
    }
  }
  candidates.count = kept
}
