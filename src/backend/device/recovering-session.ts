import { EngineError, isEngineError } from '../../contract/error'
import type {
  Backend,
  BackendSession,
  Draw,
  FollowedLogits,
  FollowOptions,
  ForwardOptions,
  LogitDetail,
  Logits,
} from '../backend'
import type { RecoveryOwner } from './recover'
import { TokenHistory } from './token-history'

/**
 * A call as it can be repeated; `tokens` null: what the device goes on with, and where it does not, the likeliest token
 * of the output before.
 */
interface Call {
  readonly tokens: ArrayLike<number> | null
  readonly outputs: number
  readonly detail: LogitDetail
  readonly temperature: number | undefined
  readonly draw?: Draw | null | undefined
}

/** What a call came to: where the tokens were not given, the one that was appended. */
interface Done {
  readonly logits: Logits[]
  readonly token: number | null
}

/** A session of whatever runs now, and a cache of it that is still good. */
interface Place {
  readonly backend: Backend
  readonly session: BackendSession
}

/**
 * A session that is made again on another device when its own is lost. A call that fails so is repeated there, behind
 * the call before it; to the caller it only takes longer.
 */
export class RecoveringSession implements BackendSession {
  readonly contextLength: number
  readonly #owner: RecoveryOwner
  readonly #history: TokenHistory
  #place: Place | null = null
  /** The newest call, while it is under way. */
  #before: Promise<unknown> | null = null
  /** Calls that wait for a new device or run there in one's place. */
  #repeating = 0
  /** Likeliest token of the newest output; −1: none since the last other change. */
  #newest = -1
  #disposed = false

  /** @throws EngineError 'out-of-memory' where it is known at once */
  constructor(owner: RecoveryOwner, contextLength: number) {
    this.#owner = owner
    this.contextLength = contextLength
    this.#history = new TokenHistory(contextLength)
    const backend = owner.current
    if (backend !== null) this.#place = { backend, session: backend.createSession({ contextLength }) }
  }

  get length(): number {
    return this.#history.length
  }

  get cacheBytes(): number | undefined {
    // While a device is sought nobody knows.
    return this.#place === null ? Infinity : this.#place.session.cacheBytes
  }

  get canFollow(): boolean {
    return this.#place?.session.follow !== undefined && this.#place.session.canFollow !== false
  }

