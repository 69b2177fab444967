import type { LedgerEntry } from '../router/ledger'
import type { Feedback } from '../router/queues'
import type { BarPlot } from './bar-plot'
import { moneyOf, percentOf, secondsOf } from './figure-words'
import { strings } from './strings'
import { escalationStrings } from './strings/escalation'
import { driftPlot } from './usage-drift'

/** Days shown. */
const DAYS = 14

/** The plots of the usage page. Empty where there is nothing to show yet. */
export function usagePlots(entries: readonly LedgerEntry[], feedback: readonly Feedback[]): BarPlot[] {
  if (entries.length === 0) return []
  const days = byDay(entries)
  const plots = [
    sharePlot(days),
    moneyPlot(days),
    latencyPlot(entries),
    confidencePlot(entries, feedback),
    driftPlot(days, feedback),
  ]
  return plots.filter((plot) => plot !== null)
}

export interface Day {
  readonly label: string
  readonly entries: readonly LedgerEntry[]
}

/** From the first day with entries to the last one, days between them included; the newest `DAYS`. */
function byDay(entries: readonly LedgerEntry[]): Day[] {
  const days: Day[] = []
  const first = entries[0]
  const last = entries.at(-1)
  if (first === undefined || last === undefined) return days
  const end = startOfDay(last.at)
  const from = new Date(end)
  from.setDate(from.getDate() - DAYS + 1)
  const day = new Date(Math.max(startOfDay(first.at), from.getTime()))
  while (day.getTime() <= end) {
    const start = day.getTime()
    const label = day.toLocaleDateString(strings().language, { month: 'short', day: 'numeric' })
    // By the calendar: a day may have 23 or 25 hours.
    day.setDate(day.getDate() + 1)
    days.push({ label, entries: entries.filter(({ at }) => at >= start && at < day.getTime()) })
  }
  return days
}

function startOfDay(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0)
}

const isAway = ({ source }: LedgerEntry): boolean => source?.kind === 'remote' || source?.kind === 'cache'
const isAnswered = ({ source }: LedgerEntry): boolean => source !== null

function shareAway(entries: readonly LedgerEntry[]): number | null {
  const answered = entries.filter(isAnswered)
  return answered.length === 0 ? null : answered.filter(isAway).length / answered.length
}

function sum(entries: readonly LedgerEntry[], value: (entry: LedgerEntry) => number): number {
  return entries.reduce((total, entry) => total + value(entry), 0)
}

function sharePlot(days: readonly Day[]): BarPlot {
  const words = escalationStrings.of().usage
  const all = days.flatMap(({ entries }) => entries)
  return {
    title: words.shareTitle,
    summary: words.share(all.filter(isAway).length, all.filter(isAnswered).length),
    series: [words.shareSeries],
    groups: days.map(({ label, entries }) => ({ label, values: [shareAway(entries)] })),
    most: 1,
    format: percentOf,
  }
}

function moneyPlot(days: readonly Day[]): BarPlot | null {
  const all = days.flatMap(({ entries }) => entries)
  if (!all.some(({ cost }) => cost.priced)) return null
  const words = escalationStrings.of().usage
  const spent = sum(all, ({ cost }) => cost.spentUsd)
  const saved = sum(all, ({ cost }) => cost.savedUsd)
  return {
    title: words.moneyTitle,
    summary: words.money(moneyOf(spent), moneyOf(saved)),
    series: [words.spent, words.saved],
    groups: days.map(({ label, entries }) => ({
      label,
      values: [sum(entries, ({ cost }) => cost.spentUsd), sum(entries, ({ cost }) => cost.savedUsd)],
    })),
    format: moneyOf,
  }
}

function latencyPlot(entries: readonly LedgerEntry[]): BarPlot | null {
  const words = escalationStrings.of().usage
  const kinds = [
    [words.device, entries.filter((entry) => isAnswered(entry) && !isAway(entry))],
    [words.bigger, entries.filter(isAway)],
  ] as const
  const groups = kinds
    .filter(([, of]) => of.length > 0)
    .map(([label, of]) => ({
      label,
      values: [
        median(of.flatMap(({ latencyMs }) => latencyMs.firstText ?? [])),
        // The time a person took to consent is not the model's.
        median(of.map(({ latencyMs }) => latencyMs.total - latencyMs.consent)),
      ],
    }))
  if (groups.length === 0) return null
  const medians = groups.map(({ label, values }) => `${label}: ${secondsOf(values[1] ?? 0)}`).join('; ')
  return {
    title: words.latencyTitle,
    summary: words.latency(medians),
    series: words.latencySeries,
    groups,
    format: secondsOf,
  }
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const high = sorted[middle]
  if (high === undefined) return null
  return sorted.length % 2 === 1 ? high : (high + (sorted[middle - 1] ?? high)) / 2
}

const BINS = 5

/** How often people agreed with answers, by how sure the model was of them. */
function confidencePlot(entries: readonly LedgerEntry[], feedback: readonly Feedback[]): BarPlot | null {
  const ids = new Set(entries.map(({ id }) => id))
  // The last word on an answer counts.
  const last = new Map(feedback.filter(({ entry }) => ids.has(entry)).map((each) => [each.entry, each]))
  const judged = [...last.values()].flatMap(({ confidence, kind, source }) =>
    confidence === null || source === 'remote' || source === 'cache'
      ? []
      : [{ confidence, good: kind === 'up' }],
  )
  if (judged.length === 0) return null
  const words = escalationStrings.of().usage
  const groups = Array.from({ length: BINS }, (_, bin) => {
    const of = judged.filter(({ confidence }) => Math.min(BINS - 1, Math.floor(confidence * BINS)) === bin)
    const label = `${(bin * 100) / BINS}–${((bin + 1) * 100) / BINS} %`
    return {
      label,
      values: [
        of.length === 0 ? null : of.filter(({ good }) => good).length / of.length,
        of.length === 0 ? null : of.reduce((total, { confidence }) => total + confidence, 0) / of.length,
      ],
    }
  })
  return {
    title: words.confidenceTitle,
    summary: words.confidence(judged.length),
    series: words.confidenceSeries,
    groups,
    most: 1,
    format: percentOf,
  }
}
