import type { Backend } from '../backend/backend'
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionParams,
  ChatCompletions,
  Engine,
  EngineInfo,
  FinishReason,
  RequestOptions,
  Usage,
} from '../contract/engine'
import { EngineError, isEngineError, type EngineErrorData } from '../contract/error'
import type { PromptReading } from '../contract/signals'
import type { AnswerPiece } from './answer-text'
import { ChunkStream } from './chunk-stream'
import { ChunkFactory, CompletionBuilder, sumUsage, type CompletionHead } from './completion-shapes'
import { StepCosts } from './draft-policy'
import { countSinks, fitPrompt } from './fit-prompt'
import { ForwardBatcher } from './forward-batcher'
import { generate, type GenerationResult } from './generation'
import { macrotaskYield, Pacer } from './macrotask'
import { type GenerationSettings, parseParams } from './params/parse-params'
import { RequestQueue } from './request-queue'
import { Candidates } from './sampling/candidates'
import { Sampler } from './sampling/sampler'
import { SessionPool } from './session-pool'
import type { EngineChatTemplate, EngineTokenizer } from './tokenizer-interface'

/** Work between two turns of the event loop; a longer step is followed by one in any case. */
const YIELD_INTERVAL_MS = 4

/** Four together give most of what there is to gain; each of them waits for the others' rows. */
const DEFAULT_PARALLEL = 4

export interface LocalEngineOptions {
  /** Name of the model, given back in every answer. */
  id: string
  /** The engine disposes of it with itself. */
  backend: Backend
  /** Why this backend, for people. */
  backendReason?: (() => string) | undefined
  /** Why the model does not stay on this device; null where it does, or was not to. */
  notKept?: (() => EngineErrorData | null) | undefined
  tokenizer: EngineTokenizer
  chatTemplate: EngineChatTemplate
  /** SHA-256 and type of most weights of the model's file, where known. */
  modelHash?: string | undefined
  quantization?: string | undefined
  /** Tokens of prompt and answer together. */
  contextLength: number
  /** Conversations whose KV cache is kept while nobody asks. Default: 2 where one takes at most 64 MiB, else 1. */
  maxSessions?: number | undefined
  /** Most requests, and choices of one, that are answered at the same time. Default 4; 1 where the backend can't. */
  parallel?: number | undefined
  /** Bytes of all KV caches that grow. Default: 256 MiB, or what one whole context takes. */
  cacheLimitBytes?: number | undefined
  /** Milliseconds of a monotonic clock. Default: `performance.now`. */
  now?: (() => number) | undefined
}

/**
 * An engine over a backend in this thread. Requests begin in the order they came, and share passes over the weights where
 * the backend can; a prompt that continues an earlier one only evaluates what is new.
 */
export function createLocalEngine(options: LocalEngineOptions): Engine {
  return new LocalEngine(options)
}

/** A request on its way: checked, encoded, abortable. */
interface Request {
  readonly settings: GenerationSettings
  readonly prompt: Int32Array
  readonly sinkCount: number
  readonly head: CompletionHead
  readonly requestedAt: number
  readonly controller: AbortController
}

/** Hears of the choices of an answer by their index. */
interface AnswerListener {
  onStart(index: number, reading: PromptReading | null): void
  onPiece(index: number, piece: AnswerPiece): void
  onFinish(index: number, reason: FinishReason): void
}

interface ChoiceListener extends AnswerListener {
  /** It has a session now. */
  onTurn(): void
}

class LocalEngine implements Engine {
  readonly chat: { readonly completions: ChatCompletions }
  readonly #options: LocalEngineOptions
  readonly #now: () => number
  readonly #batcher: ForwardBatcher
  readonly #pool: SessionPool
  readonly #queue: RequestQueue
  readonly #stepCosts = new StepCosts()
  readonly #pacer: Pacer
  /** Scratch of the samplers, which run one after the other. */
  readonly #candidates = new Candidates()
  readonly #controllers = new Set<AbortController>()
  #disposal: Promise<void> | null = null

