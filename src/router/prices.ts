import type { EngineInfo } from '../contract/engine'
import type { Price } from '../contract/route'

/** What remotes charge, by model, where they do not tell it themselves. */
export type PriceTable = (model: string) => Price | null

export type Rates = Pick<Price, 'inputPerMillion' | 'outputPerMillion'>

/** What an engine charges where `model` answers, which of several as one may be any; null where that is not known. */
export function priceOf(info: EngineInfo, table: PriceTable, model = info.model): Price | null {
  const answerer = answerersOf(info).find((each) => each.model === model)
  return answerer?.price ?? table(model)
}

/**
 * The most a call can be charged: the answer of the dearest that may give it, and the prompt by each request of
 * each that may be asked before. null where the price of one of them is not known.
 */
export function ceilingOf(info: EngineInfo, table: PriceTable): Rates | null {
  const ceiling = { inputPerMillion: 0, outputPerMillion: 0 }
  for (const member of answerersOf(info)) {
    const price = member.price ?? table(member.model)
    if (price === null) return null
    ceiling.inputPerMillion += price.inputPerMillion * (member.mostRequests ?? 1)
    ceiling.outputPerMillion = Math.max(ceiling.outputPerMillion, price.outputPerMillion)
  }
  return ceiling
}

/** Every engine that may answer a call of this one. */
export function answerersOf(info: EngineInfo): readonly EngineInfo[] {
  return info.members?.flatMap(answerersOf) ?? [info]
}
