import { denseDesign } from '../src/router/calibration/design'
import { calibrationError, rankQuality } from '../src/router/calibration/figures'
import { fitLogistic, linearScores, sigmoid } from '../src/router/calibration/linear-fit'
import { fitShift, shifted } from '../src/router/calibration/recalibrate'
import type { ScoredItem } from './evaluate-task'
import type { CommonFeatures } from './examples'
import { bootstrap, seededRandom, type Interval } from './metrics'
import { shuffled } from './shuffled'

/** Figures of a task that a probe fitted to all other tasks has not seen. */
export interface LeftOutFigures {
  readonly auroc: number | null
  readonly ece: number
  /** The same once that many answers of the task were judged and moved all confidences by one step (`recalibrate`). */
  readonly ece_judged: number | null
  /** Over the task's items; the fit stays. */
  readonly intervals: Readonly<Record<'auroc' | 'ece', Interval | null>>
}

/** Answers that somebody judged of a task that was not seen before. */
export const JUDGED = 25
const DRAWS = 20
/** Each task counts alike, whatever its size: another one is as likely to be like any of them. */
const ITEMS_PER_TASK = 400
/** An answer without a word is not right, whatever the task. */
const EMPTY = 0.01
const L2 = 1

/** Which of the features a probe may use beside the log-odds: whether they are steadied, and agreement. */
interface Choice {
  readonly steady: boolean
  readonly agreement: boolean
}

const CHOICES: readonly Choice[] = [
  { steady: false, agreement: false },
  { steady: true, agreement: false },
  { steady: false, agreement: true },
  { steady: true, agreement: true },
]

type Tasks = Readonly<Record<string, readonly ScoredItem[]>>

/**
 * Each task, by a logistic probe fitted to all others on features that mean the same in each. What the probe may use is
 * chosen without the task as well: by leaving out each of the others in turn. null where there is but one task.
 */
export function leaveOneTaskOut(tasks: Tasks): Record<string, LeftOutFigures> | null {
  const names = Object.keys(tasks).filter((name) => tasks[name]!.length > 0)
  if (names.length < 2) return null
  return Object.fromEntries(
    names.map((name) => {
      const others = names.filter((other) => other !== name)
      const losses = CHOICES.map((choice) => {
        if (others.length < 2) return 0
        const errors = others.map((left) => {
          const rest = others.filter((other) => other !== left)
          return calibrationError(judgedBy(fitOn(tasks, rest, choice), tasks[left]!))
        })
        return errors.reduce((sum, error) => sum + error, 0)
      })
      const choice = CHOICES[losses.indexOf(Math.min(...losses))]!
      const items = judgedBy(fitOn(tasks, others, choice), tasks[name]!)
      const random = seededRandom(31)
      const figures: LeftOutFigures = {
        auroc: rankQuality(items),
        ece: calibrationError(items),
        ece_judged: errorWhenJudged(items),
        intervals: {
          auroc: bootstrap(items, rankQuality, random),
          ece: bootstrap(items, calibrationError, random),
        },
      }
      return [name, figures]
    }),
  )
}

type Confidence = (features: CommonFeatures | null) => number

function fitOn(tasks: Tasks, names: readonly string[], choice: Choice): Confidence {
  const rows: number[][] = []
  const labels: number[] = []
  for (const name of names) {
    const items = tasks[name]!.filter(({ example }) => example.common !== null)
    for (let i = 0; i < ITEMS_PER_TASK && items.length > 0; i++) {
      const { example, right } = items[i % items.length]!
      rows.push(columns(example.common!, choice))
      labels.push(right)
    }
  }
  const width = columns({ way: 'continued', logOdds: 0 }, choice).length
  const design = (of: readonly (readonly number[])[]) =>
    denseDesign(Float64Array.from(of.flat()), of.length, width)
  const model = fitLogistic(design(rows), labels, { l2: L2 })
  return (features) =>
    features === null ? EMPTY : sigmoid(linearScores(design([columns(features, choice)]), model)[0]!)
}

function columns(features: CommonFeatures, { steady, agreement }: Choice): number[] {
  if (features.way === 'continued') return [1, features.logOdds, 0, 0]
  return [0, 0, steady ? features.steadyLogOdds : features.logOdds, agreement ? features.agreement : 0]
}

function judgedBy(
  confidence: Confidence,
  items: readonly ScoredItem[],
): { confidence: number; right: number }[] {
  return items.map(({ example, right }) => ({ confidence: confidence(example.common), right }))
}

/** Mean over draws of the answers that were judged; on those that were not. */
function errorWhenJudged(items: readonly { confidence: number; right: number }[]): number | null {
  if (items.length < 4 * JUDGED) return null
  const random = seededRandom(23)
  let sum = 0
  for (let draw = 0; draw < DRAWS; draw++) {
    const order = shuffled(items, random)
    const shift = fitShift(
      order.slice(0, JUDGED).map(({ confidence, right }) => ({ confidence, correct: right === 1 })),
    )
    sum += calibrationError(
      order.slice(JUDGED).map(({ confidence, right }) => ({ confidence: shifted(confidence, shift), right })),
    )
  }
  return sum / DRAWS
}
