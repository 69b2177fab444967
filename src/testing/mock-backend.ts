import type {
  Backend,
  BackendSession,
  Draw,
  FollowedLogits,
  FollowOptions,
  ForwardCall,
  LogitDetail,
  Logits,
  TopLogits,
} from '../backend/backend'
import { EngineError } from '../contract/error'

export interface MockBackendOptions {
  vocabularySize: number
  /** The logits after these tokens: the whole model. Must depend on nothing else. */
  logits: (tokens: readonly number[]) => ArrayLike<number>
  /** Default 64. */
  maxBatch?: number
  /** Default 0: waits for a microtask only. */
  stepMs?: number | ((tokens: number) => number)
  /** Called before each forward; what it throws, `forward` rejects with. */
  beforeForward?: (call: MockForward) => void
  /** Bytes reported for each session. Default 0. */
  sessionBytes?: number
  /** What a session may grow to. Default: it does not grow. */
  cacheBytes?: number
  /** Tokens of `Logits.top`, which sessions that follow give instead of whole rows. Default: 256, as of a GPU. */
  topCount?: number
  /** Sessions have `follow()`, two calls of which may be under way, and check that no more are. Default false. */
  follows?: boolean
  /** There is `forwardMany()`; logits then end with the next call of any session. Default false. */
  batches?: boolean
  /** Sessions have `copyFrom()`. Default false. */
  copies?: boolean
  /** Bytes that a KV cache of so many tokens takes. Default: caches have one size. */
  cacheBytesFor?: (length: number) => number
  /** Which token `follow()` takes where it is asked to draw one. Default: the likeliest. */
  drawn?: (logits: Logits, draw: Draw) => number
  /** Sessions that fit at once; more throw 'out-of-memory'. Default: any number. */
  maxSessions?: number
}

/** One call of `forward`. */
export interface MockForward {
  /** Which session, counted from 0 in the order of creation. */
  session: number
  /** Tokens in the session before the call. */
  start: number
  tokens: number[]
  outputs: number
}

export interface MockBackend extends Backend {
  /** All calls so far, oldest first. */
  readonly forwards: readonly MockForward[]
  /** The sessions of each call of `forwardMany` so far. */
  readonly passes: readonly (readonly number[])[]
  /** All calls of `shift` so far. */
  readonly shifts: readonly { session: number; from: number; to: number }[]
  readonly openSessions: number
  readonly disposed: boolean
}

/**
 * A backend whose model is a function you give. It keeps to the contract of `Backend` and holds callers to it:
 * batches too large, overflow, use after dispose and logits read too late all throw.
 */
