import { calibrationError, rankQuality, type Judged } from '../src/router/calibration/figures'
import { confidenceOf, fitStage } from '../src/router/calibration/fit-stage'
import type { Example } from '../src/router/calibration/probe'
import { pickThreshold } from '../src/router/calibration/thresholds'
import type { LabelledItem as Item } from '../src/router/calibration/labelled-item'
import type { Stage } from '../src/router/signals/types'
import { promptText } from './ask'
import { choiceOffsets, exampleOf, type EvalExample } from './examples'
import type { Task } from './items'
import { bootstrap, eceFloor, seededRandom, type Interval } from './metrics'
import type { Records } from './record-cache'
import type { ItemRecord } from './records'
import { apgr, escalatedAt, type RoutedItem } from './routing-metrics'
import { shuffled } from './shuffled'

/** Figures of one task and one way of asking. */
export interface TaskFigures {
  readonly items: number
  /** In the file; the first of them were asked. */
  readonly available: number
  /** Items whose answers cannot be judged, and lines that could not be read. */
  readonly skipped: number
  readonly accuracy: number | null
  readonly auroc: number | null
  readonly auroc_first16: number | null
  /** From the prompt alone. */
  readonly auroc_before: number | null
  readonly ece: number | null
  /** What perfectly calibrated confidences would show with as many items. */
  readonly ece_floor: number | null
  /** Least share escalated that reaches 95 % of the strong model's quality, and what the oracle needs. */
  readonly escalated_at_95: number | null
  readonly escalated_at_95_oracle: number | null
  readonly apgr: number | null
  readonly apgr_oracle: number | null
  /** Accuracy of the strong model; recorded, or stated by the user and then simulated. */
  readonly strong: { readonly accuracy: number; readonly simulated: boolean }
  readonly intervals: Readonly<
    Record<'accuracy' | 'auroc' | 'auroc_first16' | 'ece' | 'escalated_at_95', Interval | null>
  >
  /** AUROC of simpler confidences. */
  readonly baselines: {
    readonly random: number
    readonly promptLength: number | null
    readonly meanLogprob: number | null
    /** No confidence, but what such a probe makes of items whose labels it was fitted to. */
    readonly seen: number | null
  }
  readonly risk: RiskFigures | null
}

/** Thresholds picked on one half of the items and tried on the other, 100 times. */
export interface RiskFigures {
  readonly target: number
  /** 'selective-risk' with a chance of failure of 5 %: share of the splits in which the other half broke the target. */
  readonly broken: number
  readonly meanCoverage: number
  /** 'risk' (conformal risk control): mean share of all questions answered locally and wrong. */
  readonly meanRisk: number
  /** Least share that any method free of assumptions must leave to others: (μ − α) / (1 − α). */
  readonly abstentionBound: number
}

/** An item with its out-of-fold confidences: none was fitted to the item itself. */
export interface ScoredItem extends Judged {
  /** From the whole answer, by a probe and a curve that were fitted to the item as well. */
  readonly seen: number
  readonly during: number
  readonly before: number
  readonly example: EvalExample
}

const FOLDS = 5
/** With fewer nothing is fitted. */
const FEWEST = 2 * FOLDS

interface AskedItem {
  readonly record: ItemRecord
  readonly item: Item
}

/** Items that could be asked, with what they left behind. */
function askedItems(task: Task, records: Records): AskedItem[] {
  return records.flatMap((record, index) => (record === null ? [] : [{ record, item: task.items[index]! }]))
}

/** Whether each answer is right (1 or 0): all that is known of items too few for a fit; none where they are enough. */
export function judgeFew(task: Task, records: Records): number[] {
  const usable = askedItems(task, records)
  return usable.length < FEWEST
    ? usable.map(({ record, item }) => exampleOf(record, promptText(item), []).right)
    : []
}

/** Confidences of all items, each by probes and curves fitted to the other four fifths. */
export function scoreItems(task: Task, records: Records): ScoredItem[] {
  const usable = askedItems(task, records)
  if (usable.length < FEWEST) return []
  const order = shuffled(usable, seededRandom(5))
  const fixed = haveSameChoices(order.map(({ item }) => item))
  const scored: ScoredItem[] = []
  for (let fold = 0; fold < FOLDS; fold++) {
    const seen = order.filter((_, index) => index % FOLDS !== fold)
    const offsets = choiceOffsets(
      seen.map(({ record }) => record),
      fixed,
    )
    const toExample = ({ record, item }: AskedItem): EvalExample =>
      exampleOf(record, promptText(item), offsets)
    const training = seen.map(toExample)
    const unseen = order.filter((_, index) => index % FOLDS === fold).map(toExample)
    const confidences = (stage: Stage): number[] => {
      const fitted = fitStage(training.map((example) => forStage(example, stage)))
      return unseen.map((example) => confidenceOf(fitted, example[stage], example.hidden)!)
    }
    const [after, during, before] = [confidences('after'), confidences('during'), confidences('before')]
    const seenToo = fitStage([...training, ...unseen].map((example) => forStage(example, 'after')))
    unseen.forEach((example, index) => {
      scored.push({
        example,
        right: example.right,
        confidence: after[index]!,
        seen: confidenceOf(seenToo, example.after, example.hidden)!,
        during: during[index]!,
        before: before[index]!,
      })
    })
  }
  return scored
}

