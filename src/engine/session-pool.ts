import type { Backend, BackendSession } from '../backend/backend'
import { EngineError, isEngineError } from '../contract/error'
import { CachedSession } from './cached-session'
import type { ForwardBatcher } from './forward-batcher'

/** A second idle session is only kept by default where its KV cache takes no more than this. */
const SECOND_SESSION_BYTES = 64 * 2 ** 20
/** KV caches of all sessions together by default, where one takes less. */
const DEFAULT_LIMIT_BYTES = 256 * 2 ** 20

export interface SessionPoolOptions {
  readonly contextLength: number
  /** Sessions kept while they are not used. null: 2 where one takes at most 64 MiB, else 1. */
  readonly maxSessions: number | null
  /** For all KV caches. null: 256 MiB, or what one whole context takes. Only of caches that grow. */
  readonly limitBytes: number | null
}

/** A session and what it has to be ready for. */
interface Place {
  readonly session: CachedSession
  /** Most tokens that its user needs; null: nobody uses it. */
  wanted: number | null
  /** A count of uses, for eviction of the least recently used. */
  lastUse: number
}

/**
 * The sessions of running generations, and those of the last conversations, so that their next turn prefills only what
 * is new. Room for all that a generation may need is set aside before it begins.
 */
export class SessionPool {
  readonly #backend: Backend
  readonly #batcher: ForwardBatcher
  readonly #contextLength: number
  readonly #limitBytes: number
  readonly #mayKeepTwo: boolean
  #places: Place[] = []
  /** Sessions kept, and made while others are idle. */
  #kept: number
  #uses = 0

  /** @throws EngineError 'out-of-memory' where not even one whole context is within the limit */
  constructor(backend: Backend, batcher: ForwardBatcher, options: SessionPoolOptions) {
    const { contextLength, maxSessions, limitBytes } = options
    this.#backend = backend
    this.#batcher = batcher
    this.#contextLength = contextLength
    this.#kept = maxSessions ?? 1
    this.#mayKeepTwo = maxSessions === null
    const wholeBytes = this.#bytesFor(contextLength)
    this.#limitBytes = limitBytes ?? Math.max(DEFAULT_LIMIT_BYTES, wholeBytes)
    if (wholeBytes > this.#limitBytes) {
      throw new EngineError(
        'out-of-memory',
        `The KV cache of ${contextLength} tokens takes ${Math.ceil(wholeBytes / 2 ** 20)} MiB, but the limit is ` +
          `${Math.floor(this.#limitBytes / 2 ** 20)} MiB: raise it, or choose a smaller context.`,
        { details: { wantedBytes: wholeBytes, limitBytes: this.#limitBytes } },
      )
    }
  }

  get size(): number {
    return this.#places.length
  }

  /** Whether a generation of up to `tokens` may begin beside those that run. */
  fits(tokens: number): boolean {
    return this.#usedBytes() + this.#bytesFor(tokens) <= this.#limitBytes
  }

  /**
   * The session to answer `prompt` with, its user's until `release()`: the idle one that shares the longest prefix, where
   * that is at least half of the prompt or of what the session holds; else a new one, which begins with what another has
   * of the prompt; else the least recently used. Not yet rewound. Idle sessions make room for it, the least recently
   * used first.
   * @param tokens most that prompt and answer will take
   * @throws EngineError 'out-of-memory' where not even one session fits
   */
  acquire(prompt: ArrayLike<number>, tokens: number): CachedSession {
    const idle = this.#places.filter(({ wanted }) => wanted === null)
    const best = bestFor(prompt, idle)
    const serves =
      best !== null && 2 * best.session.reusable(prompt) >= Math.min(prompt.length, best.session.length)
    const place = (serves ? best : this.#create(idle.length)) ?? leastRecentlyUsed(idle)!
    place.wanted = tokens
    place.lastUse = ++this.#uses
    this.#makeRoom()
    const richest = bestFor(prompt, this.#places)
    if (richest !== null && richest !== place) place.session.begin(richest.session, prompt)
    return place.session
  }

  /** The session is not used any more; given up where its state is not known, or where more are idle than are kept. */
  release(session: CachedSession): void {
    const place = this.#places.find((other) => other.session === session)
    if (place === undefined) return
    place.wanted = null
    if (session.broken) this.#discard(place)
    while (this.#places.length > this.#kept) {
      const oldest = leastRecentlyUsed(this.#places.filter(({ wanted }) => wanted === null))
      if (oldest === null) return
      this.#discard(oldest)
    }
  }

  dispose(): void {
    for (const { session } of this.#places.splice(0)) session.dispose()
  }

  /** null where an idle one is to be used instead. */
  #create(idle: number): Place | null {
    if (idle > 0 && this.#places.length >= this.#kept) return null
    const before = this.#backend.memoryBytes
    try {
      const created = this.#backend.createSession({ contextLength: this.#contextLength })
      const place = { session: new CachedSession(created, this.#batcher), wanted: null, lastUse: 0 }
      this.#places.push(place)
      if (this.#mayKeepTwo && this.#sizeOf(created, before) <= SECOND_SESSION_BYTES) this.#kept = 2
      return place
    } catch (error) {
      if (idle === 0 || !isEngineError(error, 'out-of-memory')) throw error
      this.#kept = this.#places.length
      return null
    }
  }

  /** Of a whole context. */
  #sizeOf(session: BackendSession, memoryBefore: number): number {
    return (
      this.#backend.cacheBytesFor?.(this.#contextLength) ??
      session.cacheBytes ??
      this.#backend.memoryBytes - memoryBefore
    )
  }

  #makeRoom(): void {
    const idleBytes = (): number =>
      this.#places.reduce(
        (sum, { session, wanted }) => sum + (wanted === null ? this.#bytesFor(session.length) : 0),
        0,
      )
    while (this.#usedBytes() + idleBytes() > this.#limitBytes) {
      const oldest = leastRecentlyUsed(this.#places.filter(({ wanted }) => wanted === null))
      if (oldest === null) return
      this.#discard(oldest)
    }
  }

  /** What running generations may come to take. */
  #usedBytes(): number {
    return this.#places.reduce((sum, { wanted }) => sum + (wanted === null ? 0 : this.#bytesFor(wanted)), 0)
  }

  #bytesFor(tokens: number): number {
    return this.#backend.cacheBytesFor?.(tokens) ?? 0
  }

  #discard(place: Place): void {
    this.#places = this.#places.filter((other) => other !== place)
    place.session.dispose()
  }
}

/** Which holds most of the beginning of `prompt`. */
function bestFor(prompt: ArrayLike<number>, places: readonly Place[]): Place | null {
  let best: Place | null = null
  let most = 0
  for (const place of places) {
    const reusable = place.session.reusable(prompt)
    if (reusable <= most) continue
    best = place
    most = reusable
  }
  return best
}

function leastRecentlyUsed(places: readonly Place[]): Place | null {
  return places.reduce<Place | null>(
    (oldest, place) => (oldest === null || place.lastUse < oldest.lastUse ? place : oldest),
    null,
  )
}
