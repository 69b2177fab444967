import { EngineError, isEngineError, type EngineErrorCode } from '../contract/error'

/** The body of an error, as OpenAI's interface has it. */
export interface ErrorBody {
  error: { message: string; type: string; param: string | null; code: string | null }
}

/** An error that only HTTP knows. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly status: number
  readonly code: string | null
  readonly parameter: string | null
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    message: string,
    options: { code?: string; parameter?: string; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message)
    this.status = status
    this.code = options.code ?? null
    this.parameter = options.parameter ?? null
    this.headers = options.headers ?? {}
  }
}

interface Meaning {
  readonly status: number
  readonly type: string
  /** OpenAI's code, where it has one for this. Default: ours. */
  readonly code?: string
}

const SERVER = { status: 500, type: 'server_error' }
const REQUEST = { status: 400, type: 'invalid_request_error' }
const UNAVAILABLE = { status: 503, type: 'server_error' }
const BAD_GATEWAY = { status: 502, type: 'server_error' }

const MEANINGS: Readonly<Record<EngineErrorCode, Meaning>> = {
  // The client has left: nobody reads it.
  aborted: { status: 499, type: 'server_error' },
  disposed: UNAVAILABLE,
  'invalid-argument': { ...REQUEST, code: 'invalid_value' },
  unsupported: { ...REQUEST, code: 'unsupported_parameter' },
  'invalid-model': SERVER,
  integrity: SERVER,
  network: BAD_GATEWAY,
  timeout: { status: 504, type: 'server_error' },
  unauthorized: { status: 401, type: 'invalid_request_error', code: 'invalid_api_key' },
  'rate-limited': { status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded' },
  'quota-exceeded': { status: 429, type: 'insufficient_quota', code: 'insufficient_quota' },
  'content-policy': { ...REQUEST, code: 'content_filter' },
  unavailable: UNAVAILABLE,
  'invalid-response': BAD_GATEWAY,
  offline: UNAVAILABLE,
  forbidden: { status: 403, type: 'invalid_request_error' },
  'out-of-memory': UNAVAILABLE,
  'storage-busy': UNAVAILABLE,
  'storage-full': UNAVAILABLE,
  'context-overflow': { ...REQUEST, code: 'context_length_exceeded' },
  'worker-lost': UNAVAILABLE,
  'device-lost': UNAVAILABLE,
  internal: SERVER,
}

/** What went wrong, in OpenAI's form. */
export function errorBody(error: unknown): ErrorBody {
  if (error instanceof HttpError) {
    const { message, code, parameter } = error
    return { error: { message, type: 'invalid_request_error', param: parameter, code } }
  }
  const { code, message, details } = toEngineError(error)
  const { type, code: theirs } = MEANINGS[code]
  const parameter = details['parameter']
  return {
    error: { message, type, param: typeof parameter === 'string' ? parameter : null, code: theirs ?? code },
  }
}

export function errorResponse(error: unknown): Response {
  const body = errorBody(error)
  if (error instanceof HttpError) {
    return Response.json(body, { status: error.status, headers: { ...error.headers } })
  }
  const { code, details } = toEngineError(error)
  const headers = new Headers()
  const retryAfterMs = details['retryAfterMs']
  if (typeof retryAfterMs === 'number') headers.set('retry-after', String(Math.ceil(retryAfterMs / 1000)))
  return Response.json(body, { status: MEANINGS[code].status, headers })
}

/** What an engine did not foresee is told without its words, which may hold anything. */
function toEngineError(error: unknown): EngineError {
  if (isEngineError(error)) return error
  const isAbort = error instanceof Error && error.name === 'AbortError'
  return isAbort
    ? new EngineError('aborted', 'The request was stopped.')
    : new EngineError('internal', 'The engine failed in a way that was not foreseen.')
}
