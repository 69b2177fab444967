import type { LedgerEntry } from '../router/ledger'
import type { Feedback } from '../router/queues'
import type { BarPlot } from './bar-plot'
import { percentOf } from './figure-words'
import { escalationStrings } from './strings/escalation'
import type { Day } from './usage-figures'

/** Days that are compared with those before. */
const RECENT_DAYS = 7
/** Fewer answers of either time tell nothing. */
const LEAST_ANSWERS = 10

/** How sure answers of the device were from day to day, and what people thought of them; null before there are two days. */
export function driftPlot(days: readonly Day[], feedback: readonly Feedback[]): BarPlot | null {
  const sure = days.map(({ entries }) => entries.flatMap(({ confidence }) => confidence ?? []))
  if (sure.filter((day) => day.length > 0).length < 2) return null
  const words = escalationStrings.of().usage
  const good = new Map(feedback.map(({ entry, kind }) => [entry, kind === 'up' ? 1 : 0]))
  const judged = (entries: readonly LedgerEntry[]): number[] =>
    entries.flatMap(({ id, source }) =>
      source?.kind === 'remote' || source?.kind === 'cache' ? [] : (good.get(id) ?? []),
    )
  const before = sure.slice(0, -RECENT_DAYS).flat()
  const recent = sure.slice(-RECENT_DAYS).flat()
  return {
    title: words.driftTitle,
    summary: differ(before, recent)
      ? words.drift(percentOf(mean(before)!), percentOf(mean(recent)!))
      : words.driftNone(percentOf(mean(sure.flat())!)),
    series: words.driftSeries,
    groups: days.map(({ label, entries }, index) => ({
      label,
      values: [mean(sure[index]!), mean(judged(entries))],
    })),
    most: 1,
    format: percentOf,
  }
}

/** Whether two means differ by more than 2.6 standard errors (Welch's test, some 1 % by chance). */
export function differ(a: readonly number[], b: readonly number[]): boolean {
  if (Math.min(a.length, b.length) < LEAST_ANSWERS) return false
  const gap = Math.abs(mean(a)! - mean(b)!)
  return gap > 2.6 * Math.sqrt(variance(a) / a.length + variance(b) / b.length)
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length
}

function variance(values: readonly number[]): number {
  const middle = mean(values) ?? 0
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / Math.max(1, values.length - 1)
}
