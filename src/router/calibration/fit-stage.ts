import { curveAt, fitCurve, type Curve } from './isotonic'
import { fitProbe, probeScore, type Example, type Probe, type ProbeOptions } from './probe'

/** A probe and the curve that makes probabilities of its scores. */
export interface FittedStage {
  readonly probe: Probe
  readonly curve: Curve
}

const FOLDS = 5
/** Tried in this order; a later one must lower the log loss by at least `GAIN`. */
const GAIN = 0.004

const CHOICES: readonly ProbeOptions[] = [
  { l2: 30, hiddenScale: 0 },
  { l2: 15, hiddenScale: 0.06 },
  { l2: 15, hiddenScale: 0.2 },
]

/**
 * Fits a probe and its curve. Every example is scored by a probe that has not seen it (5 folds): the first two folds
 * choose how much the hidden state may say, by log loss; all are what the curve is fitted to. The probe
 * itself is then fitted to all examples.
 * @param examples in no order that has to do with being right; at least 10
 */
export function fitStage(examples: readonly Example[]): FittedStage {
  return atOnce(fitStageInSteps(examples))
}

/** The same in steps, each a fit or two: a page draws between them. */
export function* fitStageInSteps(examples: readonly Example[]): Generator<void, FittedStage, void> {
  const labels = examples.map(({ right }) => right)
  const choices = examples[0]!.hidden === null ? CHOICES.slice(0, 1) : CHOICES
  const tried: { options: ProbeOptions; scores: Record<number, number>; loss: number }[] = []
  for (const options of choices) {
    const scores = yield* unseenScores(examples, options, [0, 1])
    tried.push({ options, scores, loss: logLoss(scores, labels) })
  }
  const best = tried.reduce((least, next) => (next.loss < least.loss - GAIN ? next : least))
  const scores = { ...best.scores, ...(yield* unseenScores(examples, best.options, [2, 3, 4])) }
  const curve = fitCurve(
    labels.map((_, index) => scores[index]!),
    labels,
  )
  return { probe: fitProbe(examples, best.options), curve }
}

/** Takes all steps without a pause. */
export function atOnce<T>(steps: Generator<void, T, void>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** The calibrated probability; null where the hidden state does not fit the probe. */
export function confidenceOf(
  { probe, curve }: FittedStage,
  features: readonly number[],
  hidden: Float32Array | null,
): number | null {
  const score = probeScore(probe, features, hidden)
  return score === null ? null : curveAt(curve, score)
}

/** Scores by index of the example, of those in `folds`. */
function* unseenScores(
  examples: readonly Example[],
  options: ProbeOptions,
  folds: readonly number[],
): Generator<void, Record<number, number>, void> {
  const scores: Record<number, number> = {}
  for (const fold of folds) {
    yield
    const probe = fitProbe(
      examples.filter((_, index) => index % FOLDS !== fold),
      options,
    )
    for (let index = fold; index < examples.length; index += FOLDS) {
      const { features, hidden } = examples[index]!
      scores[index] = probeScore(probe, features, hidden)!
    }
  }
  return scores
}

/** Mean ln(1 + e^z) − y z. */
function logLoss(scores: Readonly<Record<number, number>>, labels: readonly number[]): number {
  const entries = Object.entries(scores)
  return entries.reduce((sum, [index, score]) => {
    return (
      sum +
      (Math.max(score, 0) + Math.log1p(Math.exp(-Math.abs(score))) - labels[Number(index)]! * score) /
        entries.length
    )
  }, 0)
}
