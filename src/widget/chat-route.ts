import { isEngineError } from '../contract/error'
import type { RouteReason, SettledRoute } from '../contract/route'

/** Why a router did not send. */
export function reasonOf(error: unknown): RouteReason | null {
  const reason = isEngineError(error) ? error.details['reason'] : undefined
  return typeof reason === 'string' ? (reason as RouteReason) : null
}

/** What there is to tell of an answer without a router. */
export function unrouted(id: string, model: string): SettledRoute {
  return {
    type: 'settled',
    id,
    source: { kind: 'local', model, verifiedBy: null },
    confidence: null,
    decision: {
      action: 'local',
      stage: 'rules',
      reason: 'no-remote',
      confidence: null,
      threshold: null,
      rule: null,
    },
    sent: [],
    cost: { spentUsd: 0, savedUsd: 0, priced: false },
    errorCode: null,
    human: false,
  }
}

/** Reasons that say nothing of the answer that stays. */
const NEVER_TRIED: ReadonlySet<RouteReason | null> = new Set(['no-consent', 'mode', 'rule', 'experiment'])

/**
 * Of an answer that was to be replaced and was not: the same, unconfirmed, with what was sent for that (`trace`).
 * @param error null where it was stopped
 */
export function keptRoute(
  route: SettledRoute | null,
  trace: SettledRoute | null,
  error: unknown,
): SettledRoute | null {
  if (route === null || NEVER_TRIED.has(reasonOf(error))) return route
  const kept = { ...route, sent: [...route.sent, ...(trace?.sent ?? [])] }
  if (error === null) return kept
  const spentUsd = route.cost.spentUsd + (trace?.cost.spentUsd ?? 0)
  const reason = reasonOf(error) ?? 'remote-failed'
  return {
    ...kept,
    source: { ...route.source, kind: 'unverified', verifiedBy: null },
    decision: { ...route.decision, action: 'local', stage: 'after', reason },
    cost: { ...route.cost, spentUsd },
    errorCode: isEngineError(error) ? error.code : 'internal',
  }
}
