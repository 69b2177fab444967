import { bootstrap, seededRandom, type Interval } from './metrics'
import { signalOf } from '../src/workbench/text-reader'
import type { BareModel } from '../src/workbench/node-open-model'

/** What reading every signal of every token adds to decoding. */
export interface Overhead {
  /** Median of pairs: time with signals over time without, minus 1. Below 0 is noise. */
  readonly share: number
  readonly interval: Interval
  readonly pairs: number
}

const STEPS = 8
const PAIRS = 80

/** Decodes the same tokens with and without reading their signals, in turns. */
export async function measureOverhead({ backend, tokenizer }: BareModel): Promise<Overhead> {
  const session = backend.createSession({ contextLength: 128 })
  const prompt = tokenizer.encode('The quick brown fox jumps over the lazy dog near the river, and then it')
  await session.forward(prompt)
  const time = async (read: boolean): Promise<number> => {
    session.truncate(prompt.length)
    const start = performance.now()
    let token = prompt[0]!
    const kept = []
    for (let step = 0; step < STEPS; step++) {
      const [logits] = await session.forward([token])
      token = logits!.argmax
      if (read) kept.push(signalOf(logits!, token))
    }
    return performance.now() - start
  }
  await time(true)
  const ratios: number[] = []
  for (let pair = 0; pair < PAIRS; pair++) {
    // Which comes first changes: a machine that warms up or slows down favours neither.
    const first = await time(pair % 2 === 0)
    const second = await time(pair % 2 === 1)
    ratios.push(pair % 2 === 0 ? first / second : second / first)
  }
  session.dispose()
  const median = (of: readonly number[]): number => of.toSorted((a, b) => a - b)[of.length >> 1]! - 1
  return {
    share: median(ratios),
    interval: bootstrap(ratios, median, seededRandom(37))!,
    pairs: PAIRS,
  }
}
