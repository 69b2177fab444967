import { EngineError, type EngineErrorCode, type EngineErrorDetails } from '../../contract/error'
import type { Secrets } from './secrets'

/** What a provider wrote may be long; this much of it goes into a message. */
const QUOTE_LENGTH = 300

/**
 * Makes the errors of one remote. Nothing gets into them unscrubbed, and no foreign error becomes a `cause`: those of
 * `fetch` can quote headers.
 */
export class Failures {
  readonly #name: string
  readonly #secrets: Secrets

  constructor(name: string, secrets: Secrets) {
    this.#name = name
    this.#secrets = secrets
  }

  /** @param problem a sentence about the remote, without its name, and what to do */
  make(code: EngineErrorCode, problem: string, details: EngineErrorDetails = {}): EngineError {
    const clean = Object.entries(details).map(([key, value]): [string, EngineErrorDetails[string]] => [
      key,
      typeof value === 'string' ? this.quote(value) : value,
    ])
    return new EngineError(code, this.#secrets.scrub(`${this.#name} ${problem}`), {
      details: { remote: this.#name, ...Object.fromEntries(clean) },
    })
  }

  /** Foreign text in one line, short and without keys. */
  quote(text: string): string {
    const line = this.#secrets.scrub(text).replaceAll(/\s+/g, ' ').trim()
    return line.length > QUOTE_LENGTH ? `${line.slice(0, QUOTE_LENGTH - 1)}…` : line
  }

  /** The words of anything thrown, with what Node hides in `cause`. */
  reason(thrown: unknown): string {
    if (!(thrown instanceof Error)) return this.quote(String(thrown))
    const { cause } = thrown
    return this.quote(cause instanceof Error ? `${thrown.message}: ${cause.message}` : thrown.message)
  }
}