/** @param few right or not, of items that were too few to be scored (`judgeFew`) */
export function figuresOf(
  items: readonly ScoredItem[],
  few: readonly number[],
  { available, skipped }: Pick<TaskFigures, 'available' | 'skipped'>,
  strongAccuracy: number,
): TaskFigures {
  const random = seededRandom(17)
  const accuracy = (sample: readonly { readonly right: number }[]): number | null =>
    sample.length === 0 ? null : sample.reduce((sum, { right }) => sum + right, 0) / sample.length
  const during = (sample: readonly ScoredItem[]): number | null =>
    rankQuality(withConfidence(sample, (item) => item.during))
  const error = (sample: readonly ScoredItem[]): number | null =>
    sample.length === 0 ? null : calibrationError(sample)
  const baseline = (confidence: (item: ScoredItem) => number): number | null =>
    rankQuality(withConfidence(items, confidence))
  const routedOf = (sample: readonly ScoredItem[]): RoutedItem[] =>
    sample.map(({ confidence, right }) => ({ score: -confidence, weak: right, strong: strongAccuracy }))
  const routed = routedOf(items)
  const oracle = routed.map((item) => ({ ...item, score: item.strong - item.weak }))
  const some = <T>(figure: (of: readonly RoutedItem[]) => T | null, of: readonly RoutedItem[]): T | null =>
    of.length === 0 ? null : figure(of)
  return {
    items: items.length + few.length,
    available,
    skipped,
    accuracy: accuracy([...items, ...few.map((right) => ({ right }))]),
    auroc: rankQuality(items),
    auroc_first16: during(items),
    auroc_before: baseline((item) => item.before),
    ece: error(items),
    ece_floor: items.length === 0 ? null : eceFloor(items, random),
    escalated_at_95: some((of) => escalatedAt(of, 0.95), routed),
    escalated_at_95_oracle: some((of) => escalatedAt(of, 0.95), oracle),
    apgr: some(apgr, routed),
    apgr_oracle: some(apgr, oracle),
    strong: { accuracy: strongAccuracy, simulated: true },
    intervals: {
      accuracy: bootstrap(items, accuracy, random),
      auroc: bootstrap(items, rankQuality, random),
      auroc_first16: bootstrap(items, during, random),
      ece: bootstrap(items, error, random),
      escalated_at_95: bootstrap(
        items,
        (sample) => some((of) => escalatedAt(of, 0.95), routedOf(sample)),
        random,
      ),
    },
    baselines: {
      random: 0.5,
      promptLength: baseline(({ example }) => -example.promptTokens),
      meanLogprob: baseline(({ example }) => example.meanLogprob),
      seen: baseline(({ seen }) => seen),
    },
    risk: riskFigures(items, 0.05),
  }
}

/** @param target share of wrong answers that is allowed */
export function riskFigures(items: readonly Judged[], target: number, splits = 100): RiskFigures | null {
  if (items.length < 50) return null
  const random = seededRandom(29)
  let broken = 0
  let coverage = 0
  let risk = 0
  for (let split = 0; split < splits; split++) {
    const order = shuffled(items, random)
    const half = order.length >> 1
    const held = order.slice(0, half)
    const other = order.slice(half)
    const heldBack = {
      confidence: held.map(({ confidence }) => confidence),
      right: held.map(({ right }) => right),
    }
    const selective = pickThreshold(heldBack, { kind: 'selective-risk', most: target })
    const accepted = other.filter(({ confidence }) => confidence >= selective)
    const wrong = accepted.filter(({ right }) => right === 0).length
    if (wrong > target * accepted.length) broken++
    coverage += accepted.length / other.length
    const controlled = pickThreshold(heldBack, { kind: 'risk', most: target })
    risk += other.filter((item) => item.confidence >= controlled && item.right === 0).length / other.length
  }
  const wrongShare = items.filter(({ right }) => right === 0).length / items.length
  return {
    target,
    broken: broken / splits,
    meanCoverage: coverage / splits,
    meanRisk: risk / splits,
    abstentionBound: Math.max(0, (wrongShare - target) / (1 - target)),
  }
}

export function forStage(example: EvalExample, stage: Stage): Example {
  return { features: example[stage], hidden: example.hidden, right: example.right }
}

export function withConfidence(
  items: readonly ScoredItem[],
  confidence: (item: ScoredItem) => number,
): Judged[] {
  return items.map((item) => ({ confidence: confidence(item), right: item.right }))
}

/** Whether all items choose among the same texts, as labels are. */
function haveSameChoices(items: readonly Item[]): boolean {
  const choices = items.map((item) =>
    item.form === 'label' ? 'labels' : item.form === 'choice' ? item.choices.join('\n') : null,
  )
  return choices[0] !== null && choices.every((text) => text === choices[0])
}
