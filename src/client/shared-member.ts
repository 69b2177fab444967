import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionParams,
  EngineInfo,
} from '../contract/engine'
import { EngineError } from '../contract/error'
import { SharedHost, type SharedHostOptions } from './shared-host'
import type { AnswerMessage, MemberMessage, SharedState, StateMessage } from './shared-messages'
import { SharedRequest } from './shared-request'

/**
 * What tabs reach each other by; null in each where a platform has none, and then there is nobody to share
 * with.
 */
export interface SharedPlatform {
  readonly locks: Pick<LockManager, 'request'> | null
  openChannel(name: string): SharedChannel
  /** How often a silent leader is asked for a sign of life, in milliseconds. */
  readonly tickMs: number
  /** Tells when this page is put aside (frozen, or kept for going back) and when it is taken up again. */
  onRest(rest: () => void, wake: () => void): () => void
}

/** What is used of a BroadcastChannel. */
export interface SharedChannel {
  onmessage: ((event: MessageEvent) => void) | null
  postMessage(message: unknown): void
  close(): void
}

/** Ticks without a word from the leader until its lock is taken from it: it is frozen. */
const MOST_SILENT_TICKS = 3

/**
 * One page's part in a shared engine. All members queue for one Web Lock; whoever has it is the leader and
 * has the engine (`SharedHost`). When the leader's page goes, however it goes, the browser gives the lock to
 * the next member.
 */
export class SharedMember {
  readonly #id: string = crypto.randomUUID()
  readonly #name: string
  readonly #open: SharedHostOptions['open']
  readonly #platform: SharedPlatform
  readonly #requests = new Map<string, SharedRequest>()
  readonly #watchers = new Set<(state: SharedState) => void>()
  readonly #life = new AbortController()
  /** To all, and from the leader to this member. */
  readonly #channels: { all: SharedChannel; own: SharedChannel } | null
  readonly #outgoing = new Map<string, SharedChannel>()
  /** Resolves once this member holds the lock by which others learn of its end. */
  readonly #alive: Promise<void>
  readonly #stopResting: () => void
  #candidacy = new AbortController()
  #host: SharedHost | null = null
  #term = ''
  readonly #pastTerms = new Set<string>()
  #info: EngineInfo | null = null
  #timer: ReturnType<typeof setInterval> | undefined
  #silentTicks = 0

