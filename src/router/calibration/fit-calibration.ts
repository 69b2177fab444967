import { EngineError } from '../../contract/error'
import type { TokenSignal } from '../../contract/signals'
import type { PromptSignal, Stage } from '../signals/types'
import { atOnce, confidenceOf, fitStageInSteps, type FittedStage } from './fit-stage'
import { calibrationError, rankQuality } from './figures'
import { packFloats } from './packed-floats'
import type { Example } from './probe'
import type { Calibration, StageCalibration, TaskCalibration } from './schema'
import { stageFeatures } from './stage-features'

/** A labelled question and what the local model made of it. */
export interface LabelledAnswer {
  readonly prompt: PromptSignal
  readonly tokens: readonly TokenSignal[]
  readonly isRight: boolean
}

export interface FitCalibrationOptions {
  readonly model: Calibration['model']
  /** What the answers are of, in words. */
  readonly source: string
  /** ISO 8601. */
  readonly createdAt: string
  /** Least answers of a kind of task for one of its own. Default 250. */
  readonly leastPerTask?: number
}

/** Least answers at all, and least of either kind: below, intervals are wider than what they tell. */
export const LEAST_ANSWERS = 50
const LEAST_OF_A_KIND = 5

/**
 * Fits a calibration to labelled answers, given in no order that has to do with being right. Of each task's answers
 * three fifths fit the probes and curves, one fifth is held back for thresholds, one fifth gives the figures.
 * @throws EngineError 'invalid-argument' where there are fewer than 50, or nearly all are right, or nearly all wrong
 */
export function fitCalibration(
  answers: readonly LabelledAnswer[],
  options: FitCalibrationOptions,
): Calibration {
  return atOnce(fitCalibrationInSteps(answers, options))
}

/** The same in steps of some hundred milliseconds, so that a page stays alive meanwhile. */
export function* fitCalibrationInSteps(
  answers: readonly LabelledAnswer[],
  { model, source, createdAt, leastPerTask = 250 }: FitCalibrationOptions,
): Generator<void, Calibration, void> {
  if (!isEnough(answers, LEAST_ANSWERS)) {
    const right = answers.filter(({ isRight }) => isRight).length
    throw new EngineError(
      'invalid-argument',
      `A calibration needs at least ${LEAST_ANSWERS} answers with ${LEAST_OF_A_KIND} right and ${LEAST_OF_A_KIND} ` +
        `wrong ones in each part; got ${answers.length} answers, ${right} right. Give more labelled questions.`,
      { details: { answers: answers.length, right } },
    )
  }
  const tasks: Record<string, TaskCalibration> = { any: yield* fitTask(answers) }
  const kinds = new Set(answers.map(({ prompt }) => prompt.task))
  for (const kind of kinds) {
    const own = answers.filter(({ prompt }) => prompt.task === kind)
    if (isEnough(own, leastPerTask)) tasks[kind] = yield* fitTask(own)
  }
  return { schemaVersion: 1, model, createdAt, source, tasks }
}

function isEnough(answers: readonly LabelledAnswer[], least: number): boolean {
  const fitting = answers.filter((_, index) => partOf(index) === 'fit')
  const right = fitting.filter(({ isRight }) => isRight).length
  return answers.length >= least && right >= LEAST_OF_A_KIND && fitting.length - right >= LEAST_OF_A_KIND
}

function partOf(index: number): 'fit' | 'hold' | 'test' {
  return index % 5 === 3 ? 'hold' : index % 5 === 4 ? 'test' : 'fit'
}

function* fitTask(answers: readonly LabelledAnswer[]): Generator<void, TaskCalibration, void> {
  const right = answers.filter(({ isRight }) => isRight).length
  return {
    items: answers.length,
    accuracy: right / answers.length,
    stages: {
      before: yield* fitOneStage('before', answers),
      during: yield* fitOneStage('during', answers),
      after: yield* fitOneStage('after', answers),
    },
  }
}

function* fitOneStage(
  stage: Stage,
  answers: readonly LabelledAnswer[],
): Generator<void, StageCalibration, void> {
  const withHidden = answers.every(({ prompt }) => prompt.hidden !== null)
  const examples = answers.map(({ prompt, tokens, isRight }): Example => ({
    features: stageFeatures(stage, prompt, tokens),
    hidden: withHidden ? prompt.hidden : null,
    right: isRight ? 1 : 0,
  }))
  const part = (wanted: 'fit' | 'hold' | 'test'): Example[] =>
    examples.filter((_, index) => partOf(index) === wanted)
  const fitted = yield* fitStageInSteps(part('fit'))
  const held = judged(fitted, part('hold'))
  const test = judged(fitted, part('test'))
  const { probe, curve } = fitted
  return {
    probe: {
      intercept: probe.intercept,
      weights: [...probe.weights],
      hiddenWeights: probe.hiddenWeights === null ? null : packFloats(probe.hiddenWeights),
    },
    curve: { scores: [...curve.scores], probabilities: [...curve.probabilities] },
    heldBack: { confidence: held.map(({ confidence }) => confidence), right: held.map((item) => item.right) },
    figures: {
      items: test.length,
      auroc: rankQuality(test),
      ece: test.length === 0 ? null : calibrationError(test),
    },
  }
}

function judged(fitted: FittedStage, examples: readonly Example[]): { confidence: number; right: number }[] {
  return examples.map(({ features, hidden, right }) => ({
    confidence: confidenceOf(fitted, features, hidden)!,
    right,
  }))
}
