/** Why something failed. Compare these, never `instanceof`: errors cross the worker boundary as data. */
export type EngineErrorCode =
  | 'aborted' // the caller's signal fired; only used where no `signal.reason` exists
  | 'disposed' // used after dispose()
  | 'invalid-argument' // a parameter is of the wrong type or out of range
  | 'unsupported' // this device, file or option is not supported here; a fallback may be
  | 'invalid-model' // the bytes are not a well-formed model
  | 'integrity' // a hash or a size does not match the manifest
  | 'network' // a download or a request failed, or its connection broke
  | 'timeout' // a remote took too long; details.phase says in what
  | 'unauthorized' // a remote refused the key, or there is none
  | 'rate-limited' // a remote wants fewer requests; details.retryAfterMs where it says when to come back
  | 'quota-exceeded' // the account at a remote has no money or quota left
  | 'content-policy' // a remote refuses to answer such a text
  | 'unavailable' // a remote is out of order, or was so often that it is left alone for a while
  | 'invalid-response' // a remote answered something that is no answer
  | 'offline' // there is no network, and the policy wants a remote
  | 'forbidden' // policy, budget, consent or privacy do not let a request leave the device
  | 'out-of-memory' // the model or context does not fit
  | 'storage-full' // the browser gives no room to keep a model; details say how much was wanted
  | 'storage-busy' // another tab is using what should be changed
  | 'context-overflow' // the prompt does not fit the context
  | 'worker-lost' // the worker died
  | 'device-lost' // the GPU was lost, and nothing could take over
  | 'internal' // a bug in Minnow

/** Details an error carries across the worker boundary; structured-clone-safe. */
export type EngineErrorDetails = Record<string, string | number | boolean | null>

/** An error as it crosses a worker or a file: plain data. */
export interface EngineErrorData {
  code: EngineErrorCode
  message: string
  details: EngineErrorDetails
  stack?: string
}

/** The one error class of Minnow. `message` says what was got and what to do. */
export class EngineError extends Error {
  override readonly name = 'EngineError'
  readonly code: EngineErrorCode
  readonly details: EngineErrorDetails

  constructor(
    code: EngineErrorCode,
    message: string,
    options: { details?: EngineErrorDetails; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details ?? {}
  }

  toData(): EngineErrorData {
    const data: EngineErrorData = { code: this.code, message: this.message, details: this.details }
    if (this.stack !== undefined) data.stack = this.stack
    return data
  }

  static fromData(data: EngineErrorData): EngineError {
    const error = new EngineError(data.code, data.message, { details: data.details })
    if (data.stack !== undefined) error.stack = data.stack
    return error
  }
}

/** True for an `EngineError` of any realm (checked by shape), optionally of one code. */
export function isEngineError(value: unknown, code?: EngineErrorCode): value is EngineError {
  return (
    value instanceof Error &&
    value.name === 'EngineError' &&
    'code' in value &&
    (code === undefined || value.code === code)
  )
}
