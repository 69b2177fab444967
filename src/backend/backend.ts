import type { ByteSource } from '../contract/bytes'
import type { ModelDefinition } from '../model/definition'

/**
 * A backend turns token ids into logits. It knows nothing of text, chat, sampling or confidence,
 * and nothing of where the bytes of the model come from.
 */
export interface Backend {
  readonly kind: 'reference' | 'wasm' | 'webgpu'
  /** Which build of the kernels runs, for instance 'relaxed-simd'. */
  readonly variant: string
  readonly threads: number
  /** Most tokens one `forward` takes; the engine cuts longer prompts. */
  readonly maxBatch: number
  /** Weights as they lie in memory. */
  readonly weightsBytes: number
  /** Everything held now: weights, KV caches, scratch. */
  readonly memoryBytes: number
  /** @throws EngineError 'out-of-memory' where the KV cache does not fit. */
  createSession(options: { contextLength: number }): BackendSession
  dispose(): void
}

/** One sequence with its KV cache. */
export interface BackendSession {
  readonly contextLength: number
  /** Tokens in the KV cache. */
  readonly length: number
  /**
   * Appends `tokens` (1…maxBatch) and gives the logits of the last `outputs` of them (0…tokens.length, default 1),
   * oldest first. The result of a position does not depend, to the bit, on how tokens were grouped into calls,
   * nor on the number of threads.
   * @throws EngineError 'context-overflow' when length + tokens.length > contextLength; the session is unchanged.
   */
  forward(tokens: ArrayLike<number>, options?: { outputs?: number }): Promise<Logits[]>
  /** Forgets all but the first `length` tokens. */
  truncate(length: number): void
  /**
   * Forgets tokens [from, to) and moves what follows down to `from`, rotating the keys to their new positions
   * (attention sinks: https://arxiv.org/abs/2309.17453).
   */
  shift(from: number, to: number): void
  dispose(): void
}

/** Raw logits of one position. Valid until the session's next call. */
export interface Logits {
  /** Index of the largest logit; the lowest index among equals. */
  readonly argmax: number
  /** ln Σ exp(logit), temperature 1. */
  readonly logSumExp: number
  /** The largest logit minus the second largest; 0 where two share it, Infinity where there is but one. */
  readonly margin: number
  /** −Σ p ln p with p = exp(logit − logSumExp): temperature 1, in nats. */
  readonly entropy: number
  /** (vocabularySize) A view: copy before you change it. */
  values(): Float32Array
  /** (embeddingLength) What the head made the logits of: the hidden state after the output norm. A copy. */
  hidden(): Float32Array
}

export interface LoadOptions {
  model: ModelDefinition
  bytes: ByteSource
  /** Wanted threads; fewer where the device has fewer or memory can't be shared. */
  threads?: number | undefined
  signal?: AbortSignal | undefined
  onProgress?: ((loadedBytes: number, totalBytes: number) => void) | undefined
}

/** Implementations come by dynamic import and reject with 'unsupported' where the device lacks something. */
export type LoadBackend = (options: LoadOptions) => Promise<Backend>
