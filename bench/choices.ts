import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { nearTieNats } from '../tests/conformance/agreement'
import { decodeRecording } from '../tests/conformance/recording'

const RECORDING = join(import.meta.dirname, '../tests/conformance/recorded/smollm2-reference.json')
/** Of the choices that are clear. */
const LEAST_AGREEMENT = 0.97

export interface ChoiceAgreement {
  readonly steps: number
  /** Steps where the likeliest token is that of Minnow's reference backend. */
  readonly same: number
  /** The same without the steps where the reference's two likeliest are too close to tell. */
  readonly clearSteps: number
  readonly clearSame: number
}

/**
 * Forced decoding: what the engine in the page chooses after each token of given texts must be what Minnow's
 * reference backend chose there. Nobody is timed before it is known that they compute the same.
 * @throws Error where it does not.
 */
export async function checkChoices(
  name: string,
  page: Page,
  { prompts = 4, steps = 48 } = {},
): Promise<ChoiceAgreement> {
  const { cases } = decodeRecording(await readFile(RECORDING, 'utf8'))
  const result = { steps: 0, same: 0, clearSteps: 0, clearSame: 0 }
  for (const recorded of cases.slice(0, prompts)) {
    const tokens = recorded.tokens.slice(0, recorded.firstStep + steps)
    const chosen = await page.evaluate(([all, from]) => bench.choices(all, from), [
      tokens,
      recorded.firstStep,
    ] as const)
    for (const [index, { ids, logprobs }] of recorded.steps.slice(0, steps).entries()) {
      const same = chosen[index] === ids?.[0]
      const isClear = logprobs[0]! - logprobs[1]! >= nearTieNats
      result.steps++
      if (same) result.same++
      if (isClear) result.clearSteps++
      if (isClear && same) result.clearSame++
    }
  }
  if (result.clearSame < LEAST_AGREEMENT * result.clearSteps)
    throw new Error(`${name} chooses other tokens than Minnow's reference: ${JSON.stringify(result)}`)
  return result
}
