import type { Engine } from '../../contract/engine'
import type { FallbackCause } from './fallback'
import type { Latency } from './latency'

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
  readonly latency: Latency
  /** performance.now() until which it wants no requests. */
  restsUntil: number
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
    return members.toSorted((a, b) => (a.latency.known(now) ?? 0) - (b.latency.known(now) ?? 0))
  }
  // Draws without putting back (Efraimidis and Spirakis 2006): the largest of random^(1/weight) comes first.
  return members
    .map((member) => ({ member, key: random() ** (1 / member.weight) }))
    .toSorted((a, b) => b.key - a.key)
    .map(({ member }) => member)
}