export function createMockBackend(options: MockBackendOptions): MockBackend {
  const {
    vocabularySize,
    logits,
    maxBatch = 64,
    stepMs = 0,
    sessionBytes = 0,
    follows = false,
    maxSessions = Infinity,
    topCount = 256,
  } = options
  const forwards: MockForward[] = []
  const shifts: { session: number; from: number; to: number }[] = []
  const passes: number[][] = []
  const numbers = new Map<BackendSession, number>()
  const histories = new Map<BackendSession, readonly number[]>()
  /** Calls that reach all sessions: one, or one for several together. */
  let turns = 0
  let isTogether = false
  let created = 0
  let open = 0
  let disposed = false

  const createSession = ({ contextLength }: { contextLength: number }): BackendSession => {
    if (disposed) throw new EngineError('disposed', 'The mock backend was disposed of.')
    if (open >= maxSessions) {
      throw new EngineError(
        'out-of-memory',
        `The mock backend holds ${open} sessions and has no room for more.`,
      )
    }
    open++
    const session = created++
    const history: number[] = []
    let calls = 0
    let closed = false
    /** Calls of `forward` and `follow` that are under way. */
    let running = 0
    let newest: Promise<Logits> | null = null
    const check = (): void => {
      if (closed || disposed)
        throw new EngineError('disposed', `Session ${session} of the mock backend was disposed of.`)
      if (running > 0)
        throw new EngineError('internal', `Session ${session} was called while a forward was running.`)
    }
    const step = async (tokens: number[], outputs: number, reading: Reading): Promise<Logits[]> => {
      const { detail, temperature } = reading
      const call: MockForward = { session, start: history.length, tokens, outputs }
      options.beforeForward?.(call)
      const delayMs = typeof stepMs === 'number' ? stepMs : stepMs(tokens.length)
      if (delayMs > 0) await sleep(delayMs)
      else await Promise.resolve()
      forwards.push(call)
      const results: Logits[] = []
      const validFor = calls
      const validTurn = turns
      const isValid = (): boolean =>
        follows || (calls === validFor && (options.batches !== true || turns === validTurn))
      for (const [index, token] of tokens.entries()) {
        history.push(token)
        if (index >= tokens.length - outputs) {
          const isWhole = !follows || detail === 'all' || outputs > 1
          results.push(
            mockLogits(logits(history), isValid, isWhole ? null : { detail, temperature, topCount }),
          )
        }
      }
      return results
    }
    const counted = <Result>(work: Promise<Result>): Promise<Result> => {
      running++
      return work.finally(() => running--)
    }
    const follow = ({ draw, detail = 'all', temperature }: FollowOptions = {}): Promise<FollowedLogits> => {
      if (closed || disposed || running > 1 || newest === null) {
        throw new EngineError(
          'internal',
          `Session ${session}: follow() has nothing to follow, or two are under way.`,
        )
      }
      const before = newest
      const following = counted(
        before.then(async (row): Promise<FollowedLogits> => {
          const token = (draw && options.drawn?.(row, draw)) ?? row.argmax
          return { ...(await step([token], 1, { detail, temperature }))[0]!, token }
        }),
      )
      newest = following
      return following
    }
    const self: BackendSession = {
      ...(follows && { follow }),
      contextLength,
      cacheBytes: options.cacheBytes,
      get length() {
        return history.length
      },
      forward: async (given, { outputs = 1, detail = 'all', temperature } = {}) => {
        check()
        calls++
        if (!isTogether) turns++
        const tokens = Array.from(given)
        if (tokens.length < 1 || tokens.length > maxBatch) {
          throw new EngineError(
            'invalid-argument',
            `forward takes 1 to ${maxBatch} tokens; got ${tokens.length}.`,
          )
        }
        if (outputs < 0 || outputs > tokens.length) {
          throw new EngineError('invalid-argument', `outputs must be 0 to ${tokens.length}; got ${outputs}.`)
        }
        const outside = tokens.find((token) => !(token >= 0 && token < vocabularySize))
        if (outside !== undefined) throw new EngineError('invalid-argument', `There is no token ${outside}.`)
        if (history.length + tokens.length > contextLength) {
          throw new EngineError(
            'context-overflow',
            `${history.length} + ${tokens.length} tokens do not fit a context of ${contextLength}.`,
          )
        }
        const results = counted(step(tokens, outputs, { detail, temperature }))
        newest = outputs > 0 ? results.then((all) => all.at(-1)!) : null
        newest?.catch(() => undefined)
        return results
      },
      ...(options.copies === true && {
        copyFrom(other: BackendSession, length: number) {
          check()
          const tokens = histories.get(other)
          if (tokens === undefined || other === self || !(length >= 0 && length <= tokens.length)) {
            throw new EngineError('invalid-argument', `Cannot copy ${length} tokens of that session.`)
          }
          calls++
          newest = null
          history.splice(0, history.length, ...tokens.slice(0, length))
        },
      }),
      truncate(length) {
        check()
        if (length < 0 || length > history.length) {
          throw new EngineError('invalid-argument', `Cannot keep ${length} of ${history.length} tokens.`)
        }
        calls++
        newest = null
        history.length = length
      },
      shift(from, to) {
        check()
        if (!(from >= 0 && from < to && to <= history.length)) {
          throw new EngineError(
            'invalid-argument',
            `Cannot forget [${from}, ${to}) of ${history.length} tokens.`,
          )
        }
        calls++
        newest = null
        shifts.push({ session, from, to })
        history.splice(from, to - from)
      },
      dispose() {
        if (closed) return
        closed = true
        open--
        numbers.delete(self)
        histories.delete(self)
      },
    }
    numbers.set(self, session)
    histories.set(self, history)
    return self
  }

  const forwardMany = (calls: readonly ForwardCall[]): Promise<Logits[][]> => {
    const count = calls.reduce((sum, { tokens }) => sum + tokens.length, 0)
    const sessions = calls.map(({ session }) => numbers.get(session))
    if (count > maxBatch || sessions.includes(undefined) || new Set(sessions).size < calls.length) {
      return Promise.reject(
        new EngineError('invalid-argument', `forwardMany takes ${maxBatch} tokens and sessions once.`),
      )
    }
    passes.push(sessions.map(Number))
    turns++
    isTogether = true
    const results = calls.map(({ session, tokens, options: wanted }) => session.forward(tokens, wanted))
    isTogether = false
    return Promise.all(results)
  }

  return {
    kind: 'reference',
    variant: 'mock',
    threads: 1,
    maxBatch,
    weightsBytes: 0,
    get memoryBytes() {
      return open * sessionBytes
    },
    ...(options.batches === true && { forwardMany }),
    ...(options.cacheBytesFor !== undefined && { cacheBytesFor: options.cacheBytesFor }),
    forwards,
    passes,
    shifts,
    get openSessions() {
      return open
    },
    get disposed() {
      return disposed
    },
    createSession,
    dispose() {
      disposed = true
    },
  }
}

