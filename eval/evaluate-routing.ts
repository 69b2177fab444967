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
  const words = weighed(items.map((item) => wordFeatures(promptText(item))))
  const known = order.filter(({ hidden }) => hidden !== null).length
  const plain = standardised(
    order.map(({ item }) => [
      ...promptFeatures(readPrompt(promptText(item), null)).map((value) => value * 1),
      Math.log(item.question.length),
      Math.log1p(promptText(item).match(/\p{N}+/gu)?.length ?? 0),
    ]),
    PLAIN_SCALE,
  )
  // What was not read is like the mean of what was.
  const hidden = standardised(
    order.map(({ hidden: packed }) => (packed === null ? null : [...unpackFloats(packed)])),
    HIDDEN_SCALE,
  )
  const scores = unseenRidge(
    items,
    words,
    plain.map((row, index) => [...row, ...hidden[index]!]),
  )
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

function unseenRidge(
  items: readonly RoutingItem[],
  words: readonly Entries[],
  plain: readonly number[][],
): Float64Array {
  const scores = new Float64Array(items.length)
  const columns = plain[0]!.length
  const design = (indexes: readonly number[]) =>
    joinDesigns([
      sparseDesign(
        indexes.map((index) => words[index]!),
        WORD_COLUMNS,
      ),
      denseDesign(Float64Array.from(indexes.flatMap((index) => plain[index]!)), indexes.length, columns),
    ])
  for (let fold = 0; fold < FOLDS; fold++) {
    const indexes = items.map((_, index) => index)
    const seen = indexes.filter((index) => index % FOLDS !== fold)
    const unseen = indexes.filter((index) => index % FOLDS === fold)
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

/** Rare words weigh more: each value times ln(texts / texts with the word), then scaled to length 1. */
function weighed(texts: readonly [column: number, value: number][][]): Entries[] {
  const counts = new Float64Array(WORD_COLUMNS)
  for (const entries of texts) for (const [column] of entries) counts[column]!++
  return texts.map((entries) => {
    const scaled = entries.map(
      ([column, value]) => [column, value * Math.log(texts.length / counts[column]!)] as const,
    )
    const length = Math.sqrt(scaled.reduce((sum, [, value]) => sum + value * value, 0)) || 1
    return scaled.map(([column, value]) => [column, value / length] as const)
  })
}

/** Columns of mean 0 and deviation `scale` over the rows that there are; zeros where there is none. */
function standardised(rows: readonly (readonly number[] | null)[], scale: number): number[][] {
  const there = rows.filter((row) => row !== null)
  const columns = there[0]?.length ?? 0
  const means = Array.from(
    { length: columns },
    (_, c) => there.reduce((sum, row) => sum + row[c]!, 0) / there.length,
  )
  const deviations = means.map((mean, c) =>
    Math.sqrt(there.reduce((sum, row) => sum + (row[c]! - mean) ** 2, 0) / there.length),
  )
  return rows.map((row) =>
    means.map((mean, c) =>
      row !== null && deviations[c]! > 1e-9 ? ((row[c]! - mean) / deviations[c]!) * scale : 0,
    ),
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
