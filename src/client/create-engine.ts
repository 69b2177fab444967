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
import { defaultModelUrl, toModelReference, type ModelSource } from './model-reference'
import { PartStream } from './part-stream'
import { adoptWorker, checkWorker, spawnWorker } from './spawn-worker'
import { WorkerLink } from './worker-link'

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
  /** Most tokens of prompt and answer together. Default: the model's own, at most what fits the memory. */
  contextLength?: number
  /**
   * How the WASM backend keeps keys and values of past tokens. '8-bit' takes half the memory and changes answers slightly (its
   * perplexity is 0.2 % higher). Default: '16-bit'.
   */
  kvCache?: KvCache
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
  const lifeLock = link.lifeLock ?? undefined
  const request: LoadRequest = {
    model,
    threads,
    backend,
    powerPreference,
    contextLength,
    kvCache,
    lifeLock,
  }
