import type { BenchPage } from './browser'
import type { ChatMessage, LoadTimes } from './page/subject'

/** A few tokens. With a system message of its own, since the model's template would else put in a longer one. */
const SHORT_CHAT: readonly ChatMessage[] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Say hello.' },
]

export interface LoadSample extends LoadTimes {
  readonly engine: 'minnow' | 'wllama'
  readonly threads: number
  readonly totalMs: number
}

/**
 * From the GGUF's bytes in a Blob (both libraries take one) to the first piece of the answer to a short chat
 * message. Scripts and WASM come from the HTTP cache after the first time; with more than one round, that first
 * one, where each also compiles its code, is left out for both.
 * @param page where both engines are left open
 */
export async function measureLoading({ page }: BenchPage, rounds: number): Promise<LoadSample[]> {
  const samples: LoadSample[] = []
  await page.evaluate(() => bench.fetchModel('/models/smollm2-q4_1.gguf'))
  const warmUps = rounds > 1 ? 1 : 0
  for (let round = -warmUps; round < rounds; round++) {
    for (const engine of ['minnow', 'wllama'] as const) {
      const times = await page.evaluate(([kind, messages]) => bench.timeLoad(kind, 1, messages), [
        engine,
        SHORT_CHAT,
      ] as const)
      if (round >= 0)
        samples.push({ engine, threads: 1, ...times, totalMs: times.loadMs + times.firstTokenMs })
    }
  }
  return samples
}
