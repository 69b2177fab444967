import type { EngineError, EngineErrorCode, EngineErrorDetails } from '../../contract/error'
import type { Failures } from './failure'
import { asCount, asNumber, asRecord, asString, parseJson, type JsonRecord } from './json'

/** A provider's own words about what went wrong. */
interface ProviderError {
  readonly message: string
  /** Its codes and types, joined; for instance 'context_length_exceeded invalid_request_error'. */
  readonly kind: string
  /** An HTTP status said in the body: OpenRouter and llama.cpp do. */
  readonly status: number | undefined
}

const CONTEXT =
  /context_length_exceeded|exceed_context_size|maximum context length|(?:exceeds?|exceeded|larger than|longer than|over|beyond) [^.]{0,40}context|context (?:length|window|size)[^.]{0,40}(?:exceed|too)|prompt (?:is )?too long|too many (?:input )?tokens/i
const POLICY =
  /content_policy|content_filter|content policy|responsible.?ai|moderation|flagged|safety (?:system|filter)/i
const QUOTA = /insufficient_quota|insufficient (?:credits|balance|funds)|exceeded your current quota|billing/i

/**
 * The error that a response of another status than 2xx means, by its status and what its body says.
 * Bodies of OpenAI, OpenRouter, vLLM, llama.cpp, Ollama and FastAPI are understood; others are quoted.
 */
export function errorOfResponse(response: Response, body: string, failures: Failures): EngineError {
  const provider = readProviderError(parseJson(body)) ?? {
    message: plainText(body),
    kind: '',
    status: undefined,
  }
  const retryAfterMs = readRetryAfter(response.headers, Date.now())
  return errorOf(response.status, provider, failures, retryAfterMs)
}

/** The error inside an answer that began well, with status 200; undefined where the data hold none. */
export function errorInAnswer(data: unknown, failures: Failures): EngineError | undefined {
  const record = asRecord(data)
  if (record === undefined || !('error' in record) || record['error'] === null) return undefined
  const provider = readProviderError(record)
  if (provider === undefined) return undefined
  return errorOf(provider.status ?? 500, provider, failures, null)
}

function errorOf(
  status: number,
  provider: ProviderError,
  failures: Failures,
  retryAfterMs: number | null,
): EngineError {
  const details: EngineErrorDetails = { status }
  if (provider.kind !== '') details['kind'] = provider.kind
  if (retryAfterMs !== null) details['retryAfterMs'] = retryAfterMs
  const said = provider.message === '' ? '' : `: ${failures.quote(provider.message)}`
  const code = codeOf(status, provider)
  return failures.make(code, `answered with status ${status}${said}. ${ADVICE[code] ?? ''}`.trim(), details)
}

const ADVICE: Partial<Record<EngineErrorCode, string>> = {
  unauthorized: 'Check the key and what it may do.',
  'rate-limited': 'Send fewer requests or try again later.',
  'quota-exceeded': 'Check the account at the provider.',
  'context-overflow': 'Send a shorter prompt or use a model with a longer context.',
  'content-policy': 'The provider does not answer such a text.',
  unavailable: 'Try again later; if it stays so, check the address and the model.',
  'invalid-argument': 'Change the request.',
}

function codeOf(status: number, { message, kind }: ProviderError): EngineErrorCode {
  const words = `${kind} ${message}`
  if (status === 401) return 'unauthorized'
  if (status === 402) return 'quota-exceeded'
  if (status === 429) return QUOTA.test(words) ? 'quota-exceeded' : 'rate-limited'
  // llama.cpp of some versions says so with 500.
  if (CONTEXT.test(words) || status === 413) return 'context-overflow'
  if (status >= 400 && status < 500 && POLICY.test(words)) return 'content-policy'
  if (status === 403) return 'unauthorized'
  // 404 is an address or a model that is gone: another remote may have it.
  if (status === 404 || status === 408 || status === 410 || status === 425 || status >= 500)
    return 'unavailable'
  return status >= 400 ? 'invalid-argument' : 'invalid-response'
}

function readProviderError(data: unknown): ProviderError | undefined {
  const outer = asRecord(data)
  if (outer === undefined) return undefined
  // {error: {...}} of most, {error: "..."} of Ollama, {message, type, code} of older vLLM, {detail} of FastAPI.
  const inner: JsonRecord = asRecord(outer['error']) ?? outer
  const message =
    asString(inner['message']) ??
    asString(inner['error']) ??
    asString(inner['detail']) ??
    asString(outer['message'])
  if (message === undefined && inner === outer) return undefined
  const metadata = asRecord(inner['metadata'])
  const kinds = [inner['code'], inner['type'], asRecord(inner['innererror'])?.['code']].filter(
    (kind): kind is string => typeof kind === 'string',
  )
  // OpenRouter: what the provider behind it said, and why a text was flagged.
  const raw = asString(metadata?.['raw'])
  if (Array.isArray(metadata?.['reasons'])) kinds.push('moderation')
  const status = asCount(inner['code']) ?? Number(asString(inner['code']))
  return {
    message: [message, raw].filter(Boolean).join(' – '),
    kind: kinds.join(' '),
    status: status >= 400 && status < 600 ? status : undefined,
  }
}

/** What a person would read of an HTML page: its title where it has one. */
export function plainText(body: string): string {
  const title = /<title[^>]*>([^<]*)<\/title>/i.exec(body)?.[1]
  return (title ?? body.replaceAll(/<(style|script)\b[\s\S]*?<\/\1\s*>|<[^>]*>/gi, ' ')).trim()
}

/** `retry-after` in seconds or as a date (RFC 9110, 10.2.3), or `retry-after-ms` of OpenAI and Azure; null where absent. */
export function readRetryAfter(headers: Headers, now: number): number | null {
  const milliseconds = headers.get('retry-after-ms')
  if (milliseconds !== null && /^\d+(\.\d+)?$/.test(milliseconds))
    return asNumber(Number(milliseconds)) ?? null
  const value = headers.get('retry-after')?.trim()
  if (value === undefined) return null
  if (/^\d+(\.\d+)?$/.test(value)) return asNumber(Number(value) * 1000) ?? null
  // Only dates with names: Date.parse takes "-5" and "7 apples" for dates as well.
  const date = /^[A-Z][a-z]{2,8},? .*\d{2}:\d{2}:\d{2}/.test(value) ? Date.parse(value) : NaN
  return Number.isNaN(date) ? null : Math.max(0, date - now)
}
