import { EngineError } from '../../contract/error'
import type { TokenSignal } from '../../contract/signals'
import type { ConfidenceModel, PromptSignal, Stage } from '../signals/types'
import { confidenceOf, type FittedStage } from './fit-stage'
import { unpackFloats } from './packed-floats'
import type { Calibration, StageCalibration, TaskCalibration } from './schema'
import { FIRST_TOKENS, stageFeatures } from './stage-features'
import { shifted, shiftedItems } from './recalibrate'
import { pickThreshold } from './thresholds'

/**
 * A calibration at work.
 * @param modelHash of the model that answers (`EngineInfo.modelHash`)
 * @param shift of all confidences, in log-odds, as `recalibrate()` finds it. Default 0. Thresholds then weigh right and wrong
 * held-back answers as the shift says they come: an estimate, and no longer a guarantee.
 * @throws EngineError 'unsupported' where the calibration is another model's
 */
export function createConfidenceModel(
  calibration: Calibration,
  { modelHash, shift = 0 }: { modelHash: string | undefined; shift?: number | undefined },
): ConfidenceModel {
  const { hash, id, quantization } = calibration.model
  if (modelHash !== hash) {
    throw new EngineError(
      'unsupported',
      `This calibration is of ${id} (${quantization}, ${hash.slice(0, 12)}…); the model in use is ` +
        `${modelHash === undefined ? 'of unknown hash' : `${modelHash.slice(0, 12)}…`}. ` +
        'Run "minnow calibrate" with that model.',
      { details: { wanted: hash, got: modelHash ?? null } },
    )
  }
  const fitted = new Map<StageCalibration, FittedStage>()
  const taskFor = (task: string | undefined): TaskCalibration | undefined =>
    calibration.tasks[task ?? 'any'] ?? calibration.tasks['any']

  const confidence = (stage: Stage, prompt: PromptSignal, tokens: readonly TokenSignal[]): number | null => {
    const stored = taskFor(prompt.task)?.stages[stage]
    // An engine without signals: nothing to go by. An empty answer has none either.
    if (stored === undefined || (stage !== 'before' && tokens.length === 0)) return null
    let ready = fitted.get(stored)
    if (ready === undefined) fitted.set(stored, (ready = unpackStage(stored)))
    const features = stageFeatures(stage, prompt, tokens)
    if (features.length !== ready.probe.weights.length) return null
    const told = confidenceOf(ready, features, prompt.hidden)
    return told === null ? null : shifted(told, shift)
  }

  return {
    modelHash: hash,
    quantization,
    beforeAnswer: (prompt) => confidence('before', prompt, []),
    duringAnswer: (prompt, tokens) => confidence('during', prompt, tokens.slice(0, FIRST_TOKENS)),
    afterAnswer: (prompt, tokens) => confidence('after', prompt, tokens),
    threshold(stage, target, task) {
      const stored = taskFor(task)?.stages[stage]
      return stored === undefined || stored.heldBack.right.length === 0
        ? null
        : pickThreshold(shiftedItems(stored.heldBack, shift), target)
    },
  }
}

function unpackStage({ probe, curve }: StageCalibration): FittedStage {
  const { intercept, weights, hiddenWeights } = probe
  return {
    probe: { intercept, weights, hiddenWeights: hiddenWeights === null ? null : unpackFloats(hiddenWeights) },
    curve,
  }
}
