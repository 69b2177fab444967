import type { FinishReason, TokenLogprob } from '../../contract/engine'
import type { EngineError } from '../../contract/error'
import type { Failures } from './failure'
import { asArray, asCount, asNumber, asRecord, asString, parseJson, type JsonRecord } from './json'
import { errorInAnswer } from './response-error'

/** What a provider counted. */
export interface TokenCounts {
  readonly prompt: number
  readonly completion: number
  readonly cached: number
}

/** A piece of a call: the pieces of one have its index; `arguments` go on from one to the next. */
export interface CallPart {
  readonly index: number
  readonly id: string | undefined
  readonly name: string | undefined
  readonly arguments: string
}

/** What one event of a stream says, checked; or a whole answer that was not streamed. */
export interface AnswerPart {
  readonly id: string | undefined
  readonly model: string | undefined
  /** Text that is shown. */
  readonly content: string
  /** Calls of tools; as they come over the wire, pieces of them. */
  readonly calls: readonly CallPart[]
  /** Thoughts that are not shown, or a call of a tool, came with it: the model is at work. */
  readonly thinks: boolean
  readonly finishReason: FinishReason | null
  readonly logprobs: TokenLogprob[] | null
  readonly counts: TokenCounts | undefined
}

/** Ids and names are shown and stored: no longer than this. */
const NAME_LENGTH = 200

/**
 * Reads `chat.completion.chunk` and `chat.completion` alike. Fields of wrong types count as absent.
 * @throws EngineError 'invalid-response' where the text is not such an object, or the error that it says
 */
export function readAnswerPart(text: string, failures: Failures): AnswerPart {
  const data = asRecord(parseJson(text))
  if (data === undefined) throw notAnAnswer(text, failures)
  const error = errorInAnswer(data, failures)
  if (error !== undefined) throw error
  const choices = asArray(data['choices'])
  const counts = readCounts(asRecord(data['usage']))
  if (choices === undefined && counts === undefined) throw notAnAnswer(text, failures)
  const choice = choices?.map(asRecord).find((entry) => (asCount(entry?.['index']) ?? 0) === 0)
  const delta = asRecord(choice?.['delta']) ?? asRecord(choice?.['message'])
  const calls = readCalls(asArray(delta?.['tool_calls']))
  return {
    id: asString(data['id'])?.slice(0, NAME_LENGTH),
    model: asString(data['model'])?.slice(0, NAME_LENGTH),
    content: asString(delta?.['content']) ?? asString(delta?.['refusal']) ?? '',
    calls,
    thinks:
      calls.length > 0 || Boolean(asString(delta?.['reasoning_content']) ?? asString(delta?.['reasoning'])),
    finishReason: readFinishReason(choice?.['finish_reason']),
    logprobs: readLogprobs(asRecord(choice?.['logprobs'])),
    counts,
  }
}

function notAnAnswer(text: string, failures: Failures): EngineError {
  return failures.make(
    'invalid-response',
    `sent what is no part of an answer: ${failures.quote(text.slice(0, 1000))}. Check the address.`,
  )
}

/** Reasons this library does not know end an answer as 'stop' does. */
function readFinishReason(value: unknown): FinishReason | null {
  if (typeof value !== 'string') return null
  return value === 'length' || value === 'content_filter' || value === 'tool_calls' ? value : 'stop'
}

/** A whole answer's calls have no index but their place. */
function readCalls(calls: readonly unknown[] = []): CallPart[] {
  return calls.flatMap((each, place) => {
    const call = asRecord(each)
    const called = asRecord(call?.['function'])
    if (called === undefined) return []
    return {
      index: asCount(call?.['index']) ?? place,
      id: asString(call?.['id'])?.slice(0, NAME_LENGTH),
      name: asString(called['name'])?.slice(0, NAME_LENGTH),
      arguments: asString(called['arguments']) ?? '',
    }
  })
}

function readCounts(usage: JsonRecord | undefined): TokenCounts | undefined {
  const prompt = asCount(usage?.['prompt_tokens'])
  const completion = asCount(usage?.['completion_tokens'])
  if (prompt === undefined || completion === undefined) return undefined
  const cached = asCount(asRecord(usage?.['prompt_tokens_details'])?.['cached_tokens']) ?? 0
  return { prompt, completion, cached: Math.min(cached, prompt) }
}

function readLogprobs(logprobs: JsonRecord | undefined): TokenLogprob[] | null {
  const tokens = asArray(logprobs?.['content'])
  return tokens === undefined ? null : tokens.flatMap((token) => readLogprob(asRecord(token)) ?? [])
}

function readLogprob(entry: JsonRecord | undefined): TokenLogprob | undefined {
  const token = asString(entry?.['token'])
  const logprob = asNumber(entry?.['logprob'])
  if (token === undefined || logprob === undefined) return undefined
  const bytes = asArray(entry?.['bytes'])?.flatMap((byte) => asCount(byte) ?? []) ?? null
  const alternatives = asArray(entry?.['top_logprobs']) ?? []
  const top = alternatives.flatMap((alternative) => readLogprob(asRecord(alternative)) ?? [])
  return { token, logprob, bytes, top_logprobs: top }
}
