import { isEngineError } from '../../contract/error'
import type { RemoteRetry } from './remote-options'

/** Statuses of 'unavailable' that do not pass by waiting: no such address or model, no such method. */
const LASTING = new Set([404, 405, 410, 501])

/** Whether the same request may succeed when it is sent again. */
export function isRetryable(error: unknown): boolean {
  if (!isEngineError(error)) return false
  const { code, details } = error
  if (code === 'network' || code === 'rate-limited') return true
  if (code === 'timeout') return details['phase'] !== 'total'
  const status = details['status']
  return code === 'unavailable' && typeof status === 'number' && !LASTING.has(status)
}

/** Whether it tells that the remote is out of order, in contrast to a request it does not like. */
export function isOutage(error: unknown): boolean {
  return ['network', 'timeout', 'unavailable', 'invalid-response'].some(
    (code) => isEngineError(error) && error.code === code,
  )
}

/**
 * Milliseconds to wait before the next request: at least what the provider asked for, and more at random, "full jitter"
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), so that many clients do not come back at
 * once. null: give up.
 * @param retry 1 before the first retry
 */
export function retryDelay(
  error: unknown,
  retry: number,
  { retries, baseMs, maxMs, maxRetryAfterMs }: Required<RemoteRetry>,
  random: () => number = Math.random,
): number | null {
  if (retry > retries || !isRetryable(error)) return null
  const asked = isEngineError(error) ? error.details['retryAfterMs'] : undefined
  const retryAfterMs = typeof asked === 'number' ? asked : 0
  if (retryAfterMs > maxRetryAfterMs) return null
  return retryAfterMs + random() * Math.min(maxMs, baseMs * 2 ** (retry - 1))
}
