import { EngineError } from '../../contract/error'
import type { Price } from '../../contract/route'
import type { ReadLimits } from './read-events'

/** Called before every request; short-lived tokens can be renewed here. */
export type KeySource = (options: { signal: AbortSignal }) => string | Promise<string>

/** Milliseconds; Infinity for no limit. */
export interface RemoteTimeouts {
  /** From sending a request until its response begins. Default 30,000: some servers begin with the first token. */
  connectMs?: number
  /** From sending a request until the first token, hidden thoughts included. Default 60,000. */
  firstTokenMs?: number
  /** From one token to the next. Default 30,000. */
  betweenTokensMs?: number
  /** The whole call: waiting, retries and answer. Default 300,000. */
  totalMs?: number
}

export interface RemoteRetry {
  /** Further requests after the first one fails, and before any text is there. Default 2. */
  retries?: number
  /** The wait is random between 0 and this, doubled for each retry ("full jitter"). Default 500. */
  baseMs?: number
  /** Most of that wait. Default 8,000. */
  maxMs?: number
  /** A provider that wants a longer wait than this (`retry-after`) is given up on at once. Default 20,000. */
  maxRetryAfterMs?: number
}

export interface RemoteBreaker {
  /** So many failures in a row, and no request is sent for a while. Default 5. */
  failures?: number
  /** For how long; then one request is let through to try. Doubles while that fails, up to sixteenfold. Default 10,000. */
  restMs?: number
}

/** Parameters that OpenAI does not have, or whose token ids are a model's own. */
export type ExtraParameter = 'top_k' | 'min_p' | 'repetition_penalty' | 'logit_bias'

export interface RemoteEngineOptions {
  /** Up to and without `/chat/completions`; for instance `https://openrouter.ai/api/v1`. In a page it may be relative. */
  baseUrl: string
  /** The model to ask; a request's own `model` is not heeded, as it may name a local one. */
  model: string
  /** For people, in errors and in the ledger. Default: the host. */
  name?: string
  /** Sent as `Authorization: Bearer …`. Never stored, and taken out of every error. Default: none. */
  apiKey?: string | KeySource
  /** Sent with every request, for instance `HTTP-Referer` and `X-Title` of OpenRouter or `api-key` of Azure. */
  headers?: Readonly<Record<string, string>>
  /** Added to the body of every request, for instance `{ provider: { data_collection: 'deny' } }`. */
  body?: Readonly<Record<string, unknown>>
  /** What this server calls the bound of new tokens. Default 'max_tokens'; newer models of OpenAI want the other. */
  maxTokensField?: 'max_tokens' | 'max_completion_tokens'
  /** Parameters sent although OpenAI lacks them. Default: none; they are left out. */
  extraParameters?: readonly ExtraParameter[]
  /** Tokens. Default: not known. */
  contextLength?: number
  price?: Price
  timeouts?: RemoteTimeouts
  retry?: RemoteRetry
  breaker?: RemoteBreaker
  /** Requests at a time; further ones wait. Default 4. */
  concurrency?: number
  limits?: {
    /** Characters of one event of a stream. Default 1,048,576. */
    eventCharacters?: number
    /** Bytes of a whole answer. Default 16,777,216. */
    answerBytes?: number
  }
  /** Allow a key over http to another machine: everybody on the way can read it. Default false. */
  allowPlainHttp?: boolean
}

/** All of it, checked and with defaults. */
export interface RemoteSettings {
  readonly name: string
  readonly model: string
  readonly chatUrl: URL
  readonly modelsUrl: URL
  readonly apiKey: string | KeySource | null
  readonly headers: Readonly<Record<string, string>>
  readonly body: Readonly<Record<string, unknown>>
  readonly maxTokensField: 'max_tokens' | 'max_completion_tokens'
  readonly extraParameters: readonly ExtraParameter[]
  readonly contextLength: number
  readonly price: Price | null
  readonly timeouts: Readonly<Required<RemoteTimeouts>>
  readonly retry: Readonly<Required<RemoteRetry>>
  readonly breaker: Readonly<Required<RemoteBreaker>>
  readonly concurrency: number
  readonly limits: ReadLimits
}

