import { WORD_COLUMNS } from './word-features'

type Entries = readonly (readonly [column: number, value: number])[]

/** A question whose subject and gap (strong − weak) are known. */
export interface SubjectItem {
  readonly words: Entries
  readonly subject: string
  readonly gap: number
}

/** Added to each count of a word, and of items in a mean gap. */
const WORD_PRIOR = 0.05
const GAP_PRIOR = 10

/**
 * Expects the gap of questions whose subject is not told: naive Bayes (multinomial, on weighed words) says how likely each
 * subject is, and each counts with the mean gap of its items, drawn towards the mean of all.
 */
export function fitSubjectGaps(items: readonly SubjectItem[]): (words: Entries) => number {
  const subjects = [...new Set(items.map(({ subject }) => subject))]
  const overall = items.reduce((sum, { gap }) => sum + gap, 0) / items.length
  const models = subjects.map((subject) => {
    const own = items.filter((item) => item.subject === subject)
    const counts = new Float32Array(WORD_COLUMNS).fill(WORD_PRIOR)
    for (const { words } of own) for (const [column, value] of words) counts[column]! += value
    const total = counts.reduce((sum, count) => sum + count, 0)
    const gap = own.reduce((sum, item) => sum + item.gap, GAP_PRIOR * overall) / (own.length + GAP_PRIOR)
    return { counts, logTotal: Math.log(total), logShare: Math.log(own.length / items.length), gap }
  })
  return (words) => {
    const scores = models.map(({ counts, logTotal, logShare }) =>
      words.reduce((sum, [column, value]) => sum + value * (Math.log(counts[column]!) - logTotal), logShare),
    )
    const most = Math.max(...scores)
    const weights = scores.map((score) => Math.exp(score - most))
    const all = weights.reduce((sum, weight) => sum + weight, 0)
    return models.reduce((sum, { gap }, index) => sum + (gap * weights[index]!) / all, 0)
  }
}
