import type { Engine } from '../../contract/engine'
import type { FallbackCause } from './fallback'

/** How the remotes of a pool take turns. The order of the list breaks ties and decides who comes after. */
export type PoolStrategy =
  /** Always the first that works. */
  | 'ordered'
  /** At random, by weight. */
  | 'weighted'
  /** The one whose first token came soonest lately; those not known come first. */
  | 'least-latency'

/** An engine of a pool, and what is known of it. */
export interface Member {
  readonly engine: Engine
  /** Above 0. */
  readonly weight: number
  /** Only asked after another failed for one of these; null: asked in turn. */
  readonly only: readonly FallbackCause[] | null
  /** Smoothed time to the first token. */
  latencyMs: number | null
  measuredAt: number
  /** performance.now() until which it wants no requests. */
  restsUntil: number
}

/** How much a new measurement counts. */
const NEWEST_SHARE = 0.3
/** An older one is forgotten, so that who was slow once is tried again. */
const LATENCY_LIFETIME_MS = 300_000

export function noteLatency(member: Member, latencyMs: number, now: number): void {
  const known = knownLatency(member, now)
  member.latencyMs = known === null ? latencyMs : known + NEWEST_SHARE * (latencyMs - known)
  member.measuredAt = now
}

/** Those asked in turn, in the order to ask them; who rests comes last, and is still better than nobody. */
export function turnOrder(
  members: readonly Member[],
  strategy: PoolStrategy,
  now: number,
  random: () => number,
): Member[] {
  const regular = arrange(
    members.filter(({ only }) => only === null),
    strategy,
    now,
    random,
  )
  const rests = (member: Member): boolean => member.restsUntil > now
  return [...regular.filter((member) => !rests(member)), ...regular.filter(rests)]
}

/** Whether `next` may do better than `failed` did. */
export function mayFollow(next: Member, failed: Member, cause: FallbackCause): boolean {
  if (next.only !== null && !next.only.includes(cause)) return false
  if (cause !== 'context') return true
  const { contextLength } = next.engine.info
  return contextLength === Infinity || contextLength > failed.engine.info.contextLength
}

function arrange(members: Member[], strategy: PoolStrategy, now: number, random: () => number): Member[] {
  if (strategy === 'ordered') return members
  if (strategy === 'least-latency') {
    return members.toSorted((a, b) => (knownLatency(a, now) ?? 0) - (knownLatency(b, now) ?? 0))
  }
  // Draws without putting back (Efraimidis and Spirakis 2006): the largest of random^(1/weight) comes first.
  return members
    .map((member) => ({ member, key: random() ** (1 / member.weight) }))
    .toSorted((a, b) => b.key - a.key)
    .map(({ member }) => member)
}

function knownLatency({ latencyMs, measuredAt }: Member, now: number): number | null {
  return now - measuredAt > LATENCY_LIFETIME_MS ? null : latencyMs
}
