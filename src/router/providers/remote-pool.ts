import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionParams,
  ChatCompletions,
  Engine,
  EngineInfo,
  RequestOptions,
} from '../../contract/engine'
import { EngineError, isEngineError } from '../../contract/error'
import type { OutgoingRequest, RemoteSource } from '../../contract/route'
import { outgoingOf } from '../outgoing'
import { fallbackCause, type FallbackCause } from './fallback'
import { collectCompletion, holdUntilVisible } from './held-stream'
import { createLatency } from './latency'
import { mayFollow, turnOrder, type Member, type PoolStrategy } from './pool-members'

export interface RemotePoolMember {
  engine: Engine
  /** For 'weighted': how often it comes first, against the others' weights. Default 1. */
  weight?: number
  /** It is only asked after another failed for one of these causes. Default: it is asked in turn. */
  only?: readonly FallbackCause[]
}

export interface RemotePoolOptions {
  /** Default 'ordered'. */
  strategy?: PoolStrategy
  /** Causes for which another remote is asked. Default: all. */
  fallbackOn?: readonly FallbackCause[]
  /** 0…1, for 'weighted'. Default Math.random. */
  random?: () => number
}

const ALL_CAUSES: readonly FallbackCause[] = ['context', 'policy', 'rate-limit', 'outage']
/** For a remote that is asked too often and does not say when to come back. */
const DEFAULT_REST_MS = 5000

/**
 * Several remotes as one engine. Where one cannot answer and has shown no text yet, the next that may do better is
 * asked: for a prompt that is too long, one with a longer context. Each is asked at most once a call, and each of its
 * requests goes past `beforeSend`; what that throws ends the call. An answer that breaks later fails: texts of two
 * models are never joined.
 *
 * @throws EngineError 'invalid-argument' for options that cannot be. Calls reject as `createRemoteEngine()` says;
 * where several failed for different reasons, with 'unavailable' and all of them in the message.
 */
export function createRemotePool(
  members: readonly (Engine | RemotePoolMember)[],
  options: RemotePoolOptions = {},
): Engine {
  const { strategy = 'ordered', fallbackOn = ALL_CAUSES, random = Math.random } = options
  const checked = members.map(toMember)
  if (!checked.some(({ only }) => only === null)) {
    throw new EngineError('invalid-argument', 'createRemotePool() needs at least one engine without "only".')
  }
  return new Pool(checked, { strategy, fallbackOn, random })
}

class Pool implements Engine {
  readonly chat: { readonly completions: ChatCompletions }
  readonly #members: readonly Member[]
  readonly #options: Required<RemotePoolOptions>

  constructor(members: readonly Member[], options: Required<RemotePoolOptions>) {
    this.#members = members
    this.#options = options
    const create = (
      params: ChatCompletionParams,
      requestOptions: RequestOptions = {},
    ): Promise<ChatCompletion | AsyncIterable<ChatCompletionChunk>> =>
      params.stream === true
        ? this.#stream({ ...params, stream: true }, requestOptions)
        : this.#stream(
            { ...params, stream: true, stream_options: { include_usage: true } },
            requestOptions,
          ).then(collectCompletion)
    // The overloads part streaming from not streaming by `params.stream`, as `create` does.
    this.chat = { completions: { create: create as ChatCompletions['create'] } }
  }

  /** Of the one that would be asked first now, with the longest context of all; `members` are all of them. */
  get info(): EngineInfo {
    const [first] = turnOrder(this.#members, 'ordered', performance.now(), this.#options.random)
    const members = this.#members.map(({ engine }) => engine.info)
    const contextLength = Math.max(...members.map((info) => info.contextLength))
    return { ...first!.engine.info, contextLength, members }
  }

  outgoing(params: ChatCompletionParams): OutgoingRequest[] {
    const members = [...this.#members].sort((a, b) => Number(a.only !== null) - Number(b.only !== null))
    return members.flatMap(({ engine }) => outgoingOf(engine, params))
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#members.map(({ engine }) => engine.dispose()))
  }

  async #stream(
    params: ChatCompletionParams & { stream: true },
    { signal, beforeSend, onFailure }: RequestOptions,
  ): Promise<AsyncIterable<ChatCompletionChunk>> {
    const { strategy, fallbackOn, random } = this.#options
    const regular = turnOrder(this.#members, strategy, performance.now(), random)
    let waiting = [...regular, ...this.#members.filter(({ only }) => only !== null)]
    let next = regular[0]
    let requests = 0
    let refused = false
    const failures: unknown[] = []
    const requestOptions: RequestOptions = {
      ...(signal && { signal }),
      ...(onFailure && { onFailure }),
      beforeSend: async (outgoing) => {
        try {
          await beforeSend?.(outgoing)
        } catch (reason) {
          refused = true
          throw reason
        }
        requests++
      },
    }
    while (next !== undefined) {
      const member: Member = next
      const startedAt = performance.now()
      try {
        const chunks = await member.engine.chat.completions.create(params, requestOptions)
        const stream = await holdUntilVisible(chunks, {
          editFirst: (chunk) => withSource(chunk, member.engine.info, requests),
        })
        member.latency.note(performance.now() - startedAt, performance.now())
        return stream
      } catch (error) {
        signal?.throwIfAborted()
        failures.push(error)
        const cause = fallbackCause(error)
        if (refused || cause === null || !fallbackOn.includes(cause)) throw error
        if (cause === 'rate-limit') member.restsUntil = performance.now() + restMs(error)
        waiting = waiting.filter((other) => other !== member)
        const able = waiting.filter((other) => mayFollow(other, member, cause))
        next = able.find(({ only }) => only !== null) ?? able[0]
      }
    }
    throw summary(failures)
  }
}

/** The same, with who answered and how many requests all of the pool sent. */
function withSource(chunk: ChatCompletionChunk, info: EngineInfo, requests: number): ChatCompletionChunk {
  const { variant: name, model, price = null } = info
  const remote: RemoteSource = { name, model, price, ...chunk.minnow?.remote, requests }
  return { ...chunk, minnow: { ...chunk.minnow, remote } }
}

function toMember(given: Engine | RemotePoolMember): Member {
  const { engine, weight = 1, only = null } = 'engine' in given ? given : { engine: given }
  if (!(weight > 0 && weight < Infinity)) {
    throw new EngineError('invalid-argument', `createRemotePool(): weight must be above 0, but is ${weight}.`)
  }
  return { engine, weight, only, latency: createLatency(), restsUntil: 0 }
}

function restMs(error: unknown): number {
  const asked = isEngineError(error) ? error.details['retryAfterMs'] : undefined
  return typeof asked === 'number' ? asked : DEFAULT_REST_MS
}

/** One error for all: with their code where they agree. */
function summary(failures: readonly unknown[]): unknown {
  const errors = failures.filter((failure) => isEngineError(failure))
  const [first] = errors
  if (first === undefined || errors.length === 1) return first
  const code = errors.every((error) => error.code === first.code) ? first.code : 'unavailable'
  const waits = errors.flatMap(({ details: { retryAfterMs } }) =>
    typeof retryAfterMs === 'number' ? [retryAfterMs] : [],
  )
  return new EngineError(code, `No remote answered. ${errors.map(({ message }) => message).join(' ')}`, {
    details: {
      codes: errors.map((error) => error.code).join(' '),
      ...(waits.length === 0 ? {} : { retryAfterMs: Math.min(...waits) }),
    },
  })
}