  constructor(options: LocalEngineOptions) {
    const { backend, contextLength } = options
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#batcher = new ForwardBatcher(backend)
    this.#pool = new SessionPool(backend, this.#batcher, {
      contextLength,
      maxSessions: options.maxSessions ?? null,
      limitBytes: options.cacheLimitBytes ?? null,
    })
    this.#queue = new RequestQueue(
      backend.forwardMany === undefined
        ? 1
        : Math.min(options.parallel ?? DEFAULT_PARALLEL, backend.maxBatch),
    )
    this.#pacer = new Pacer(macrotaskYield(), this.#now, YIELD_INTERVAL_MS)
    const create = async (
      params: ChatCompletionParams,
      requestOptions: RequestOptions = {},
    ): Promise<ChatCompletion | AsyncIterable<ChatCompletionChunk>> =>
      this.#create(params, requestOptions.signal)
    this.chat = { completions: { create: create as ChatCompletions['create'] } }
  }

  get info(): EngineInfo {
    const { id, backend, backendReason, contextLength, modelHash, quantization } = this.#options
    const { kind, variant, threads, weightsBytes, memoryBytes } = backend
    const notKept = this.#options.notKept?.() ?? null
    return {
      model: id,
      backend: kind,
      variant,
      ...(backendReason === undefined ? {} : { backendReason: backendReason() }),
      threads,
      contextLength,
      ...(modelHash === undefined ? {} : { modelHash }),
      ...(quantization === undefined ? {} : { quantization }),
      weightsBytes,
      memoryBytes,
      ...(notKept === null ? {} : { notKept }),
    }
  }

  dispose(): Promise<void> {
    this.#disposal ??= this.#dispose()
    return this.#disposal
  }

  async #dispose(): Promise<void> {
    const reason = new EngineError('disposed', `The engine of '${this.#options.id}' was disposed of.`)
    for (const controller of this.#controllers) controller.abort(reason)
    // A step that is under way must not lose its memory.
    await this.#queue.idle()
    this.#pool.dispose()
    this.#options.backend.dispose()
  }

  #create(
    params: ChatCompletionParams,
    signal: AbortSignal | undefined,
  ): Promise<ChatCompletion> | AsyncIterable<ChatCompletionChunk> {
    if (this.#disposal !== null) {
      throw new EngineError(
        'disposed',
        `The engine of '${this.#options.id}' was disposed of; create a new one.`,
      )
    }
    signal?.throwIfAborted()
    const request = this.#prepare(params)
    const { controller } = request
    const forward = (): void => controller.abort(signal?.reason)
    signal?.addEventListener('abort', forward, { once: true })
    this.#controllers.add(controller)
    const finished = (): void => {
      signal?.removeEventListener('abort', forward)
      this.#controllers.delete(controller)
    }
    return request.settings.stream ? this.#stream(request, finished) : this.#complete(request, finished)
  }

  #prepare(params: ChatCompletionParams): Request {
    const { id, tokenizer, chatTemplate, contextLength } = this.#options
    const requestedAt = this.#now()
    const settings = parseParams(params, tokenizer.vocabularySize, randomInteger())
    const { messages, continueAnswer, overflow, maxTokens } = settings
    if (settings.tools !== null || settings.format !== null) {
      throw new EngineError('unsupported', 'This engine has no tools and no response formats yet.')
    }
    const encoded = Int32Array.from(chatTemplate.encode(messages, { continueLast: continueAnswer }))
    const sinkCount = overflow === 'slide' ? countSinks(chatTemplate, messages, encoded, contextLength) : 0
    const prompt = fitPrompt(encoded, contextLength, { overflow, sinkCount, maxTokens })
    if (prompt.length === 0) throw new EngineError('invalid-argument', 'The messages give an empty prompt.')
    const head = {
      id: `chatcmpl-${randomName()}`,
      created: Math.floor(Date.now() / 1000),
      model: id,
      system_fingerprint: this.#fingerprint(),
    }
    return { settings, prompt, sinkCount, head, requestedAt, controller: new AbortController() }
  }

  #fingerprint(): string {
    const { id, modelHash, backend } = this.#options
    return `fp_${modelHash?.slice(0, 10) ?? id}_${backend.kind}-${backend.variant}`
  }

  async #complete(request: Request, finished: () => void): Promise<ChatCompletion> {
    const builder = new CompletionBuilder(request.settings)
    try {
      const usage = await this.#answer(request, {
        onStart: (index, reading) => builder.start(index, reading),
        onPiece: (index, piece) => builder.add(index, piece),
        onFinish: (index, reason) => builder.finish(index, reason),
      })
      return builder.build(request.head, usage)
    } finally {
      finished()
    }
  }

  #stream(request: Request, finished: () => void): AsyncIterable<ChatCompletionChunk> {
    const { settings, head, controller } = request
    const factory = new ChunkFactory(head, settings)
    const stream = new ChunkStream<ChatCompletionChunk>(() =>
      controller.abort(new EngineError('aborted', 'The reader left the stream.')),
    )
    this.#answer(request, {
      onStart: (index, reading) => stream.push(factory.role(index, reading)),
      onPiece: (index, piece) => stream.push(factory.piece(index, piece)),
      onFinish: (index, reason) => stream.push(factory.finish(index, reason)),
    })
      .then((usage) => {
        if (settings.includeUsage) stream.push(factory.usage(usage))
        stream.end()
      })
      .catch((error: unknown) => stream.fail(error))
      .finally(finished)
    return stream
  }

  /**
   * All choices. The first evaluates the prompt, which the others share; each of them waits for its turn when the one
   * before has got its own, so that they do not all go ahead of another request.
   */
  async #answer(request: Request, listener: AnswerListener): Promise<Usage> {
    const { controller, settings } = request
    const usages: Promise<Usage>[] = []
    for (let index = 0; index < settings.n; index++) {
      await new Promise<void>((goOn, failed) => {
        const onStart = (_: number, reading: PromptReading | null): void => {
          listener.onStart(index, reading)
          goOn()
        }
        const onTurn = index === 0 ? (): void => undefined : goOn
        const choice = this.#choose(request, index, { ...listener, onStart, onTurn })
        usages.push(choice)
        choice.then(() => goOn(), failed)
        // Where one fails the others are not wanted any more.
        choice.catch((error: unknown) => controller.abort(error))
      })
    }
    return sumUsage(await Promise.all(usages))
  }

  async #choose(request: Request, index: number, listener: ChoiceListener): Promise<Usage> {
    const run = this.#run(request, index, listener)
    const { finishReason, usage } = await abortable(run, request.controller.signal)
    listener.onFinish(index, finishReason)
    return usage
  }

  #run(request: Request, index: number, listener: ChoiceListener): Promise<GenerationResult> {
    const { settings, prompt, sinkCount, requestedAt, controller } = request
    const { backend, tokenizer, contextLength } = this.#options
    const { signal } = controller
    const { sampling, maxTokens, overflow } = settings
    const wanted =
      maxTokens === null || overflow === 'slide'
        ? contextLength
        : Math.min(contextLength, prompt.length + maxTokens)
    const answer = async (): Promise<GenerationResult> => {
      try {
        const session = this.#pool.acquire(prompt, wanted)
        this.#batcher.enter()
        listener.onTurn()
        try {
          // Listeners of the request may only now learn that it runs; give an abort its chance too.
          await this.#pacer.breathe()
          signal.throwIfAborted()
          return await generate({
            settings,
            prompt,
            sinkCount,
            session,
            maxBatch: backend.maxBatch,
            tokenizer,
            sampler: new Sampler({ ...sampling, seed: sampling.seed + index }, this.#candidates),
            stepCosts: this.#stepCosts,
            isAlone: () => this.#batcher.running === 1,
            pacer: this.#pacer,
            now: this.#now,
            requestedAt,
            signal,
            onStart: (reading) => listener.onStart(index, reading),
            onPiece: (piece) => listener.onPiece(index, piece),
          })
        } finally {
          this.#pool.release(session)
          this.#batcher.leave()
        }
      } catch (error) {
        if (signal.aborted || isEngineError(error)) throw error
        const message = error instanceof Error ? error.message : String(error)
        throw new EngineError('internal', `The backend failed: ${message}`, { cause: error })
      }
    }
    return this.#queue.run(signal, answer, () => this.#pool.fits(wanted))
  }
}

/** `work`, or the signal's reason as soon as it fires; what `work` then still does is not waited for. */
function abortable<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** 32 random bits, for requests without a seed. */
function randomInteger(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!
}

/** Not `crypto.randomUUID`, which pages without https lack. */
function randomName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')
}