interface Reading {
  readonly detail: LogitDetail
  readonly temperature: number | undefined
}

/**
 * Logits over a row of numbers; reading them when `isValid` says no throws.
 * @param part what to give instead of the whole row; null: the row
 */
function mockLogits(
  row: ArrayLike<number>,
  isValid: () => boolean,
  part: (Reading & { readonly topCount: number }) | null,
): Logits {
  const values = Float32Array.from(row)
  const check = (): void => {
    if (!isValid()) throw new EngineError('internal', "Logits were read after the session's next call.")
  }
  return {
    get argmax() {
      check()
      let best = 0
      for (let id = 1; id < values.length; id++) if (values[id]! > values[best]!) best = id
      return best
    },
    get maximum() {
      check()
      return values.reduce((a, b) => Math.max(a, b), -Infinity)
    },
    get logSumExp() {
      check()
      const largest = values.reduce((a, b) => Math.max(a, b), -Infinity)
      let sum = 0
      for (const value of values) sum += Math.exp(value - largest)
      return largest + Math.log(sum)
    },
    get margin() {
      check()
      const [first = 0, second = -Infinity] = values.toSorted((a, b) => b - a)
      return first - second
    },
    get entropy() {
      check()
      const { logSumExp } = this
      return values.reduce(
        (sum, value) => (value > -Infinity ? sum - Math.exp(value - logSumExp) * (value - logSumExp) : sum),
        0,
      )
    },
    get tempered() {
      if (part?.temperature === undefined) return undefined
      const { maximum } = this
      return values.reduce((sum, value) => sum + Math.exp((value - maximum) / part.temperature!), 0)
    },
    top: part?.detail === 'top' ? likeliest(values, part.topCount) : null,
    values() {
      check()
      if (part !== null) throw new EngineError('internal', "Whole logits take detail 'all'.")
      return values
    },
    // The mock's hidden state is its row of logits.
    hidden() {
      return this.values().slice()
    },
  }
}

function likeliest(values: Float32Array, count: number): TopLogits {
  const order = Array.from(values.keys()).toSorted((a, b) => values[b]! - values[a]! || a - b)
  const ids = Uint32Array.from(order.slice(0, count))
  return { ids, logits: Float32Array.from(ids, (id) => values[id]!) }
}

function sleep(durationMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, durationMs)
  })
}
