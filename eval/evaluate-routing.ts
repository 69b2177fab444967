import { denseDesign, joinDesigns, sparseDesign } from '../src/router/calibration/design'
import { fitRidge, linearScores } from '../src/router/calibration/linear-fit'
import { rankQuality } from '../src/router/calibration/figures'
import type { ItemOf } from '../src/router/calibration/labelled-item'
import { promptFeatures, readPrompt } from '../src/router/signals/prompt-signal'
import { promptText } from './ask'
import type { Task } from './items'
import { bootstrap, seededRandom, type Interval } from './metrics'
import { shuffled } from './shuffled'
import { fitSubjectGaps } from './subject-gaps'
import { WORD_COLUMNS, wordFeatures } from './word-features'
import { unpackFloats } from './records'
import type { Records } from './record-cache'
import { apgr, cpt, escalatedAt, type RoutedItem } from './routing-metrics'

/** Figures of a router that sees nothing but the prompt, on recorded outcomes of two models. */
export interface RoutingFigures {
  readonly items: number
  /** In the file; the first of them were asked. */
  readonly available: number
  readonly skipped: number
  /** Of the weak model, as recorded. */
  readonly accuracy: number
  /** Of the router's score against the weak model's being wrong. */
  readonly auroc: number | null
  readonly auroc_first16: null
  readonly ece: null
  readonly escalated_at_95: number | null
  readonly apgr: number | null
  readonly apgr_interval: Interval | null
  /** Least share sent to the strong model that recovers this much of the gap. */
  readonly cpt_50: number | null
  readonly cpt_80: number | null
  readonly strong: { readonly accuracy: number; readonly simulated: false }
  /** APGR. 'domain' knows each subject's mean gap, from other folds: what labels of subjects would give. */
  readonly baselines: {
    readonly random: number
    readonly promptLength: number | null
    readonly domain: number | null
    readonly oracle: number | null
  }
  /** Items whose prompt the local model has read: its hidden state then helps. */
  readonly withHidden: number
}

type RoutingItem = ItemOf<'routingChoice'> | ItemOf<'routingMath'>

const FOLDS = 5
const L2 = 10
/** Weight of a standardised plain feature, and of a hidden unit, beside words of a text of length 1. */
const PLAIN_SCALE = 0.05
const HIDDEN_SCALE = 0.02

export function isRouting(task: Task): boolean {
  return task.items.some(({ form }) => form === 'routingChoice' || form === 'routingMath')
}

/**
 * Ridge regression of the gap (strong − weak) on hashed words and pairs, plain measures, and the local model's hidden
 * state where it was recorded; where items have subjects, plus the gap that is to be expected of the subjects
 * a text may be of. Subjects are told of training items only. Each item is scored by fits to the other four fifths.
 */
export function evaluateRouting(
  task: Task,
  records: Records,
  limit: number,
): { figures: RoutingFigures; routed: RoutedItem[] } {
  const all = task.items
    .slice(0, limit)
    .flatMap((item, index) =>
      item.form === 'routingChoice' || item.form === 'routingMath'
        ? [{ item, hidden: records[index]?.hidden ?? null }]
        : [],
    )
  const order = shuffled(all, seededRandom(11))
  const items = order.map(({ item }) => item)
  const words = items.map((item) => wordFeatures(promptText(item)))
  const known = order.filter(({ hidden }) => hidden !== null).length
  const plain = order.map(({ item }) => [
    ...promptFeatures(readPrompt(promptText(item), null)),
    Math.log(item.question.length),
    Math.log1p(promptText(item).match(/\p{N}+/gu)?.length ?? 0),
  ])
  const hidden = order.map(({ hidden: packed }) => (packed === null ? null : unpackFloats(packed)))
  const scores = unseenRidge(items, words, plain, hidden)
  const domain = domainGaps(items)
  const route = (score: (index: number) => number): RoutedItem[] =>
    items.map(({ mixtral_correct: weak, gpt4_correct: strong }, index) => ({
      score: score(index),
      weak,
      strong,
    }))
  const routed = route((index) => scores[index]!)
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length
  const figures: RoutingFigures = {
    items: items.length,
    available: task.items.length,
    skipped: task.skippedLines,
    accuracy: mean(items.map((item) => item.mixtral_correct)),
    auroc: rankQuality(routed.map(({ score, weak }) => ({ confidence: -score, right: weak }))),
    auroc_first16: null,
    ece: null,
    escalated_at_95: escalatedAt(routed, 0.95),
    apgr: apgr(routed),
    apgr_interval: bootstrap(routed, apgr, seededRandom(3), 200),
    cpt_50: cpt(routed, 0.5),
    cpt_80: cpt(routed, 0.8),
    strong: { accuracy: mean(items.map((item) => item.gpt4_correct)), simulated: false },
    baselines: {
      random: 0.5,
      promptLength: apgr(route((index) => promptText(items[index]!).length)),
      domain: domain === null ? null : apgr(route((index) => domain[index]!)),
      oracle: apgr(route((index) => gapOf(items[index]!))),
    },
    withHidden: known,
  }
  return { figures, routed }
}