  constructor(name: string, open: SharedHostOptions['open'], platform: SharedPlatform) {
    this.#name = name
    this.#open = open
    this.#platform = platform
    const { locks } = platform
    if (locks === null) {
      this.#channels = null
      this.#alive = Promise.resolve()
    } else {
      const all = platform.openChannel(name)
      const own = platform.openChannel(memberName(this.#id))
      all.onmessage = ({ data }) => this.#receive(data as StateMessage | MemberMessage)
      own.onmessage = ({ data }) => this.#answered(data as AnswerMessage)
      this.#channels = { all, own }
      this.#alive = holdLock(locks, memberName(this.#id), this.#life.signal)
    }
    this.#stopResting = platform.onRest(
      // Whoever is awake shall lead.
      () => this.#stepDown(),
      () => {
        if (this.#candidacy.signal.aborted) this.#standForLeader()
      },
    )
    this.#standForLeader()
  }

  /** @throws where the engine is not ready; `whenReady` resolves before. */
  get info(): EngineInfo {
    if (this.#info === null) throw new EngineError('internal', 'The shared engine has not been ready yet.')
    return this.#info
  }

  /** Loads the engine, or waits for the one that loads. Rejects with what it failed by. */
  whenReady(signal: AbortSignal | undefined, onState: (state: SharedState) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#watchers.delete(watch)
        signal?.removeEventListener('abort', onAbort)
      }
      const onAbort = (): void => {
        end()
        reject(signal?.reason as Error)
      }
      const watch = (state: SharedState): void => {
        onState(state)
        if (state.phase !== 'ready' && state.phase !== 'failed') return
        end()
        if (state.phase === 'ready') resolve()
        else reject(EngineError.fromData(state.error))
      }
      if (signal?.aborted === true) {
        onAbort()
        return
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#watchers.add(watch)
      this.#send({ type: 'join' })
      this.#watchLeader()
    })
  }

  ask(
    params: ChatCompletionParams,
    signal: AbortSignal,
  ): Promise<ChatCompletion | AsyncIterable<ChatCompletionChunk>> {
    if (signal.aborted) return Promise.reject(signal.reason as Error)
    const request = new SharedRequest(cloned(params), (ended) => {
      if (!this.#requests.delete(request.id)) return
      signal.removeEventListener('abort', onAbort)
      if (ended === 'here') this.#send({ type: 'cancel', request: request.id })
    })
    const onAbort = (): void => request.cancel(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    this.#requests.set(request.id, request)
    void this.#alive.then(() => this.#ask(request))
    this.#watchLeader()
    return request.result
  }

  /** Leaves: frees the engine where this is the leader, and lets the next one lead. */
  close(): void {
    this.#life.abort()
    this.#stopResting()
    this.#stepDown()
    clearInterval(this.#timer)
    this.#channels?.all.close()
    this.#channels?.own.close()
  }

  #standForLeader({ steal = false }: { steal?: boolean } = {}): void {
    const { locks } = this.#platform
    this.#candidacy.abort()
    const { signal } = (this.#candidacy = new AbortController())
    if (locks === null) {
      this.#lead()
      return
    }
    const lead = (): Promise<void> | undefined => {
      if (signal.aborted) return undefined
      this.#lead()
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    }
    locks.request(this.#name, steal ? { steal } : { signal }, lead).catch(() => {
      if (signal.aborted) return
      if (this.#host === null) {
        // No locks in this kind of page, so nobody to share with.
        this.#lead()
        return
      }
      // Stolen: this page had been silent for too long.
      this.#stepDown()
      this.#standForLeader()
    })
  }

  #lead(): void {
    this.#host = new SharedHost({
      open: this.#open,
      announce: (message) => {
        this.#channels?.all.postMessage(message)
        this.#hear(message)
      },
      answer: (member, message) => {
        if (member === this.#id) this.#answered(message)
        else this.#channelTo(member).postMessage(message)
      },
      onGone: (member, signal, gone) => {
        if (member === this.#id) return
        this.#platform.locks
          ?.request(memberName(member), { signal }, gone)
          // Rejects only when the signal fires.
          .catch(() => undefined)
      },
    })
    this.#host.announce()
  }

  #stepDown(): void {
    this.#candidacy.abort()
    this.#host?.close()
    this.#host = null
    for (const channel of this.#outgoing.values()) channel.close()
    this.#outgoing.clear()
  }

  #channelTo(member: string): SharedChannel {
    const channel = this.#outgoing.get(member) ?? this.#platform.openChannel(memberName(member))
    this.#outgoing.set(member, channel)
    return channel
  }

  #send(message: MemberMessage): void {
    if (this.#host !== null) this.#host.receive(message)
    else if (!this.#life.signal.aborted) this.#channels?.all.postMessage(message)
  }

  #receive(message: StateMessage | MemberMessage): void {
    if (message.type !== 'state') {
      this.#host?.receive(message)
      return
    }
    if (this.#host !== null && !this.#pastTerms.has(message.term)) {
      // Another one leads: this page slept, and its lock was taken.
      this.#stepDown()
      this.#standForLeader()
    }
    this.#hear(message)
  }

  #hear({ term, state }: StateMessage): void {
    // A leader that was asleep may still speak.
    if (this.#pastTerms.has(term)) return
    this.#silentTicks = 0
    const isNew = term !== this.#term
    if (isNew) this.#pastTerms.add(this.#term)
    this.#term = term
    if (state.phase === 'ready') this.#info = state.info
    for (const watch of this.#watchers) watch(state)
    if (!isNew) return
    // Not now: the leader, which may be this page, first finishes what it does.
    queueMicrotask(() => this.#askAnew())
  }

  #askAnew(): void {
    if (this.#watchers.size > 0) this.#send({ type: 'join' })
    for (const request of this.#requests.values()) this.#ask(request)
  }

  #ask(request: SharedRequest): void {
    if (!this.#requests.has(request.id) || this.#term === '' || request.askedIn === this.#term) return
    if (!request.ask(this.#term)) return
    this.#send({ type: 'ask', member: this.#id, request: request.id, params: request.params })
  }

  #answered({ request, term, ...body }: AnswerMessage): void {
    if (term !== this.#term) return
    this.#silentTicks = 0
    if (body.type === 'completed' || body.type === 'ended') this.#info = body.info
    this.#requests.get(request)?.receive(body)
  }

  /** While something is awaited of a leader elsewhere, sees to it that it is awake. */
  #watchLeader(): void {
    if (this.#channels === null) return
    this.#timer ??= setInterval(() => this.#tick(), this.#platform.tickMs)
  }

  #tick(): void {
    if (this.#host !== null || (this.#requests.size === 0 && this.#watchers.size === 0)) {
      clearInterval(this.#timer)
      this.#timer = undefined
      this.#silentTicks = 0
      return
    }
    // Counted, not timed: this page may have been the one that slept.
    if (this.#silentTicks++ >= MOST_SILENT_TICKS) {
      this.#silentTicks = 0
      this.#standForLeader({ steal: true })
    } else this.#send({ type: 'join' })
  }
}

function memberName(id: string): string {
  return `minnow-member ${id}`
}

/**
 * Takes a lock and keeps it until the signal fires. Resolves once it is held, and where locks are refused.
 */
function holdLock(locks: Pick<LockManager, 'request'>, name: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    locks
      .request(name, () => {
        resolve()
        return new Promise<void>((release) =>
          signal.addEventListener('abort', () => release(), { once: true }),
        )
      })
      .catch(() => resolve())
  })
}

/** What is asked is what was meant when it was asked, here and in every other tab. */
function cloned(params: ChatCompletionParams): ChatCompletionParams {
  try {
    return structuredClone(params)
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new EngineError('invalid-argument', `The request can't be sent to the engine: ${message}`, {
      cause,
    })
  }
}
