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

/** The same questions with and without prompt lookup, in turns, in the engine that is open in the page. */
export async function measureLookup(
  { page }: BenchPage,
  options: { threads: number; prompts: number; maxTokens: number },
): Promise<LookupSample[]> {
  const { threads, prompts, maxTokens } = options
  const samples: LookupSample[] = []
  const ask = (text: string, promptLookup: boolean): Promise<AnswerFigures> =>
    page.evaluate(([question, limit, isOn]) => bench.answer(question, limit, isOn), [
      text,
      maxTokens,
      promptLookup,
    ] as const)
  for (const [index, { name, text }] of LOOKUP_PROMPTS.slice(0, prompts).entries()) {
    // Who goes first alternates: the second finds the prompt in the cache (which decode times leave out).
    const isWithFirst = index % 2 === 0
    const first = await ask(text, isWithFirst)
    const second = await ask(text, !isWithFirst)
    const [withLookup, without] = isWithFirst ? [first, second] : [second, first]
    samples.push({
      prompt: name,
      threads,
      with: withLookup,
      without,
      sameText: withLookup.text === without.text,
    })
  }
  return samples
}
