/** Figures of a router over recorded outcomes, as RouteLLM defines them (https://arxiv.org/abs/2406.18665). */

/** A question's outcomes, 1 right and 0 wrong, and the router's score: higher asks the strong model sooner. */
export interface RoutedItem {
  readonly score: number
  readonly weak: number
  readonly strong: number
}

/** Quality when the `index` highest scores of n go to the strong model, for index 0…n; ties go on average. */
export function qualityCurve(items: readonly RoutedItem[]): number[] {
  const order = items.toSorted((a, b) => b.score - a.score)
  let right = items.reduce((sum, { weak }) => sum + weak, 0)
  const curve = [right / items.length]
  for (let from = 0; from < order.length;) {
    let to = from
    let gain = 0
    for (; to < order.length && order[to]!.score === order[from]!.score; to++) {
      gain += order[to]!.strong - order[to]!.weak
    }
    for (let i = from + 1; i <= to; i++)
      curve.push((right + (gain * (i - from)) / (to - from)) / items.length)
    right += gain
    from = to
  }
  return curve
}

/** Average performance gap recovered: the area under PGR over the share sent to the strong model. null without a gap. */
export function apgr(items: readonly RoutedItem[]): number | null {
  const curve = qualityCurve(items)
  const weak = curve[0]!
  const gap = curve.at(-1)! - weak
  if (!(gap > 0)) return null
  let area = 0
  for (let i = 1; i < curve.length; i++) area += (curve[i]! + curve[i - 1]!) / 2 - weak
  return area / items.length / gap
}

/** Call-performance threshold: the least share sent to the strong model that recovers `share` of the gap. */
export function cpt(items: readonly RoutedItem[], share: number): number | null {
  const curve = qualityCurve(items)
  const gap = curve.at(-1)! - curve[0]!
  if (!(gap > 0)) return null
  return curve.findIndex((quality) => quality >= curve[0]! + share * gap - 1e-12) / items.length
}

/** The least share escalated that reaches `share` of the strong model's quality; null where none does. */
export function escalatedAt(items: readonly RoutedItem[], share: number): number | null {
  const curve = qualityCurve(items)
  const wanted = share * curve.at(-1)!
  return curve.findIndex((quality) => quality >= wanted - 1e-12) / items.length
}
