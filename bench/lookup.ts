import type { BenchPage } from './browser'
import { LOOKUP_PROMPTS } from './lookup-prompts'
import type { AnswerFigures } from './page/minnow-subject'

export interface LookupSample {
  readonly prompt: string
  readonly threads: number
  readonly with: AnswerFigures
  readonly without: AnswerFigures
  readonly sameText: boolean
}

/**
 * The same questions with and without prompt lookup, in turns, in the engine that is open in the page. Times are means
 * over the rounds; who goes first alternates, since the second finds the prompt in the cache and a warmer processor.
 */
export async function measureLookup(
  { page }: BenchPage,
  options: { threads: number; prompts: number; rounds: number; maxTokens: number },
): Promise<LookupSample[]> {
  const { threads, prompts, rounds, maxTokens } = options
  const samples: LookupSample[] = []
  const ask = (text: string, promptLookup: boolean): Promise<AnswerFigures> =>
    page.evaluate(([question, limit, isOn]) => bench.answer(question, limit, isOn), [
      text,
      maxTokens,
      promptLookup,
    ] as const)
  for (const [index, { name, text }] of LOOKUP_PROMPTS.slice(0, prompts).entries()) {
    const withLookup: AnswerFigures[] = []
    const without: AnswerFigures[] = []
    for (let round = 0; round < rounds; round++) {
      const isWithFirst = (index + round) % 2 === 0
      for (const isWith of [isWithFirst, !isWithFirst]) {
        ;(isWith ? withLookup : without).push(await ask(text, isWith))
      }
    }
    samples.push({
      prompt: name,
      threads,
      with: meanTime(withLookup),
      without: meanTime(without),
      sameText: new Set([...withLookup, ...without].map((answer) => answer.text)).size === 1,
    })
  }
  return samples
}

/** The last answer with the mean of all times. */
function meanTime(answers: readonly AnswerFigures[]): AnswerFigures {
  const decodeMs = answers.reduce((sum, answer) => sum + answer.decodeMs, 0) / answers.length
  return { ...answers.at(-1)!, decodeMs }
}