function gapOf({ mixtral_correct: weak, gpt4_correct: strong }: RoutingItem): number {
  return strong - weak
}

type Entries = readonly (readonly [column: number, value: number])[]

/** Weights of words and scales of columns are taken from the four fifths as well. */
function unseenRidge(
  items: readonly RoutingItem[],
  texts: readonly Entries[],
  plain: readonly (readonly number[])[],
  hidden: readonly (Float32Array | null)[],
): Float64Array {
  const scores = new Float64Array(items.length)
  const indexes = items.map((_, index) => index)
  for (let fold = 0; fold < FOLDS; fold++) {
    const isSeen = (index: number): boolean => index % FOLDS !== fold
    const seen = indexes.filter(isSeen)
    const unseen = indexes.filter((index) => !isSeen(index))
    const words = weighed(texts, isSeen)
    const measures = standardised(plain, PLAIN_SCALE, isSeen)
    // What was not read is like the mean of what was.
    const states = standardised(hidden, HIDDEN_SCALE, isSeen)
    const columns = measures[0]!.length + states[0]!.length
    const design = (of: readonly number[]) => {
      const dense = new Float64Array(of.length * columns)
      of.forEach((index, row) => {
        dense.set(measures[index]!, row * columns)
        dense.set(states[index]!, row * columns + measures[index]!.length)
      })
      const sparse = of.map((index) => words[index]!)
      return joinDesigns([sparseDesign(sparse, WORD_COLUMNS), denseDesign(dense, of.length, columns)])
    }
    const model = fitRidge(
      design(seen),
      seen.map((index) => gapOf(items[index]!)),
      { l2: L2 },
    )
    linearScores(design(unseen), model).forEach((score, row) => (scores[unseen[row]!] = score))
    const subjects = seen.flatMap((index) => {
      const item = items[index]!
      return item.form === 'routingChoice'
        ? [{ words: words[index]!, subject: item.domain, gap: gapOf(item) }]
        : []
    })
    if (subjects.length === 0) continue
    const expected = fitSubjectGaps(subjects)
    for (const index of unseen) scores[index]! += expected(words[index]!)
  }
  return scores
}

/** Rare words weigh more: each value times ln(texts seen / those with the word), then scaled to length 1. */
function weighed(texts: readonly Entries[], isSeen: (index: number) => boolean): Entries[] {
  const counts = new Float64Array(WORD_COLUMNS)
  const seen = texts.filter((_, index) => isSeen(index))
  for (const entries of seen) for (const [column] of entries) counts[column]!++
  return texts.map((entries) => {
    const scaled = entries.map(
      ([column, value]) => [column, value * Math.log(seen.length / Math.max(1, counts[column]!))] as const,
    )
    const length = Math.sqrt(scaled.reduce((sum, [, value]) => sum + value * value, 0)) || 1
    return scaled.map(([column, value]) => [column, value / length] as const)
  })
}

/** Columns of mean 0 and deviation `scale` over the rows seen; zeros where there is no row. */
function standardised(
  rows: readonly (ArrayLike<number> | null)[],
  scale: number,
  isSeen: (index: number) => boolean,
): Float64Array[] {
  const there = rows.filter((row, index) => row !== null && isSeen(index)) as ArrayLike<number>[]
  const columns = there[0]?.length ?? 0
  const means = new Float64Array(columns)
  const deviations = new Float64Array(columns)
  for (const row of there) for (let c = 0; c < columns; c++) means[c]! += row[c]! / there.length
  for (const row of there)
    for (let c = 0; c < columns; c++) deviations[c]! += (row[c]! - means[c]!) ** 2 / there.length
  return rows.map((row) =>
    means.map((mean, c) => {
      const deviation = Math.sqrt(deviations[c]!)
      return row !== null && deviation > 1e-9 ? ((row[c]! - mean) / deviation) * scale : 0
    }),
  )
}

/** Mean gap of each item's subject over the other folds, drawn towards the mean of all; null without subjects. */
function domainGaps(items: readonly RoutingItem[]): number[] | null {
  const domains = items.map((item) => (item.form === 'routingChoice' ? item.domain : null))
  if (domains.includes(null)) return null
  const overall = items.reduce((sum, item) => sum + gapOf(item), 0) / items.length
  return items.map((_, index) => {
    let sum = 10 * overall
    let count = 10
    items.forEach((other, at) => {
      if (domains[at] !== domains[index] || at % FOLDS === index % FOLDS) return
      sum += gapOf(other)
      count++
    })
    return sum / count
  })
}
