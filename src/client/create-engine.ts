import type {
  BackendPreference,
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionParams,
  ChatCompletions,
  Engine,
  EngineInfo,
  KvCache,
  LoadProgress,
  RequestOptions,
} from '../contract/engine'
import { EngineError } from '../contract/error'
import type { GenerationMessage, LoadMessage, LoadRequest } from '../worker/api'
import { openCallChannel } from './call-channel'
import { defaultModelUrl, resolveUrl, toModelReference, type ModelSource } from './model-reference'
import { PartStream } from './part-stream'
import { adoptWorker, checkWorker, spawnWorker } from './spawn-worker'
import { WorkerLink, type WorkerHandle } from './worker-link'

export interface CreateEngineOptions {
  /** Default: the embedded SmolLM2-135M-Instruct, in `models/` beside the package's `dist` folder. */
  model?: ModelSource
  /**
   * Wanted threads. Default: all cores but one, which the page needs, at most four. More than one needs a
   * cross-origin isolated page (https://web.dev/articles/coop-coep); without it one thread is used.
   */
  threads?: number
  /**
   * Default 'auto': where there is a GPU, both are tried once with this model, and the faster one is remembered for
   * this device. 'webgpu' rejects with 'unsupported' where there is none, or it computes wrongly.
   */
  backend?: BackendPreference
  /** Which GPU, where there are several. Default: the browser's choice. */
  powerPreference?: 'low-power' | 'high-performance'
  /** Most tokens of prompt and answer together. Default: 2,048, or the model's own where that is less. */
  contextLength?: number
  /**
   * How the WASM backend keeps keys and values of past tokens. '8-bit' takes half the memory and changes answers slightly (its
   * perplexity is 0.2 % higher). Default: '16-bit'.
   */
  kvCache?: KvCache
  /**
   * Most requests, and choices of one request, that are answered at the same time, in passes over the weights that they
   * share: four give 1.5 times the tokens a second of one on one thread. Default 4. One after the other on a GPU.
   */
  parallel?: number
  /**
   * Bytes of keys and values of all requests and kept conversations on the CPU. What a request may need is known when it
   * comes: it waits where there is no room beside others. Default: 256 MiB, or what one whole context takes.
   * createEngine() rejects with 'out-of-memory' where a context takes more.
   */
  cacheLimitBytes?: number
  /**
   * Whether a model that comes by a manifest stays on this device, so that the next load needs no network. Default true. Where the
   * browser has no place or no room the model is used all the same; `info.notKept` says so.
   */
  cache?: boolean
  /** More URLs of the model, for when the first does not answer: of the same manifest, or of the whole GGUF file. */
  mirrors?: readonly (string | URL)[]
  /** Stops the loading; createEngine() then rejects with `signal.reason`. */
  signal?: AbortSignal
  onProgress?: (progress: LoadProgress) => void
  /**
   * A module worker made from `minnow-llm/worker`, for bundlers and hosts that can't start one from
   * `new URL('./worker.js', import.meta.url)`. It stays yours: dispose() frees the engine but does not end it.
   */
  worker?: Worker
}

/**
 * Starts a worker, loads a model into it and gives the engine that answers. In Node the worker is a thread.
 *
 * @throws EngineError 'network', 'integrity', 'invalid-model', 'unsupported', 'out-of-memory',
 * 'invalid-argument', 'worker-lost'; or `signal.reason`
 */
export async function createEngine(options: CreateEngineOptions = {}): Promise<Engine> {
  const { worker, ...settings } = options
  if (worker !== undefined) checkWorker(worker)
  return loadEngine(settings, async () => (worker === undefined ? spawnWorker() : adoptWorker(worker)))
}

/** The same in whatever `start` gives. */
export async function loadEngine(
  options: Omit<CreateEngineOptions, 'worker'>,
  start: () => Promise<WorkerHandle>,
): Promise<Engine> {
  const { signal, threads, backend, powerPreference, contextLength, kvCache, onProgress } = options
  const { parallel, cacheLimitBytes } = options
  const mirrors = options.mirrors?.map(resolveUrl)
  checkCount('threads', threads)
  checkCount('contextLength', contextLength)
  checkCount('parallel', parallel)
  checkCount('cacheLimitBytes', cacheLimitBytes)
  checkBackend(backend)
  checkKvCache(kvCache)
  signal?.throwIfAborted()
  const model = toModelReference(options.model ?? defaultModelUrl())
  const link = new WorkerLink(await start())
  const lifeLock = link.lifeLock ?? undefined
  const request: LoadRequest = {
    model,
    threads,
    backend,
    powerPreference,
    contextLength,
    kvCache,
    parallel,
    cacheLimitBytes,
    cache: options.cache,
    mirrors,
    lifeLock,
  }
  try {
    const info = await load(link, request, signal, onProgress)
    return new WorkerEngine(link, info)
  } catch (error) {
    link.close(new EngineError('disposed', 'The engine did not load.'))
    throw error
  }
}

