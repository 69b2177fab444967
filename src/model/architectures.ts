import type { Architecture } from './definition'

/** What sets one architecture apart from the others; everything else is read from the file. */
export interface ArchitectureTraits {
  readonly ropeStyle: 'interleaved' | 'half'
  readonly activation: 'silu' | 'gelu'
  /** RMS norm of each query and key head before RoPE. */
  readonly headNorms: boolean
  /** RMS norm of the outputs of attention and of the feed-forward before they are added to the residual. */
  readonly postNorms: boolean
  /** Token embeddings are multiplied by sqrt(embeddingLength). */
  readonly scalesEmbedding: boolean
  /** The tensor rope_freqs.weight, if there, divides the RoPE frequencies (Llama 3.1 and later). */
  readonly ropeFactors: boolean
  /** RoPE may rotate only the leading dimensions of a head. */
  readonly partialRope: boolean
  /** The key `rope.scaling.type` may say 'yarn'. */
  readonly yarn: boolean
  /** final_logit_softcapping is obeyed. */
  readonly logitSoftcap: boolean
  /** Local layers, where the file gives a window. */
  readonly slidingWindow: {
    /** The last of each `period` layers is global, unless the file says otherwise. */
    readonly period: number
    /** RoPE base of local layers, unless the file says otherwise. Local layers have no scaling. */
    readonly ropeBase: number
  } | null
  /** Multiplies q·k. */
  readonly attentionScale: (sizes: AttentionSizes) => number
}

export interface AttentionSizes {
  readonly layerCount: number
  readonly embeddingLength: number
  readonly headCount: number
  readonly headDim: number
}

const llama: ArchitectureTraits = {
  ropeStyle: 'interleaved',
  activation: 'silu',
  headNorms: false,
  postNorms: false,
  scalesEmbedding: false,
  ropeFactors: true,
  partialRope: false,
  yarn: true,
  logitSoftcap: false,
  slidingWindow: null,
  attentionScale: ({ headDim }) => 1 / Math.sqrt(headDim),
}

const qwen2: ArchitectureTraits = { ...llama, ropeStyle: 'half', ropeFactors: false }

const qwen3: ArchitectureTraits = { ...qwen2, headNorms: true }

/** Gemma 3 27B, the one size that scales by embedding / heads (168) in place of the head's 128. */
const gemma3LargestLayerCount = 62

const gemma3: ArchitectureTraits = {
  ropeStyle: 'half',
  activation: 'gelu',
  headNorms: true,
  postNorms: true,
  scalesEmbedding: true,
  ropeFactors: false,
  partialRope: true,
  yarn: false,
  logitSoftcap: true,
  slidingWindow: { period: 6, ropeBase: 10_000 },
  attentionScale: ({ layerCount, embeddingLength, headCount, headDim }) =>
    1 / Math.sqrt(layerCount === gemma3LargestLayerCount ? Math.floor(embeddingLength / headCount) : headDim),
}

/** Follows llama.cpp, src/models/{llama,qwen2,qwen3,gemma3}.cpp at v0.5.0. */
export const architectures: Readonly<Record<Architecture, ArchitectureTraits>> = {
  llama,
  qwen2,
  qwen3,
  gemma3,
}

export function isArchitecture(name: unknown): name is Architecture {
  return typeof name === 'string' && Object.hasOwn(architectures, name)
}
