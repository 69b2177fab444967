import { isEngineError, type EngineErrorCode } from '../../contract/error'

/** Why a remote could not answer, as far as another may. */
export type FallbackCause =
  /** The prompt is too long for its context. */
  | 'context'
  /** It refuses to answer such a text. */
  | 'policy'
  /** It wants fewer requests, or the account is empty. */
  | 'rate-limit'
  /** It cannot be reached, hangs, is out of order, answers nonsense or refuses the key. */
  | 'outage'

const CAUSES: Partial<Record<EngineErrorCode, FallbackCause>> = {
  'context-overflow': 'context',
  'content-policy': 'policy',
  'rate-limited': 'rate-limit',
  'quota-exceeded': 'rate-limit',
  network: 'outage',
  timeout: 'outage',
  unavailable: 'outage',
  'invalid-response': 'outage',
  unauthorized: 'outage',
}

/** null: no other remote would do better. */
export function fallbackCause(error: unknown): FallbackCause | null {
  return isEngineError(error) ? (CAUSES[error.code] ?? null) : null
}