  async forward(
    tokens: ArrayLike<number>,
    { outputs = 1, detail = 'all', temperature }: ForwardOptions = {},
  ): Promise<Logits[]> {
    return (await this.#start({ tokens, outputs, detail, temperature })).logits
  }

  async follow({ detail = 'all', temperature, draw }: FollowOptions = {}): Promise<FollowedLogits> {
    const { logits, token } = await this.#start({ tokens: null, outputs: 1, detail, temperature, draw })
    return { ...logits[0]!, token: token! }
  }

  truncate(length: number): void {
    this.#checkLive()
    if (!Number.isInteger(length) || length < 0 || length > this.length) {
      throw new EngineError('invalid-argument', `truncate() takes 0 to ${this.length}, got ${length}.`)
    }
    this.#edit((session) => session.truncate(length))
    this.#history.truncate(length)
  }

  shift(from: number, to: number): void {
    this.#checkLive()
    if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= this.length)) {
      throw new EngineError(
        'invalid-argument',
        `shift() takes 0 ≤ from ≤ to ≤ ${this.length}, got ${from}, ${to}.`,
      )
    }
    this.#edit((session) => session.shift(from, to))
    this.#history.shift(from, to)
  }

  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#place?.session.dispose()
    this.#place = null
    this.#owner.forget(this)
  }

  /** A cache on a device that is gone needs no change: it will be made anew. */
  #edit(change: (session: BackendSession) => void): void {
    this.#newest = -1
    if (this.#place === null) return
    try {
      change(this.#place.session)
    } catch (error) {
      if (!isEngineError(error, 'device-lost')) throw error
    }
  }

  async #start(call: Call): Promise<Done> {
    this.#checkLive()
    const running = this.#run(call, this.#attempt(call), this.#place, this.#before)
    this.#before = running
    try {
      return await running
    } finally {
      if (this.#before === running) this.#before = null
    }
  }

  /** The call as it is, at once; null where it can't be made so. */
  #attempt({ tokens, outputs, detail, temperature, draw }: Call): Promise<Done> | null {
    const place = this.#place
    if (place === null || place.backend !== this.#owner.current || this.#repeating > 0) return null
    if (tokens === null) {
      return place.session.follow?.({ detail, temperature, draw }).then(asDone) ?? null
    }
    if (tokens.length > place.backend.maxBatch) return null
    return place.session
      .forward(tokens, { outputs, detail, temperature })
      .then((logits) => ({ logits, token: null }))
  }

  async #run(
    call: Call,
    attempt: Promise<Done> | null,
    place: Place | null,
    before: Promise<unknown> | null,
  ): Promise<Done> {
    let done: Done | null = null
    let loss: unknown = null
    try {
      done = await attempt
    } catch (error) {
      if (!isLoss(place!.backend, error)) throw error
      loss = error
    }
    if (done === null) {
      this.#repeating++
      try {
        await before
        if (loss !== null) await this.#owner.giveUp(place!.backend, loss)
        done = { logits: await this.#repeat(call), token: call.tokens === null ? this.#newest : null }
      } finally {
        this.#repeating--
      }
    } else if (before !== null) {
      await before
    }
    this.#checkLive()
    const { logits, token } = done
    this.#history.append(call.tokens ?? [token!])
    this.#newest = logits.at(-1)?.argmax ?? -1
    // Where there is no follow(), a follower starts before its caller has read what came before.
    return this.canFollow ? done : { logits: logits.map((row) => detached(row)), token }
  }

  async #repeat({ tokens, outputs, detail, temperature }: Call): Promise<Logits[]> {
    if (tokens === null && this.#newest < 0) {
      throw new EngineError('invalid-argument', 'follow() continues an output; call forward() first.')
    }
    const repeated = tokens ?? [this.#newest]
    for (;;) {
      const { backend, session } = await this.#restore()
      try {
        return await forwardInParts(session, repeated, backend.maxBatch, { outputs, detail, temperature })
      } catch (error) {
        await this.#owner.giveUp(backend, error)
      }
    }
  }

  /** A session of what runs now, with the cache as it was. */
  async #restore(): Promise<Place> {
    for (;;) {
      const backend = await this.#owner.live()
      this.#checkLive()
      if (this.#place?.backend === backend) return this.#place
      const session = backend.createSession({ contextLength: this.contextLength })
      try {
        await this.#history.replay({
          append: async (tokens) => {
            for (let from = 0; from < tokens.length; from += backend.maxBatch) {
              await session.forward(tokens.slice(from, from + backend.maxBatch), { outputs: 0 })
              // Messages come through, of which an abort is one.
              await macrotask()
              this.#checkLive()
            }
          },
          truncate: (length) => session.truncate(length),
          shift: (from, to) => session.shift(from, to),
        })
        this.#place = { backend, session }
        return this.#place
      } catch (error) {
        session.dispose()
        this.#checkLive()
        await this.#owner.giveUp(backend, asLoss(backend, error))
      }
    }
  }

  #checkLive(): void {
    if (this.#disposed) throw new EngineError('disposed', 'This session was disposed of; create another.')
  }
}

function asDone(logits: FollowedLogits): Done {
  return { logits: [logits], token: logits.token }
}

/** Whether something else is to go on: a GPU is gone, or has no room for a longer cache. */
export function isLoss({ kind }: Backend, error: unknown): error is EngineError {
  return isEngineError(error, 'device-lost') || (kind === 'webgpu' && isEngineError(error, 'out-of-memory'))
}

/** A new device on which what was there before does not come about is as good as none. */
function asLoss(backend: Backend, error: unknown): unknown {
  if (backend.kind !== 'webgpu' || isLoss(backend, error)) return error
  const said = error instanceof Error ? error.message : String(error)
  return new EngineError('device-lost', `The new device can't go on: ${said}`, { cause: error })
}

/** For what was cut for another backend, which takes more at once. */
async function forwardInParts(
  session: BackendSession,
  tokens: ArrayLike<number>,
  maxBatch: number,
  options: Pick<Call, 'outputs' | 'detail' | 'temperature'>,
): Promise<Logits[]> {
  const all = Array.from(tokens)
  if (options.outputs > maxBatch) {
    throw new EngineError('unsupported', `Outputs of ${options.outputs} tokens; here at most ${maxBatch}.`)
  }
  // The last part has all outputs, as logits last until the next call.
  const last = Math.max(0, all.length - maxBatch)
  for (let from = 0; from < last; from += maxBatch) {
    await session.forward(all.slice(from, Math.min(last, from + maxBatch)), { outputs: 0 })
  }
  return session.forward(all.slice(last), options)
}

/** The same, to be read at any time. */
function detached(logits: Logits): Logits {
  const { argmax, maximum, logSumExp, margin, entropy, top } = logits
  const values = logits.values().slice()
  const hidden = logits.hidden()
  return {
    argmax,
    maximum,
    logSumExp,
    margin,
    entropy,
    top,
    values: () => values,
    hidden: () => hidden.slice(),
  }
}

function macrotask(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve)
  })
}
