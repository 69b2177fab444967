import { denseDesign } from './design'
import { fitLogistic, sigmoid } from './linear-fit'

/** A rising curve through points, straight between them and flat beyond. */
export interface Curve {
  /** Ascending. */
  readonly scores: readonly number[]
  /** Not descending, 0…1. */
  readonly probabilities: readonly number[]
}

/**
 * Isotonic regression by pool-adjacent-violators: the rising curve nearest to the labels in squares. Each pool counts
 * as if it held one more half-right example, so that a pool of one never claims certainty. Between pools' mean scores
 * the curve is straight, which keeps the order of scores.
 * @param labels 0…1, one for each score
 */
export function fitIsotonic(scores: ArrayLike<number>, labels: ArrayLike<number>): Curve {
  const order = Array.from(scores, (_, i) => i).toSorted((a, b) => scores[a]! - scores[b]!)
  const pools: { score: number; label: number; count: number }[] = []
  for (let i = 0; i < order.length;) {
    // Equal scores must get equal probabilities.
    const score = scores[order[i]!]!
    let label = 0
    let count = 0
    for (; i < order.length && score === scores[order[i]!]; i++, count++) label += labels[order[i]!]!
    pools.push({ score: score * count, label, count })
    while (pools.length > 1 && mean(pools.at(-2)!) >= mean(pools.at(-1)!)) {
      const last = pools.pop()!
      const before = pools.at(-1)!
      before.score += last.score
      before.label += last.label
      before.count += last.count
    }
  }
  return {
    scores: pools.map(({ score, count }) => score / count),
    probabilities: running(pools.map(({ label, count }) => (label + 0.5) / (count + 1))),
  }
}

/** Points of a blended curve. */
const POINTS = 48

/**
 * The mean of the isotonic curve and of a sigmoid fitted to the same points (Platt): as free as the data is rich,
 * rising everywhere, so that no two scores become one, and steadier where examples are few.
 */
export function fitCurve(scores: readonly number[], labels: readonly number[]): Curve {
  const steps = fitIsotonic(scores, labels)
  const line = fitLogistic(denseDesign(Float64Array.from(scores), scores.length, 1), labels, { l2: 1 })
  const slope = Math.max(0, line.weights[0]!)
  const sorted = scores.toSorted((a, b) => a - b)
  const points = Array.from(
    { length: POINTS },
    (_, index) => sorted[Math.round((index / (POINTS - 1)) * (sorted.length - 1))]!,
  )
  const distinct = [...new Set(points)]
  return {
    scores: distinct,
    probabilities: distinct.map(
      (score) => (curveAt(steps, score) + sigmoid(line.intercept + slope * score)) / 2,
    ),
  }
}

/** The curve's value at a score. */
export function curveAt({ scores, probabilities }: Curve, score: number): number {
  let low = 0
  let high = scores.length - 1
  if (high < 0) return 0.5
  if (score <= scores[0]!) return probabilities[0]!
  if (score >= scores[high]!) return probabilities[high]!
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if (scores[middle]! <= score) low = middle
    else high = middle
  }
  const share = (score - scores[low]!) / (scores[high]! - scores[low]!)
  return probabilities[low]! + share * (probabilities[high]! - probabilities[low]!)
}

function mean({ label, count }: { label: number; count: number }): number {
  return label / count
}

/** Largest so far: the half example of small pools may else let the curve fall. */
function running(values: readonly number[]): number[] {
  let largest = 0
  return values.map((value) => (largest = Math.max(largest, value)))
}
