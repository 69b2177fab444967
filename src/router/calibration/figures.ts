/** Figures of a confidence against what was right. */

export interface Judged {
  readonly confidence: number
  /** 1 right, 0 wrong. */
  readonly right: number
}

/** AUROC: the chance that a right answer got more confidence than a wrong one, ties half; null without both kinds. */
export function rankQuality(items: readonly Judged[]): number | null {
  const order = items.toSorted((a, b) => a.confidence - b.confidence)
  const positives = items.reduce((sum, { right }) => sum + right, 0)
  const negatives = items.length - positives
  if (positives === 0 || negatives === 0) return null
  let rankSum = 0
  for (let from = 0; from < order.length;) {
    let to = from
    let right = 0
    for (; to < order.length && order[to]!.confidence === order[from]!.confidence; to++)
      right += order[to]!.right
    rankSum += right * ((from + to + 1) / 2)
    from = to
  }
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives)
}

/** A bin of a reliability diagram. */
export interface Bin {
  readonly count: number
  /** Means of the bin; 0 where it is empty. */
  readonly confidence: number
  readonly accuracy: number
}

/** Bins of equal width over 0…1. */
export function reliability(items: readonly Judged[], bins = 15): Bin[] {
  const sums = Array.from({ length: bins }, () => ({ count: 0, confidence: 0, right: 0 }))
  for (const { confidence, right } of items) {
    const bin = sums[Math.min(bins - 1, Math.floor(confidence * bins))]!
    bin.count++
    bin.confidence += confidence
    bin.right += right
  }
  return sums.map(({ count, confidence, right }) => ({
    count,
    confidence: count === 0 ? 0 : confidence / count,
    accuracy: count === 0 ? 0 : right / count,
  }))
}

/** ECE: mean |confidence − accuracy| of the bins, by their counts. */
export function calibrationError(items: readonly Judged[], bins = 15): number {
  const gaps = reliability(items, bins).map(
    ({ count, confidence, accuracy }) => count * Math.abs(confidence - accuracy),
  )
  return gaps.reduce((sum, gap) => sum + gap, 0) / items.length
}
