import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { nearTieNats } from '../../tests/conformance/agreement'
import { decodeRecording } from '../../tests/conformance/recording'

const RECORDING = join(import.meta.dirname, '../../tests/conformance/recorded/smollm2-reference.json')
const PROMPTS = 4
const STEPS = 48

export interface ChoiceAgreement {
  readonly steps: number
  /** Steps where the likeliest token is that of Minnow's reference backend. */
  readonly same: number
  /** The same without the steps where the reference's two likeliest are too close to tell. */
  readonly clearSteps: number
  readonly clearSame: number
}

/**
 * Forced decoding: what the model chooses after each token of given texts, compared with what Minnow's reference
 * backend chose there. Nobody is timed before it is known that they compute the same.
 * @param choices the likeliest token after each of `tokens` from `from` on
 */
export async function compareChoices(
  choices: (tokens: number[], from: number) => Promise<readonly number[]>,
): Promise<ChoiceAgreement> {
  const { cases } = decodeRecording(await readFile(RECORDING, 'utf8'))
  const result = { steps: 0, same: 0, clearSteps: 0, clearSame: 0 }
  for (const { tokens, firstStep, steps } of cases.slice(0, PROMPTS)) {
    const chosen = await choices(tokens.slice(0, firstStep + STEPS), firstStep)
    for (const [index, { ids, logprobs }] of steps.slice(0, STEPS).entries()) {
      const same = chosen[index] === ids?.[0]
      const isClear = logprobs[0]! - logprobs[1]! >= nearTieNats
      result.steps++
      if (same) result.same++
      if (isClear) result.clearSteps++
      if (isClear && same) result.clearSame++
    }
  }
  return result
}
