import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionParams,
  ChatCompletions,
  EngineInfo,
  RequestOptions,
} from '../../contract/engine'
import { EngineError } from '../../contract/error'
import type { RemoteEngine, RemoteModel } from '../../contract/remote'
import type { OutgoingRequest, RemoteSource } from '../../contract/route'
import { answerChunks } from './answer-chunks'
import { Deadline, pause } from './deadline'
import { collectCompletion, holdUntilVisible, isVisible } from './held-stream'
import { readModelList } from './model-list'
import { checkRemoteOptions, shownUrl, type RemoteEngineOptions, type RemoteSettings } from './remote-options'
import { RemoteWire } from './remote-wire'
import { requestBody } from './request-body'
import { isOutage, retryDelay } from './retry'
import { createBreaker, createGate, type Attempt, type Breaker, type Gate } from './traffic'

/**
 * An engine that asks a server with OpenAI's interface: OpenAI, OpenRouter, LiteLLM, vLLM, llama.cpp, Ollama.
 *
 * `create()` waits for the first text of the answer. Until then a failed request is sent again where that may help;
 * after that it never is, and the stream fails. Nothing is sent before `beforeSend` agrees, each time.
 *
 * @throws EngineError 'invalid-argument' for options that cannot be. Calls reject with 'network', 'timeout',
 * 'unauthorized', 'rate-limited', 'quota-exceeded', 'context-overflow', 'content-policy', 'unavailable',
 * 'invalid-response', 'invalid-argument', 'disposed'; with what `beforeSend` throws; or with `signal.reason`. `details`
 * hold `remote`, and where known `status`, `kind`, `retryAfterMs`, `phase`. None holds a key.
 */
export function createRemoteEngine(options: RemoteEngineOptions): RemoteEngine {
  return new ChatRemote(checkRemoteOptions(options))
}

/** One call: what is the same in all of its requests. */
interface Call {
  readonly body: string
  readonly promptBytes: number
  readonly includeUsage: boolean
  /** performance.now(); the second of the newest request. */
  readonly calledAt: number
  sentAt: number
  readonly deadline: Deadline<'total'>
  readonly beforeSend: (outgoing: OutgoingRequest) => Promise<void>
  readonly onFailure: (error: unknown) => void
  /** What `beforeSend` threw. */
  refusal: { readonly reason: unknown } | null
  /** So far. */
  requests: number
}

type Chunks = AsyncIterableIterator<ChatCompletionChunk, undefined>

class ChatRemote implements RemoteEngine {
  readonly chat: { readonly completions: ChatCompletions }
  readonly info: EngineInfo
  readonly #settings: RemoteSettings
  readonly #wire: RemoteWire
  readonly #breaker: Breaker
  readonly #gate: Gate
  readonly #disposal = new AbortController()

