import { EngineError, isEngineError } from '../contract/error'
import type { RouteReason } from '../contract/route'

const WORDS: Partial<Record<RouteReason, string>> = {
  mode: 'it is to be answered on this device only',
  rule: 'a rule of the policy keeps it on this device',
  experiment: 'an experiment of the policy keeps it on this device',
  'no-remote': 'no remote is configured. Pass one, or choose another mode',
  'no-consent': 'the user did not agree to send it',
  'scan-failed': 'the scan for personal data failed, so nothing was sent',
  'personal-data': 'it holds personal data, which the policy keeps on the device',
  budget: 'the money set aside is spent, or a ceiling is set and no price is known',
  latency: 'the remote is slower than the ceiling of this request',
  private: 'it is labelled private',
}

/** Why nobody answered, for the caller. `failure` is what went wrong on the way, if something did. */
export function notSentError(reason: RouteReason, failure: unknown): EngineError {
  const isOffline = reason === 'offline'
  return new EngineError(
    isOffline ? 'offline' : 'forbidden',
    isOffline
      ? 'There is no network, and only a remote may answer this request.'
      : `The request was not sent: ${WORDS[reason] ?? reason}.`,
    { details: { reason }, cause: failure },
  )
}

/** Our own last look at a request stops it with a reason; everything else is the remote's failure. */
export function whyStopped(error: unknown): RouteReason {
  if (!isEngineError(error, 'forbidden')) return 'remote-failed'
  const { reason } = error.details
  return reason === 'scan-failed' || reason === 'no-consent' ? reason : 'personal-data'
}
