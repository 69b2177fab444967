import type { BenchBrowser, BenchPage } from './browser'
import type { ChatMessage, LoadTimes } from './page/subject'
import { memoryOf, pssBytesOf, resetPeak } from './processes'

const QUESTION = 'Say hello.'
/** A few tokens. With a system message of its own, since the model's template would else put in a longer one. */
const SHORT_CHAT: readonly ChatMessage[] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: QUESTION },
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
 */
export async function measureLoading(browser: BenchBrowser, rounds: number): Promise<LoadSample[]> {
  const { page, close } = await browser.openPage()
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
  await close()
  return samples
}

export interface MemoryFigures {
  readonly threads: number
  /** Of all tensors in the model's file: the same whatever an engine makes of them. */
  readonly weightsBytes: number
  /** Of the idle page, before the engine loads. */
  readonly idleRssBytes: number
  /** Highest resident size while loading and answering. */
  readonly peakRssBytes: number
  /** Resident after the answer. */
  readonly settledRssBytes: number
  readonly settledPssBytes: number | null
}

export interface EnginePage extends BenchPage {
  readonly memory: MemoryFigures | null
}

/** Loads the embedded model as an application does, watches the renderer's memory, and leaves the engine open. */
export async function openEnginePage(
  browser: BenchBrowser,
  threads: number,
  weightsBytes: number,
): Promise<EnginePage> {
  const opened = await browser.openPage()
  const { page, rendererPid } = opened
  resetPeak(rendererPid)
  const idle = memoryOf(rendererPid)
  const info = await page.evaluate(
    (count) => bench.openEngine('/default-model/manifest.json', count),
    threads,
  )
  await page.evaluate((question) => bench.answer(question, 32, false), QUESTION)
  const settled = memoryOf(rendererPid)
  const memory =
    idle === null || settled === null
      ? null
      : {
          threads: info.threads,
          weightsBytes,
          idleRssBytes: idle.rssBytes,
          peakRssBytes: settled.peakRssBytes,
          settledRssBytes: settled.rssBytes,
          settledPssBytes: pssBytesOf(rendererPid),
        }
  return { ...opened, memory }
}