const TIMEOUTS = { connectMs: 30_000, firstTokenMs: 60_000, betweenTokensMs: 30_000, totalMs: 300_000 }
const RETRY = { retries: 2, baseMs: 500, maxMs: 8000, maxRetryAfterMs: 20_000 }
const BREAKER = { failures: 5, restMs: 10_000 }
const LIMITS = { eventCharacters: 2 ** 20, answerBytes: 2 ** 24 }
/** Timers of browsers and Node hold no more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** @throws EngineError 'invalid-argument' that names the option, and never a key */
export function checkRemoteOptions(options: RemoteEngineOptions): RemoteSettings {
  const base = baseUrl(options.baseUrl)
  const { model, apiKey = null, headers = {}, maxTokensField = 'max_tokens' } = options
  if (typeof model !== 'string' || model === '') {
    throw invalid('model must be the name of a model, as the provider spells it')
  }
  if (apiKey !== null && typeof apiKey !== 'function') checkHeaderValue('apiKey', apiKey)
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name)) throw invalid('headers holds a name that is no header name')
    checkHeaderValue(`headers['${name}']`, value)
  }
  const hasKey = apiKey !== null || Object.keys(headers).some(isSecretHeader)
  if (hasKey && base.protocol === 'http:' && !isLoopback(base) && options.allowPlainHttp !== true) {
    throw invalid(
      `${base.origin} is not encrypted and everybody on the way could read the key: use https, or set allowPlainHttp`,
    )
  }
  return {
    name: options.name ?? base.host,
    model,
    chatUrl: endpoint(base, 'chat/completions'),
    modelsUrl: endpoint(base, 'models'),
    apiKey,
    headers,
    body: options.body ?? {},
    maxTokensField,
    extraParameters: options.extraParameters ?? [],
    contextLength: count('contextLength', options.contextLength, Infinity),
    price: options.price ?? null,
    timeouts: numbers('timeouts', options.timeouts, TIMEOUTS),
    retry: numbers('retry', options.retry, RETRY),
    breaker: numbers('breaker', options.breaker, BREAKER),
    concurrency: count('concurrency', options.concurrency, 4),
    limits: numbers('limits', options.limits, LIMITS),
  }
}

/** Whether a header's value must not be shown. */
export function isSecretHeader(name: string): boolean {
  return /key|token|auth|secret|cookie|password/i.test(name)
}

/** Without its query, which may hold a key. */
export function shownUrl(url: URL): string {
  return url.origin + url.pathname
}

/** What `fetch` would refuse, refused here: its own errors quote the value. */
export function isHeaderValue(value: unknown): value is string {
  return typeof value === 'string' && /^[\x20-\x7e]+$/.test(value) && value === value.trim()
}

function checkHeaderValue(name: string, value: unknown): void {
  if (isHeaderValue(value)) return
  throw invalid(
    `${name} must be a string of visible ASCII characters without line breaks (its value is not shown)`,
  )
}

function baseUrl(given: string): URL {
  const page = 'location' in globalThis ? globalThis.location.href : undefined
  const url = typeof given === 'string' && URL.canParse(given, page) ? new URL(given, page) : null
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw invalid('baseUrl must be an address that starts with https:// (or http:// on this machine)')
  }
  if (url.username !== '' || url.password !== '') {
    throw invalid('baseUrl must not hold a name or password: give the key as apiKey')
  }
  return url
}

/** The query stays: Azure wants `?api-version=…`. */
function endpoint(base: URL, path: string): URL {
  const url = new URL(base)
  url.pathname = `${base.pathname.replace(/\/+$/, '')}/${path}`
  url.hash = ''
  return url
}

function isLoopback({ hostname }: URL): boolean {
  return /^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname)
}

function count(name: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback
  if (value === Infinity || (Number.isInteger(value) && value > 0)) return value
  throw invalid(`${name} must be a whole number above 0`)
}

function numbers<Key extends string>(
  name: string,
  given: Partial<Record<Key, number>> | undefined,
  fallback: Readonly<Record<Key, number>>,
): Record<Key, number> {
  const result: Record<Key, number> = { ...fallback }
  for (const key of Object.keys(fallback) as Key[]) {
    const value = given?.[key] ?? fallback[key]
    if (typeof value !== 'number' || !(value >= 0))
      throw invalid(`${name}.${key} must be a number of at least 0`)
    result[key] = key.endsWith('Ms') && value !== Infinity ? Math.min(value, LONGEST_TIMER_MS) : value
  }
  return result
}

function invalid(problem: string): EngineError {
  return new EngineError('invalid-argument', `createRemoteEngine(): ${problem}.`)
}
