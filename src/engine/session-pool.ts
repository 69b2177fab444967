import type { Backend } from '../backend/backend'
import { isEngineError } from '../contract/error'
import { CachedSession } from './cached-session'

/** A second session is only kept by default where its KV cache takes no more than this. */
const SECOND_SESSION_BYTES = 64 * 2 ** 20

/** Keeps the sessions of the last conversations, so that their next turn prefills only what is new. */
export class SessionPool {
  readonly #backend: Backend
  readonly #contextLength: number
  readonly #wantedSessions: number | null
  readonly #sessions: CachedSession[] = []
  #limit: number
  #uses = 0

  /** @param maxSessions null: 2 where a session takes at most 64 MiB, else 1 */
  constructor(backend: Backend, contextLength: number, maxSessions: number | null) {
    this.#backend = backend
    this.#contextLength = contextLength
    this.#wantedSessions = maxSessions
    this.#limit = maxSessions ?? 1
  }

  get size(): number {
    return this.#sessions.length
  }

  /**
   * The session to answer `prompt` with: the one that shares the longest prefix, where that is at least half of
   * the prompt or of what the session holds; else a new one; else the least recently used. Not yet rewound.
   * @throws EngineError 'out-of-memory' where not even one session fits
   */
  acquire(prompt: ArrayLike<number>): CachedSession {
    let best: CachedSession | null = null
    let bestReusable = 0
    for (const session of this.#sessions) {
      const reusable = session.reusable(prompt)
      if (reusable > bestReusable) {
        best = session
        bestReusable = reusable
      }
    }
    const serves = best !== null && 2 * bestReusable >= Math.min(prompt.length, best.length)
    const session = (serves ? best : this.#create()) ?? this.#leastRecentlyUsed()
    session.lastUse = ++this.#uses
    return session
  }

  /** Gives up a session whose state is not known any more. */
  discard(session: CachedSession): void {
    const index = this.#sessions.indexOf(session)
    if (index < 0) return
    this.#sessions.splice(index, 1)
    session.dispose()
  }

  dispose(): void {
    for (const session of this.#sessions.splice(0)) session.dispose()
  }

  /** null where as many exist as may. */
  #create(): CachedSession | null {
    if (this.#sessions.length > 0 && this.#sessions.length >= this.#limit) return null
    const before = this.#backend.memoryBytes
    try {
      const created = this.#backend.createSession({ contextLength: this.#contextLength })
      const session = new CachedSession(created)
      this.#sessions.push(session)
      const sizeBytes = created.cacheBytes ?? this.#backend.memoryBytes - before
      if (this.#wantedSessions === null && sizeBytes <= SECOND_SESSION_BYTES) this.#limit = 2
      return session
    } catch (error) {
      if (this.#sessions.length === 0 || !isEngineError(error, 'out-of-memory')) throw error
      this.#limit = this.#sessions.length
      return null
    }
  }

  #leastRecentlyUsed(): CachedSession {
    return this.#sessions.reduce((oldest, session) => (session.lastUse < oldest.lastUse ? session : oldest))
  }
}
