import type { PromptMessage } from '../../contract/chat-messages'
import type { ChatCompletionParams } from '../../contract/engine'
import { EngineError } from '../../contract/error'
import type { SamplingSettings } from '../sampling/settings'
import { parseMessages } from './messages'
import { parseResponseFormat, type FixedFormat } from './response-format'
import { parseTools, type ToolSettings } from './tools'
import { describe, flag, invalid, isAbsent, isRecord, number, optional, record } from './values'

/** The parameters of a request, checked, with defaults filled in. */
export interface GenerationSettings {
  readonly messages: readonly PromptMessage[]
  /** null: no tools, or none may be called. */
  readonly tools: ToolSettings | null
  /** null: any text. */
  readonly format: FixedFormat | null
  readonly sampling: SamplingSettings
  /** null: what is left of the context. */
  readonly maxTokens: number | null
  readonly stop: readonly string[]
  /** Alternatives to report for each token; null: no log-probabilities. */
  readonly topLogprobs: number | null
  /** Answers to give. */
  readonly n: number
  readonly stream: boolean
  readonly includeUsage: boolean
  readonly continueAnswer: boolean
  readonly promptLookup: boolean
  readonly overflow: 'error' | 'slide'
  readonly tokenIds: boolean
  readonly signals: boolean
}

const KNOWN = new Set([
  'messages',
  'model',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'top_k',
  'min_p',
  'frequency_penalty',
  'presence_penalty',
  'repetition_penalty',
  'logit_bias',
  'seed',
  'stop',
  'n',
  'logprobs',
  'top_logprobs',
  'stream',
  'stream_options',
  'response_format',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'minnow',
])

/** Parameters of OpenAI's that another engine may know. */
const UNSUPPORTED = new Set([
  'functions',
  'function_call',
  'modalities',
  'audio',
  'prediction',
  'reasoning_effort',
  'web_search_options',
  'verbosity',
])

/** Parameters of OpenAI's that concern its service and not the answer. */
const IGNORED = new Set([
  'user',
  'store',
  'metadata',
  'service_tier',
  'safety_identifier',
  'prompt_cache_key',
  'prompt_cache_retention',
])

/**
 * Checks a request. null and undefined stand for the default everywhere.
 * @param randomSeed used where the request names none
 * Parameters that concern only OpenAI's service are passed over.
 * @throws EngineError 'invalid-argument' that names the parameter and what was got; 'unsupported' for parameters
 *   of OpenAI's that this engine lacks
 */
