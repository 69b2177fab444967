import type { CalibrationTarget } from '../signals/types'

/** Items held back from fitting: the confidence each got and whether the local answer was right. */
export interface HeldBack {
  readonly confidence: ArrayLike<number>
  /** 1 right, 0 wrong. */
  readonly right: ArrayLike<number>
  /** How much each counts, 1 in the mean, where questions now come in other shares than these did. Default 1 each. */
  readonly weights?: ArrayLike<number>
}

/** One confidence of held-back items and how many (by their weights), right and wrong, have it or more. */
interface Cut {
  readonly confidence: number
  readonly accepted: number
  readonly wrong: number
}

/**
 * The confidence from which on local answers are accepted so that the target holds for questions like the held-back
 * ones; Infinity where only escalating all keeps it, 0 where nothing needs to be.
 *
 * 'risk' is kept in the mean over calibrations (conformal risk control, https://arxiv.org/abs/2208.02814):
 * (wrong + w) / (n + w) ≤ most, w the largest weight, 1 without weights. 'selective-risk' is kept with probability 1 − `failure` (fixed-sequence testing with
 * exact binomial tails, https://arxiv.org/abs/2110.01052). Shares of escalated questions are kept in the mean:
 * (escalated + 1) / (n + 1) ≤ most.
 */
export function pickThreshold(heldBack: HeldBack, target: CalibrationTarget): number {
  const cuts = cutsOf(heldBack)
  const count = heldBack.right.length
  const most = heldBack.weights === undefined ? 1 : Math.max(1, ...Array.from(heldBack.weights))
  switch (target.kind) {
    case 'risk':
      return lowest(cuts, ({ wrong }) => (wrong + most) / (count + most) <= target.most)
    case 'selective-risk': {
      const failure = target.failure ?? 0.05
      return lowest(testable(cuts, target.most, failure), ({ accepted, wrong }) => {
        return binomialTail(Math.floor(accepted + 1e-9), Math.ceil(wrong - 1e-9), target.most) <= failure
      })
    }
    case 'escalated':
      return highest(cuts, count, target.most)
    case 'cost':
      return highest(cuts, count, target.perQuestion <= 0 ? 1 : target.most / (1000 * target.perQuestion))
  }
}

/** From the strictest on, one for each confidence that occurs. */
function cutsOf({ confidence, right, weights }: HeldBack): Cut[] {
  const order = Array.from(right, (_, i) => i).toSorted((a, b) => confidence[b]! - confidence[a]!)
  const cuts: Cut[] = []
  let accepted = 0
  let wrong = 0
  order.forEach((item, index) => {
    const weight = weights?.[item] ?? 1
    accepted += weight
    wrong += weight * (1 - right[item]!)
    const next = order[index + 1]
    if (next !== undefined && confidence[next] === confidence[item]) return
    cuts.push({ confidence: confidence[item]!, accepted, wrong })
  })
  return cuts
}

/** The laxest cut before the first that fails. */
function lowest(cuts: readonly Cut[], holds: (cut: Cut) => boolean): number {
  let threshold = Infinity
  for (const cut of cuts) {
    if (!holds(cut)) break
    threshold = cut.confidence
  }
  return threshold
}

/** The strictest cut that still accepts enough. */
function highest(cuts: readonly Cut[], count: number, most: number): number {
  const found = cuts.find(({ accepted }) => (count - accepted + 1) / (count + 1) <= most)
  return found?.confidence ?? 0
}

/**
 * Cuts in which the test could succeed at all: the first ones hold too few items for any. Which these are depends on
 * counts alone, not on what is right, so that leaving them out costs no certainty. Steps of a fiftieth of the items.
 */
function testable(cuts: readonly Cut[], most: number, failure: number): Cut[] {
  const total = cuts.at(-1)?.accepted ?? 0
  const least = Math.log(failure) / Math.log(1 - most)
  const step = Math.max(1, total / 50)
  let reached = 2 * least - step
  return cuts.filter(({ accepted }) => {
    if (accepted < reached + step) return false
    reached = accepted
    return true
  })
}

/** Probability of `wrong` or fewer in `count` draws that are wrong with probability `share`. */
export function binomialTail(count: number, wrong: number, share: number): number {
  if (share <= 0) return 1
  if (share >= 1) return wrong >= count ? 1 : 0
  let term = count * Math.log1p(-share)
  let sum = Math.exp(term)
  for (let k = 1; k <= Math.min(wrong, count); k++) {
    term += Math.log((count - k + 1) / k) + Math.log(share) - Math.log1p(-share)
    sum += Math.exp(term)
  }
  return Math.min(1, sum)
}
