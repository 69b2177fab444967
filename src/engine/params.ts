import type { ChatCompletionParams, ChatMessage } from '../contract/engine'
import { EngineError } from '../contract/error'
import type { SamplingSettings } from './sampling/settings'

/** The parameters of a request, checked, with defaults filled in. */
export interface GenerationSettings {
  readonly messages: readonly ChatMessage[]
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
  'minnow',
])

/** Parameters of OpenAI's that another engine may know. */
const UNSUPPORTED = new Set([
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'functions',
  'function_call',
  'response_format',
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

const ROLES = new Set(['system', 'user', 'assistant'])

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
  const maxTokens = { least: 1, most: Number.MAX_SAFE_INTEGER, integer: true }
  return {
    messages,
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

function parseMessages(value: unknown): ChatMessage[] {
  if (!Array.isArray(value) || value.length === 0)
    throw invalid('messages', 'a list of at least one message', value)
  return value.map((message: unknown, index) => {
    const name = `messages[${index}]`
    if (!isRecord(message)) throw invalid(name, 'an object with role and content', message)
    const { role, content } = message
    if (typeof role !== 'string' || !ROLES.has(role)) {
      throw invalid(`${name}.role`, "'system', 'user' or 'assistant'", role)
    }
    if (typeof content !== 'string') throw invalid(`${name}.content`, 'a string', content)
    return { role: role as ChatMessage['role'], content }
  })
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

/** null where the parameter is absent. */
function number(
  given: Record<string, unknown>,
  name: string,
  range: { least: number; most: number; integer?: boolean },
): number | null {
  const value = given[name]
  if (isAbsent(value)) return null
  const fits =
    typeof value === 'number' &&
    value >= range.least &&
    value <= range.most &&
    (range.integer !== true || Number.isInteger(value))
  if (!fits) {
    const kind = range.integer === true ? 'a whole number' : 'a number'
    const bounds =
      range.most === Number.MAX_SAFE_INTEGER
        ? range.least === Number.MIN_SAFE_INTEGER
          ? ' within ±(2^53 − 1)'
          : ` of at least ${range.least}`
        : ` from ${range.least} to ${range.most}`
    throw invalid(name, kind + bounds, value)
  }
  return value
}

function flag(given: Record<string, unknown>, name: string, fallback: boolean, prefix = ''): boolean {
  const value = given[name]
  if (isAbsent(value)) return fallback
  if (typeof value !== 'boolean') throw invalid(prefix + name, 'true or false', value)
  return value
}

function record(
  given: Record<string, unknown>,
  name: string,
  fields: readonly string[],
): Record<string, unknown> {
  const value = given[name]
  if (isAbsent(value)) return {}
  if (!isRecord(value)) throw invalid(name, 'an object', value)
  for (const field of Object.keys(value)) {
    if (!fields.includes(field) && !isAbsent(value[field])) {
      throw invalid(`${name}.${field}`, `nothing by that name (known: ${fields.join(', ')})`, value[field])
    }
  }
  return value
}

function optional(value: unknown, name: string, expected: string, check: (value: unknown) => boolean): void {
  if (!isAbsent(value) && !check(value)) throw invalid(name, expected, value)
}

function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(name: string, expected: string, got: unknown): EngineError {
  return new EngineError('invalid-argument', `'${name}' must be ${expected}; got ${describe(got)}.`, {
    details: { parameter: name, got: describe(got) },
  })
}

/** A value as a short piece of text for a message. */
function describe(value: unknown): string {
  let text: string
  if (typeof value === 'string') text = JSON.stringify(value)
  else if (Array.isArray(value)) text = `a list of ${value.length}`
  else if (typeof value === 'function') text = 'a function'
  else if (typeof value === 'object' && value !== null) text = 'an object'
  else text = String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
