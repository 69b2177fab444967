import type { GgufTensor } from '../gguf/types'

export type Architecture = 'llama' | 'qwen2' | 'qwen3' | 'gemma3'

/** Rotary position embedding of one layer kind. */
export interface Rope {
  /** Number of leading dimensions of a head that are rotated; even. */
  readonly dimensionCount: number
  /** 'interleaved' rotates (2i, 2i+1) (llama's permuted q and k); 'half' rotates (i, i + dimensionCount / 2) (neox). */
  readonly style: 'interleaved' | 'half'
  /**
   * (dimensionCount / 2) angles per position: base^(−2i / dimensionCount), with linear scaling and
   * rope_freqs factors already applied. The rotation angle at position p is p × frequencies[i].
   */
  readonly frequencies: Float32Array
}

/** One transformer layer, as data. Absent tensors are null. All weights are [columns = input, rows = output]. */
export interface LayerDefinition {
  readonly attentionNorm: GgufTensor
  readonly query: GgufTensor // (embedding, headCount × headDim)
  readonly key: GgufTensor // (embedding, kvHeadCount × headDim)
  readonly value: GgufTensor
  readonly queryBias: GgufTensor | null
  readonly keyBias: GgufTensor | null
  readonly valueBias: GgufTensor | null
  /** RMS norm over each head, before RoPE: (headDim). */
  readonly queryNorm: GgufTensor | null
  readonly keyNorm: GgufTensor | null
  readonly output: GgufTensor // (headCount × headDim, embedding)
  /** Gemma: RMS norm of the attention's output before it is added to the residual. */
  readonly postAttentionNorm: GgufTensor | null
  readonly feedForwardNorm: GgufTensor
  readonly gate: GgufTensor // (embedding, feedForwardLength)
  readonly up: GgufTensor // (embedding, feedForwardLength)
  readonly down: GgufTensor // (feedForwardLength, embedding)
  readonly postFeedForwardNorm: GgufTensor | null
  readonly rope: Rope
  /** Sliding window: a query at p sees keys in (p − window, p]. null: all. */
  readonly window: number | null
}

export interface ModelDefinition {
  readonly architecture: Architecture
  readonly name: string
  readonly vocabularySize: number
  /** What the model was trained for. */
  readonly contextLength: number
  readonly embeddingLength: number
  readonly headCount: number
  readonly kvHeadCount: number
  readonly headDim: number
  readonly feedForwardLength: number
  readonly normEpsilon: number
  /** Multiplies token embeddings: sqrt(embeddingLength) for Gemma, else 1. */
  readonly embeddingScale: number
  /** Multiplies q·k, usually 1 / sqrt(headDim). */
  readonly attentionScale: number
  /** cap × tanh(x / cap) on final logits; null: none. */
  readonly logitSoftcap: number | null
  readonly attentionSoftcap: number | null
  /** Of the gated feed-forward: act(gate) × up. 'gelu' is the tanh approximation. */
  readonly activation: 'silu' | 'gelu'
  readonly layers: readonly LayerDefinition[]
  readonly tokenEmbedding: GgufTensor // (embedding, vocabulary)
  readonly outputNorm: GgufTensor
  /** Equal to tokenEmbedding where tied. */
  readonly outputHead: GgufTensor
}
