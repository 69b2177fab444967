/** The seam between signals, calibration and policy: what is known of a question and its answer, and how sure that makes us. */

import type { TokenSignal } from '../../contract/signals'

/** What kind of work a prompt asks for, told from its words alone (`taskOf`). */
export type TaskKind =
  | 'choice'
  | 'classification'
  | 'completion'
  | 'question'
  | 'reading'
  | 'math'
  | 'code'
  | 'writing'
  | 'chat'

/** A prompt as the router sees it before an answer exists. */
export interface PromptSignal {
  /** (embeddingLength) Hidden state of the prompt's last token after the output norm; null where the engine gives none. */
  readonly hidden: Float32Array | null
  /** Length of the whole prompt in tokens; 0 where the engine does not tell. */
  readonly tokens: number
  /** The last user message. */
  readonly text: string
  readonly task: TaskKind
  /** ISO 639-1 code, or 'und' where it cannot be told. */
  readonly language: string
}

/** When a decision is made: from the prompt, from the answer's first tokens, from the whole answer. */
export type Stage = 'before' | 'during' | 'after'

/** What thresholds are picked for. Shares are 0…1. */
export type CalibrationTarget =
  /** Of all questions, at most this share answered locally and wrong. */
  | { readonly kind: 'risk'; readonly most: number }
  /** Of the questions answered locally, at most this share wrong, but for a chance of `failure` (default 0.05). */
  | { readonly kind: 'selective-risk'; readonly most: number; readonly failure?: number | undefined }
  /** At most this share of questions escalated. */
  | { readonly kind: 'escalated'; readonly most: number }
  /** At most `most` units of money a 1,000 questions, an escalated one costing `perQuestion`. */
  | { readonly kind: 'cost'; readonly most: number; readonly perQuestion: number }

/** Calibrated probabilities that the local answer is right; null where the calibration has no way to tell. */
export interface ConfidenceModel {
  /** SHA-256 of the model file it was fitted to, lower-case hex. */
  readonly modelHash: string
  /** For instance 'Q4_1'. */
  readonly quantization: string
  beforeAnswer(prompt: PromptSignal): number | null
  /** From the first tokens (8 to 16) of an answer that goes on. */
  duringAnswer(prompt: PromptSignal, tokens: readonly TokenSignal[], text: string): number | null
  afterAnswer(prompt: PromptSignal, tokens: readonly TokenSignal[], text: string): number | null
  /**
   * The confidence from which on a local answer is accepted so that the target holds, with a finite-sample guarantee
   * (`calibration/thresholds.ts`); Infinity where only escalating everything keeps it; null where this stage has no
   * calibration.
   */
  threshold(stage: Stage, target: CalibrationTarget, task?: TaskKind): number | null
}