function load(
  link: WorkerLink,
  request: LoadRequest,
  signal: AbortSignal | undefined,
  onProgress: ((progress: LoadProgress) => void) | undefined,
): Promise<EngineInfo> {
  return new Promise((resolve, reject) => {
    openCallChannel<LoadMessage>({
      link,
      signal,
      call: (port) => link.api.load(request, port),
      isLast: (message) => message.type === 'loaded' || message.type === 'failed',
      onMessage(message) {
        if (message.type === 'alive') link.watchLifeLock()
        else if (message.type === 'progress') onProgress?.(message.progress)
        else if (message.type === 'loaded') resolve(message.info)
        else reject(EngineError.fromData(message.error))
      },
      onFailure: reject,
    })
  })
}

/** The engine of a worker, as a value of this thread. */
class WorkerEngine implements Engine {
  readonly chat: { readonly completions: ChatCompletions }
  readonly #link: WorkerLink
  #info: EngineInfo

  constructor(link: WorkerLink, info: EngineInfo) {
    this.#link = link
    this.#info = info
    const create = (
      params: ChatCompletionParams,
      { signal }: RequestOptions = {},
    ): Promise<ChatCompletion | AsyncIterable<ChatCompletionChunk>> =>
      params.stream === true ? this.#stream(params, signal) : this.#complete(params, signal)
    // The overloads part streaming from not streaming by `params.stream`, as `create` does.
    this.chat = { completions: { create: create as ChatCompletions['create'] } }
  }

  get info(): EngineInfo {
    return this.#info
  }

  async dispose(): Promise<void> {
    if (this.#link.closed !== null) return
    this.#link.close(new EngineError('disposed', 'The engine was disposed of. Create a new one.'))
    if (!this.#link.endsWorker) await this.#link.api.unload()
  }

  #complete(params: ChatCompletionParams, signal: AbortSignal | undefined): Promise<ChatCompletion> {
    return new Promise((resolve, reject) => {
      openCallChannel<GenerationMessage>({
        link: this.#link,
        signal,
        call: (port) => this.#link.api.generate(params, port),
        isLast: isLastOfGeneration,
        onMessage: (message) => {
          if (message.type === 'completed') {
            this.#info = message.info
            resolve(message.completion)
          } else if (message.type === 'failed') reject(EngineError.fromData(message.error))
        },
        onFailure: reject,
      })
    })
  }

  /** Resolves once the worker accepts the request, so that a refused one rejects here and not in the loop. */
  #stream(
    params: ChatCompletionParams,
    signal: AbortSignal | undefined,
  ): Promise<AsyncIterable<ChatCompletionChunk>> {
    return new Promise((resolve, reject) => {
      const stream = new PartStream<ChatCompletionChunk>(() => cancel())
      const cancel = openCallChannel<GenerationMessage>({
        link: this.#link,
        signal,
        call: (port) => this.#link.api.generate(params, port),
        isLast: isLastOfGeneration,
        onMessage: (message) => {
          if (message.type === 'started') resolve(stream)
          else if (message.type === 'parts') stream.push(message.parts)
          else if (message.type === 'ended') {
            this.#info = message.info
            stream.finish()
          } else if (message.type === 'failed') {
            const error = EngineError.fromData(message.error)
            reject(error)
            stream.fail(error)
          }
        },
        onFailure: (reason) => {
          reject(reason)
          stream.fail(reason, { discard: true })
        },
      })
    })
  }
}

function isLastOfGeneration(message: GenerationMessage): boolean {
  return message.type === 'completed' || message.type === 'ended' || message.type === 'failed'
}

function checkBackend(value: string | undefined): void {
  if (value === undefined || ['auto', 'wasm', 'webgpu'].includes(value)) return
  throw new EngineError('invalid-argument', `backend is 'auto', 'wasm' or 'webgpu', not '${value}'.`)
}

function checkKvCache(value: string | undefined): void {
  if (value === undefined || ['8-bit', '16-bit'].includes(value)) return
  throw new EngineError('invalid-argument', `kvCache is '8-bit' or '16-bit', not '${value}'.`)
}

function checkCount(name: string, value: number | undefined): void {
  if (value === undefined || (Number.isInteger(value) && value > 0)) return
  throw new EngineError(
    'invalid-argument',
    `${name} must be a whole number above 0, but is ${String(value)}.`,
  )
}