  constructor(settings: RemoteSettings) {
    this.#settings = settings
    this.#wire = new RemoteWire(settings)
    this.#breaker = createBreaker(settings.breaker)
    this.#gate = createGate(settings.concurrency)
    this.info = {
      model: settings.model,
      backend: 'remote',
      variant: settings.name,
      threads: 0,
      contextLength: settings.contextLength,
      weightsBytes: 0,
      memoryBytes: 0,
      mostRequests: settings.retry.retries + 1,
      ...(settings.price === null ? {} : { price: settings.price }),
    }
    const create = (
      params: ChatCompletionParams,
      requestOptions: RequestOptions = {},
    ): Promise<ChatCompletion | Chunks> =>
      params.stream === true
        ? this.#stream(params, requestOptions)
        : this.#stream({ ...params, stream_options: { include_usage: true } }, requestOptions).then(
            collectCompletion,
          )
    // The overloads part streaming from not streaming by `params.stream`, as `create` does.
    this.chat = { completions: { create: create as ChatCompletions['create'] } }
  }

  get name(): string {
    return this.#settings.name
  }

  async models({ signal }: Pick<RequestOptions, 'signal'> = {}): Promise<RemoteModel[]> {
    const deadline = this.#deadline(signal)
    try {
      deadline.signal.throwIfAborted()
      const list = readModelList(await this.#wire.modelList(deadline.signal), new Date())
      if (list !== undefined) return list
      throw this.#wire.failures.make('invalid-response', 'gave no list of models. Check the address.')
    } finally {
      deadline.dispose()
    }
  }

  outgoing(params: ChatCompletionParams): OutgoingRequest[] {
    const { chatUrl, model } = this.#settings
    return [{ url: shownUrl(chatUrl), model, body: requestBody(params, this.#settings) }]
  }

  dispose(): Promise<void> {
    const gone = new EngineError(
      'disposed',
      `The remote engine ${this.name} was disposed of. Create a new one.`,
    )
    this.#disposal.abort(gone)
    return Promise.resolve()
  }

  async #stream(
    params: ChatCompletionParams,
    { signal, beforeSend, onFailure }: RequestOptions,
  ): Promise<Chunks> {
    const calledAt = performance.now()
    const body = requestBody(params, this.#settings)
    const deadline = this.#deadline(signal)
    const call: Call = {
      body,
      promptBytes: new TextEncoder().encode(params.messages.map(textOf).join('')).length,
      includeUsage: params.stream_options?.include_usage === true,
      calledAt,
      sentAt: calledAt,
      deadline,
      onFailure: (error) => onFailure?.(error),
      refusal: null,
      requests: 0,
      beforeSend: async (outgoing) => {
        try {
          await beforeSend?.(outgoing)
        } catch (reason) {
          call.refusal = { reason }
          throw reason
        }
        call.requests++
        call.sentAt = performance.now()
      },
    }
    try {
      deadline.signal.throwIfAborted()
      deadline.start('total', this.#settings.timeouts.totalMs)
      // The place is kept until the deadline is aborted: at the end, or by the total time where no reader comes.
      await this.#gate.enter(deadline.signal)
      return await this.#answer(call)
    } catch (error) {
      deadline.abort(error)
      throw error
    }
  }

  /** Sends requests until one has text to show. */
  async #answer(call: Call): Promise<Chunks> {
    const { signal } = call.deadline
    for (let retry = 1; ; retry++) {
      const { requests } = call
      try {
        return await this.#attempt(call)
      } catch (error) {
        signal.throwIfAborted()
        if (call.refusal !== null) throw call.refusal.reason
        if (call.requests > requests) call.onFailure(error)
        const waitMs = retryDelay(error, retry, this.#settings.retry)
        // Waiting for nothing would only hide what went wrong.
        if (waitMs === null || waitMs >= call.deadline.remainingMs) throw error
        await pause(waitMs, signal)
      }
    }
  }

  #attempt(call: Call): Promise<Chunks> {
    const attempt = this.#breaker.attempt()
    if (attempt === null) {
      const message = 'failed several times and is left alone for a while. Try again later.'
      throw this.#wire.failures.make('unavailable', message)
    }
    return holdUntilVisible(this.#chunks(call, attempt), { onLeave: () => call.deadline.abort(ended()) })
  }

  /** One request's answer; tells the breaker how it went, and ends the call where it ends with text or well. */
  async *#chunks(call: Call, attempt: Attempt): AsyncGenerator<ChatCompletionChunk, undefined> {
    const { deadline, promptBytes, includeUsage } = call
    const { name, model, price } = this.#settings
    const { failures } = this.#wire
    let visible = false
    try {
      const parts = this.#wire.answer(call.body, deadline.signal, call.beforeSend)
      const source = (): RemoteSource => ({ name, model, price, requests: call.requests })
      const options = { source, failures, promptBytes, includeUsage, clock: call }
      for await (const chunk of answerChunks(parts, options)) {
        visible ||= isVisible(chunk)
        // Whether the remote is back is known now; a long answer should not keep others waiting.
        if (visible && attempt.isProbe) attempt.succeed()
        yield chunk
      }
      attempt.succeed()
      deadline.abort(ended())
    } catch (error) {
      if (isOutage(error)) attempt.fail()
      else if (deadline.signal.aborted || call.refusal !== null) attempt.cancel()
      else attempt.succeed()
      if (visible) deadline.abort(error)
      throw error
    } finally {
      attempt.cancel()
    }
  }

  #deadline(signal: AbortSignal | undefined): Deadline<'total'> {
    const parents = signal === undefined ? [this.#disposal.signal] : [signal, this.#disposal.signal]
    return new Deadline(parents, (phase, limitMs) =>
      this.#wire.failures.make(
        'timeout',
        `took more than ${limitMs} ms for the whole answer. Ask for fewer tokens, or allow more time.`,
        { phase },
      ),
    )
  }
}

/** What is counted where a provider does not count: words, no pictures. */
function textOf({ content }: { content?: unknown }): string {
  if (!Array.isArray(content)) return typeof content === 'string' ? content : ''
  return content.map((part: { text?: string }) => part.text ?? '').join('')
}

/** What ends a call that nobody reads on. */
function ended(): EngineError {
  return new EngineError('aborted', 'The answer is at its end or is no longer read.')
}
