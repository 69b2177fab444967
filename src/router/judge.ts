import type { DecisionStage, RouteReason } from '../contract/route'
import { questionOf } from './facts'
import type { LocalDraft } from './local-draft'
import type { RouteRun } from './route-run'
import { isJson, mayBecomeJson, repeatsItself } from './signals/text-faults'
import type { PromptSignal, TaskKind } from './signals/types'

/** What is thought of a local answer at one stage. */
export interface Judgement {
  /** false: more is wanted than this answer. */
  readonly accept: boolean
  readonly reason: RouteReason
  readonly confidence: number | null
  readonly threshold: number | null
}

/** Reads the signals at a stage. Where no calibration fits, only the text itself can be found wanting. */
export function judge(run: RouteRun, draft: LocalDraft, stage: Exclude<DecisionStage, 'rules'>): Judgement {
  const fault = faultOf(run, draft, stage)
  const { calibration } = run.parts
  if (calibration === null) {
    return { accept: fault === null, reason: fault ?? 'uncalibrated', confidence: null, threshold: null }
  }
  const prompt: PromptSignal = {
    hidden: draft.reading?.hidden ?? null,
    tokens: draft.reading?.tokens ?? 0,
    text: questionOf(run.params.messages),
    task: run.facts.task as TaskKind,
    language: run.facts.language,
  }
  const point = stage === 'before' ? 'before' : stage === 'after' ? 'after' : 'during'
  const confidence =
    point === 'before'
      ? calibration.beforeAnswer(prompt)
      : point === 'after'
        ? calibration.afterAnswer(prompt, draft.tokens, draft.text)
        : calibration.duringAnswer(prompt, draft.tokens, draft.text)
  const { accept, verifyFrom } = run.settings
  const threshold = typeof accept === 'number' ? accept : calibration.threshold(point, accept, prompt.task)
  if (fault !== null) return { accept: false, reason: fault, confidence, threshold }
  if (confidence === null || threshold === null || Number.isNaN(confidence)) {
    return { accept: true, reason: 'uncalibrated', confidence, threshold }
  }
  // Early on a doubtful answer may go on where its end could still be checked, which costs less than another answer.
  const mayBeChecked = point !== 'after' && verifyFrom !== null && confidence >= verifyFrom
  if (mayBeChecked && confidence < threshold) return { accept: true, reason: 'unsure', confidence, threshold }
  const enough = confidence >= threshold
  return { accept: enough, reason: enough ? 'confident' : 'unsure', confidence, threshold }
}

function faultOf(
  { request }: RouteRun,
  { text, finish }: LocalDraft,
  stage: DecisionStage,
): 'repetition' | 'broken-json' | 'empty-answer' | null {
  if (stage === 'before') return null
  if (stage === 'after' && text.trim() === '') return 'empty-answer'
  if (repeatsItself(text)) return 'repetition'
  if (request.requires?.includes('json') !== true) return null
  const isFit = finish === null ? mayBecomeJson(text) : isJson(text)
  return isFit ? null : 'broken-json'
}
