import type { GpuWork } from './gpu-work'

/** What the page measures: one engine with one model, loaded once. All times are wall clock, in milliseconds. */
export interface Subject {
  /**
   * Evaluates the first `count` prompt tokens from an empty cache and samples one token.
   * @returns milliseconds, by the engine's own clock where it has one
   */
  prefill(count: number): Promise<number>
  /**
   * Decodes `count` tokens greedily, one after the other, on top of the first `context` prompt tokens. Their
   * evaluation is not timed and is skipped where the cache still holds them.
   * @returns milliseconds for the `count` tokens
   */
  decode(context: number, count: number): Promise<number>
  /**
   * The likeliest token after each of `tokens` from `from` on: by these it is known that an engine computes what
   * the others do. Only where prompts are given as ids.
   */
  choices?(tokens: readonly number[], from: number): Promise<number[]>
  /** What it asked of the GPU since this was last called; only where it can run there. */
  gpuWork?(): Promise<GpuWork>
  /** What is known of how it runs: threads, variant, cache type. Goes to the JSON as it is. */
  describe(): Promise<Record<string, unknown>>
  dispose(): Promise<void>
}

/** The prompt all subjects see: ids for those who take ids, the same as text for those who take only text. */
export interface Prompt {
  readonly ids: readonly number[]
  /** `words[i]` is exactly the token `ids[i]`. */
  readonly words: readonly string[]
}

/** As both libraries take it. */
export interface ChatMessage {
  readonly role: 'system' | 'user'
  readonly content: string
}

/** Cross from the benchmark (Node) into the page. */
export interface SubjectRequest {
  readonly kind: 'minnow' | 'wllama' | 'onnxruntime'
  /** Where it computes; wllama is only given the CPU. */
  readonly provider: 'wasm' | 'webgpu'
  readonly threads: number
  readonly modelUrl: string
  readonly contextLength: number
  readonly prompt: Prompt
}

/** Milliseconds from the call to a loaded engine, and from there to the first piece of the answer. */
export interface LoadTimes {
  readonly promptTokens: number
  readonly loadMs: number
  readonly firstTokenMs: number
}
