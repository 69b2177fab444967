import type { TokenSignal } from '../../contract/signals'
import { promptFeatures } from '../signals/prompt-signal'
import { tokenFeatures } from '../signals/token-features'
import type { PromptSignal, Stage } from '../signals/types'

/** Tokens of an answer that a decision while it is generated looks at. */
export const FIRST_TOKENS = 16

/** What the probe of a stage sees, in an order that calibrations rely on. */
export function stageFeatures(stage: Stage, prompt: PromptSignal, tokens: readonly TokenSignal[]): number[] {
  if (stage === 'before') return promptFeatures(prompt)
  const seen = stage === 'during' ? tokens.slice(0, FIRST_TOKENS) : tokens
  return [...tokenFeatures(seen), ...promptFeatures(prompt)]
}
