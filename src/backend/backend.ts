import type { ByteSource } from '../contract/bytes'
import type { KvCache } from '../contract/engine'
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
  /**
   * @throws EngineError 'out-of-memory' where the KV cache could not fit; one that grows may also end a later `forward()`
   * so, and then stays as it was.
   */
  createSession(options: { contextLength: number }): BackendSession
  /** Bytes that the KV cache of a session takes which holds `length` tokens. Absent where it has one size. */
  cacheBytesFor?(length: number): number
  /**
   * `forward()` of several sessions, each of them once, in one pass over the weights: 1…maxBatch tokens together, prompts
   * and steps alike. Gives what each call would give alone, to the bit; all logits are valid until the next call of any of
   * the sessions. Where it rejects for its arguments or for want of memory, all sessions are unchanged. Absent where
   * one pass would save nothing.
   */
  forwardMany?(calls: readonly ForwardCall[]): Promise<Logits[][]>
  dispose(): void
}

/** One sequence with its KV cache. */
export interface BackendSession {
  readonly contextLength: number
  /** Tokens in the KV cache. */
  readonly length: number
  /** Bytes of a KV cache that grows, at its largest. Default: it has its size from the beginning. */
  readonly cacheBytes?: number | undefined
  /**
   * Appends `tokens` (1…maxBatch) and gives the logits of the last `outputs` of them (0…tokens.length, default 1),
   * oldest first. The result of a position does not depend, to the bit, on how tokens were grouped into calls,
   * nor on the number of threads.
   * @throws EngineError 'context-overflow' when length + tokens.length > contextLength; the session is unchanged.
   */
  forward(tokens: ArrayLike<number>, options?: ForwardOptions): Promise<Logits[]>
  /**
   * Appends the likeliest token of the newest output, chosen on the device: the call need not wait until that output
   * is known here. At most two calls may be under way, and nothing else beside them. Absent where the device is this
   * thread and waiting costs nothing.
   */
  follow?(options?: FollowOptions): Promise<FollowedLogits>
  /** Whether `follow` saves waiting. Default: wherever there is one. */
  readonly canFollow?: boolean
  /** Becomes the first `length` tokens of another session of the same backend. Absent where that is not to be had. */
  copyFrom?(other: BackendSession, length: number): void
  /** Forgets all but the first `length` tokens. */
  truncate(length: number): void
  /**
   * Forgets tokens [from, to) and moves what follows down to `from`, rotating the keys to their new positions
   * (attention sinks: https://arxiv.org/abs/2309.17453).
   */
  shift(from: number, to: number): void
  dispose(): void
}

export interface ForwardOptions {
  /** How many of the last tokens to give logits of. Default 1. */
  outputs?: number
  /** Default 'all'. Of several outputs whole rows are given where 'top' was asked for. */
  detail?: LogitDetail
  /** For `Logits.tempered`. Default: not wanted. */
  temperature?: number | undefined
}

/** One session's part of `forwardMany()`. */
export interface ForwardCall {
  readonly session: BackendSession
  readonly tokens: ArrayLike<number>
  readonly options?: ForwardOptions | undefined
}

export interface FollowOptions {
  /** Default 'all'. */
  detail?: LogitDetail
  /** For `Logits.tempered`. Default: not wanted. */
  temperature?: number | undefined
  /**
   * Appends a token drawn from the newest output's `top` instead, as near to what a sampler would draw as the device
   * can tell: it may be any token, so that the caller must compare it with its own and take it back where they differ.
   */
  draw?: Draw | null | undefined
}

/** One draw from the likeliest tokens: top-k, top-p, min-p, then a quantile at a temperature. */
export interface Draw {
  /** Above 0. */
  readonly temperature: number
  /** 1…TOP_COUNT; 0: any token, with the temperature that the output before was asked for. */
  readonly topK: number
  /** Of the k tokens' probability; 1: off. */
  readonly topP: number
  /** 0: off. */
  readonly minP: number
  /** 0…1: the quantile, counted from the likeliest token down. */
  readonly quantile: number
}

export interface FollowedLogits extends Logits {
  /** The token that was appended. */
  readonly token: number
}

/**
 * What is wanted of logits, so that a GPU need not hand over a whole row: 'summary' is argmax, maximum, logSumExp,
 * margin and entropy; 'top' adds `top`; 'all' adds `values()` and `hidden()`. A backend may give more than was asked.
 */
export type LogitDetail = 'summary' | 'top' | 'all'

/** The likeliest tokens of a row. */
export interface TopLogits {
  /** Descending by logit, the lowest id first among equals. */
  readonly ids: Uint32Array
  readonly logits: Float32Array
}

/** Most tokens of `Logits.top`. */
export const TOP_COUNT = 256

/** Raw logits of one position. Valid until the session's next call other than `follow()`. */
export interface Logits {
  /** Index of the largest logit; the lowest index among equals. */
  readonly argmax: number
  /** The largest logit. */
  readonly maximum: number
  /** ln Σ exp(logit), temperature 1. */
  readonly logSumExp: number
  /** The largest logit minus the second largest; 0 where two share it, Infinity where there is but one. */
  readonly margin: number
  /** −Σ p ln p with p = exp(logit − logSumExp): temperature 1, in nats. */
  readonly entropy: number
  /** Σ exp((logit − maximum) / temperature), where it was asked for and `values()` is not at hand. */
  readonly tempered?: number | undefined
  /** The min(TOP_COUNT, vocabularySize) likeliest tokens; null where they were not asked for or `values()` is at hand. */
  readonly top: TopLogits | null
  /** (vocabularySize) A view: copy before you change it. Needs detail 'all'. */
  values(): Float32Array
  /** (embeddingLength) What the head made the logits of: the hidden state after the output norm. A copy. Needs detail 'all'. */
  hidden(): Float32Array
}

export interface LoadOptions {
  model: ModelDefinition
  bytes: ByteSource
  /** Wanted threads; fewer where the device has fewer or memory can't be shared. */
  threads?: number | undefined
  /** How sessions keep keys and values, where the backend has a choice; default: '16-bit'. */
  kvCache?: KvCache | undefined
  signal?: AbortSignal | undefined
  onProgress?: ((loadedBytes: number, totalBytes: number) => void) | undefined
}

/** Implementations come by dynamic import and reject with 'unsupported' where the device lacks something. */
export type LoadBackend = (options: LoadOptions) => Promise<Backend>