export function parseParams(
  params: ChatCompletionParams,
  vocabularySize: number,
  randomSeed: number,
): GenerationSettings {
  const given: unknown = params
  if (!isRecord(given)) throw invalid('params', 'an object', given)
  for (const name of Object.keys(given)) {
    if (KNOWN.has(name) || IGNORED.has(name) || isAbsent(given[name])) continue
    if (UNSUPPORTED.has(name)) {
      throw new EngineError(
        'unsupported',
        `The parameter '${name}' is not supported by this engine; leave it out.`,
        {
          details: { parameter: name, got: describe(given[name]) },
        },
      )
    }
    throw new EngineError(
      'invalid-argument',
      `There is no parameter '${name}' (got ${describe(given[name])}).`,
      {
        details: { parameter: name, got: describe(given[name]) },
      },
    )
  }
  optional(given['model'], 'model', 'a string', (value) => typeof value === 'string')
  const logprobs = flag(given, 'logprobs', false)
  const topLogprobs = number(given, 'top_logprobs', { least: 0, most: 20, integer: true })
  if (topLogprobs !== null && topLogprobs > 0 && !logprobs) {
    throw new EngineError('invalid-argument', `'top_logprobs' (got ${topLogprobs}) needs 'logprobs: true'.`, {
      details: { parameter: 'top_logprobs', got: String(topLogprobs) },
    })
  }
  const n = number(given, 'n', { least: 1, most: 128, integer: true }) ?? 1
  const streamOptions = record(given, 'stream_options', ['include_usage'])
  const minnow = record(given, 'minnow', [
    'continueAnswer',
    'promptLookup',
    'overflow',
    'tokenIds',
    'signals',
    'route',
  ])
  const overflow = minnow['overflow'] ?? 'error'
  if (overflow !== 'error' && overflow !== 'slide')
    throw invalid('minnow.overflow', "'error' or 'slide'", overflow)
  const tokenIds = flag(minnow, 'tokenIds', false, 'minnow.')
  const signals = flag(minnow, 'signals', false, 'minnow.')
  if (n > 1 && (tokenIds || signals)) {
    throw invalid('n', '1 with minnow.tokenIds or minnow.signals, which tell of one answer', n)
  }
  const messages = parseMessages(given['messages'])
  const continueAnswer = flag(minnow, 'continueAnswer', false, 'minnow.')
  if (continueAnswer && messages.at(-1)?.role !== 'assistant') {
    throw invalid('minnow.continueAnswer', "true only where the last message is the assistant's", true)
  }
  const tools = parseTools(given)
  const format = parseResponseFormat(given['response_format'])
  if (tools !== null && format !== null) {
    throw invalid('response_format', "{ type: 'text' } where tools may be called", given['response_format'])
  }
  if (continueAnswer && (tools !== null || format !== null)) {
    throw invalid('minnow.continueAnswer', 'false with tools or a response_format', true)
  }
  const maxTokens = { least: 1, most: Number.MAX_SAFE_INTEGER, integer: true }
  return {
    messages,
    tools,
    format,
    continueAnswer,
    sampling: {
      temperature: number(given, 'temperature', { least: 0, most: 100 }) ?? 1,
      topK: number(given, 'top_k', { least: 0, most: Number.MAX_SAFE_INTEGER, integer: true }) ?? 0,
      topP: number(given, 'top_p', { least: 0, most: 1 }) ?? 1,
      minP: number(given, 'min_p', { least: 0, most: 1 }) ?? 0,
      repetitionPenalty: number(given, 'repetition_penalty', { least: 0.01, most: 100 }) ?? 1,
      frequencyPenalty: number(given, 'frequency_penalty', { least: -2, most: 2 }) ?? 0,
      presencePenalty: number(given, 'presence_penalty', { least: -2, most: 2 }) ?? 0,
      logitBias: parseLogitBias(given['logit_bias'], vocabularySize),
      seed:
        number(given, 'seed', {
          least: Number.MIN_SAFE_INTEGER,
          most: Number.MAX_SAFE_INTEGER,
          integer: true,
        }) ?? randomSeed,
    },
    maxTokens: number(given, 'max_completion_tokens', maxTokens) ?? number(given, 'max_tokens', maxTokens),
    stop: parseStop(given['stop']),
    n,
    topLogprobs: logprobs ? (topLogprobs ?? 0) : null,
    stream: flag(given, 'stream', false),
    includeUsage: flag(streamOptions, 'include_usage', false, 'stream_options.'),
    promptLookup: flag(minnow, 'promptLookup', true, 'minnow.'),
    overflow,
    tokenIds,
    signals,
  }
}

function parseStop(value: unknown): string[] {
  if (isAbsent(value)) return []
  const stops: unknown[] = Array.isArray(value) ? value : [value]
  return stops.map((stop) => {
    if (typeof stop !== 'string' || stop === '')
      throw invalid('stop', 'a string or a list of them, none empty', value)
    return stop
  })
}

function parseLogitBias(value: unknown, vocabularySize: number): Map<number, number> {
  const biases = new Map<number, number>()
  if (isAbsent(value)) return biases
  if (!isRecord(value)) throw invalid('logit_bias', 'an object of token ids and biases', value)
  for (const [key, bias] of Object.entries(value)) {
    const id = /^\d{1,10}$/.test(key) ? Number(key) : Infinity
    if (id >= vocabularySize) {
      throw invalid('logit_bias', `token ids from 0 to ${vocabularySize - 1} as keys`, key)
    }
    if (typeof bias !== 'number' || !(bias >= -100 && bias <= 100)) {
      throw invalid(`logit_bias.${key}`, 'a number from -100 to 100', bias)
    }
    biases.set(id, bias)
  }
  return biases
}
