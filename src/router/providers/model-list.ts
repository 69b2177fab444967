import type { RemoteModel } from '../../contract/remote'
import type { Price } from '../../contract/route'
import { asArray, asCount, asRecord, asString, type JsonRecord } from './json'

/** More are not listed: nobody reads them. OpenRouter has some hundreds. */
const MOST_MODELS = 10_000

/**
 * Reads OpenAI's list, with what OpenRouter, vLLM and llama.cpp add: the context's length and prices.
 * @param now for the date of the prices
 * @returns undefined where it is no such list
 */
export function readModelList(data: unknown, now: Date): RemoteModel[] | undefined {
  const entries = asArray(asRecord(data)?.['data'])
  return entries?.slice(0, MOST_MODELS).flatMap((entry) => {
    const model = asRecord(entry)
    const id = asString(model?.['id'])
    if (model === undefined || id === undefined) return []
    return [{ id, contextLength: readContextLength(model), price: readPrice(model, now) }]
  })
}

function readContextLength(model: JsonRecord): number | null {
  return (
    asCount(model['context_length']) ??
    asCount(model['max_model_len']) ??
    asCount(asRecord(model['meta'])?.['n_ctx']) ??
    asCount(asRecord(model['meta'])?.['n_ctx_train']) ??
    null
  )
}

/** OpenRouter gives US dollars a token, as decimal strings; −1 where it depends. */
function readPrice(model: JsonRecord, now: Date): Price | null {
  const pricing = asRecord(model['pricing'])
  const [input, output] = [pricing?.['prompt'], pricing?.['completion']].map((price) =>
    typeof price === 'string' && price.trim() !== '' ? Number(price) * 1e6 : NaN,
  )
  if (!(input! >= 0 && output! >= 0)) return null
  return { inputPerMillion: input!, outputPerMillion: output!, date: now.toISOString().slice(0, 10) }
}
