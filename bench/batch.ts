import type { BenchPage } from './browser'
import { LOOKUP_PROMPTS } from './lookup-prompts'
import type { TogetherFigures } from './page/minnow-subject'

/** How many answers at a time. */
export const SEQUENCES = [1, 2, 4, 8] as const

export interface BatchSample extends Omit<TogetherFigures, 'texts'> {
  readonly sequences: number
  /** Whether every answer is the one that is given alone. */
  readonly sameText: boolean
}

/**
 * Several answers to one prompt at a time, in turns, in the engine that is open in the page; of each as many tokens. The
 * prompt is known, so that all of the time is decoding.
 */
export async function measureBatches(
  { page }: BenchPage,
  options: { rounds: number; tokens: number },
): Promise<BatchSample[]> {
  const { rounds, tokens } = options
  const question = LOOKUP_PROMPTS[0]!.text.slice(0, 200)
  const ask = (count: number): Promise<TogetherFigures> =>
    page.evaluate(([text, choices, limit]) => bench.together(text, choices, limit), [
      question,
      count,
      tokens,
    ] as const)
  const alone = (await ask(1)).texts[0]!
  // Sessions come with their first use.
  await ask(SEQUENCES.at(-1)!)
  const samples: BatchSample[] = []
  for (let round = 0; round < rounds; round++) {
    for (const sequences of SEQUENCES) {
      const { texts, newTokens, milliseconds } = await ask(sequences)
      samples.push({ sequences, newTokens, milliseconds, sameText: texts.every((text) => text === alone) })
    }
  }
  return samples
}
