import type { ByteSource } from '../contract/bytes'
import { EngineError } from '../contract/error'
import type { Gguf, GgufTensor } from '../gguf/types'
import { architectures, isArchitecture } from './architectures'
import type { ArchitectureTraits } from './architectures'
import type { LayerDefinition, ModelDefinition, Rope } from './definition'
import { ArchitectureMetadata } from '../gguf/metadata'
import { noRopeScaling, ropeFrequencies, yarnMagnitude } from './rope'
import type { RopeScaling } from './rope'
import { TensorTaker } from './tensors'

// Far above any model that fits a browser; they keep damaged files from asking for absurd sizes.
const maximumLayers = 512
const maximumLength = 1 << 20

/**
 * Reads hyperparameters and the list of layers from a parsed GGUF file, and the RoPE factors, if the file has
 * them, from its bytes. Follows llama.cpp's reading of the same keys and tensors.
 * @throws EngineError 'unsupported' for an architecture or variant that cannot run here, 'invalid-model' where
 *   metadata or tensors are missing, of the wrong type or of the wrong shape.
 */
export async function readModel(
  gguf: Gguf,
  bytes: ByteSource,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<ModelDefinition> {
  const architecture = gguf.metadata.get('general.architecture')
  if (!isArchitecture(architecture)) {
    const known = Object.keys(architectures).join(', ')
    throw new EngineError(
      'unsupported',
      `The model's architecture is ${JSON.stringify(architecture ?? null)}; these can run: ${known}.`,
      { details: { architecture: typeof architecture === 'string' ? architecture : null } },
    )
  }
  const traits = architectures[architecture]
  const metadata = new ArchitectureMetadata(gguf, architecture)
  const tensors = new TensorTaker(gguf)
  refuseVariants(metadata)

  const layerCount = metadata.positiveInteger('block_count', maximumLayers)
  const contextLength = metadata.positiveInteger('context_length', 2 ** 31 - 1)
  const embeddingLength = metadata.positiveInteger('embedding_length', maximumLength)
  const feedForwardLength = metadata.uniformPositiveInteger('feed_forward_length', maximumLength)
  const headCount = metadata.uniformPositiveInteger('attention.head_count', maximumLength)
  const kvHeadCount = metadata.uniformPositiveInteger('attention.head_count_kv', maximumLength, headCount)
  const defaultHeadDim = Math.floor(embeddingLength / headCount)
  const headDim = metadata.positiveInteger('attention.key_length', maximumLength, defaultHeadDim)
  const valueDim = metadata.positiveInteger('attention.value_length', maximumLength, defaultHeadDim)
  if (headCount % kvHeadCount !== 0) {
    throw new EngineError(
      'invalid-model',
      `The model has ${headCount} query heads and ${kvHeadCount} key heads; the first must be a multiple of the second.`,
    )
  }
  if (headDim !== valueDim) {
    throw new EngineError(
      'unsupported',
      `The model has key heads of ${headDim} and value heads of ${valueDim}; only equal sizes can run.`,
    )
  }
  const normEpsilon = metadata.number(
    'attention.layer_norm_rms_epsilon',
    'a number from 0 to 1',
    (x) => x >= 0 && x <= 1,
  )

  const dimensionCount = metadata.positiveInteger('rope.dimension_count', maximumLength, headDim)
  if (
    dimensionCount % 2 !== 0 ||
    dimensionCount > headDim ||
    (!traits.partialRope && dimensionCount !== headDim)
  ) {
    throw new EngineError(
      'unsupported',
      `The model rotates ${dimensionCount} of ${headDim} dimensions of a head; ${architecture} models rotate all, an even number.`,
    )
  }
  const { globalRope, localRope, magnitude } = await readRopes({
    metadata,
    tensors,
    traits,
    dimensionCount,
    contextLength,
    bytes,
    signal,
  })
  if (magnitude !== 1 && dimensionCount !== headDim) {
    throw new EngineError(
      'unsupported',
      'The model scales a part of each head (rope.scaling.attn_factor), which cannot run.',
    )
  }

  const windows = readWindows(metadata, traits, layerCount)
  const layers: LayerDefinition[] = []
  const queryLength = headCount * headDim
  const keyLength = kvHeadCount * headDim
  for (let i = 0; i < layerCount; i++) {
    const window = windows[i] ?? null
    const name = (part: string): string => `blk.${i}.${part}`
    layers.push({
      attentionNorm: tensors.vector(name('attn_norm.weight'), embeddingLength),
      query: tensors.matrix(name('attn_q.weight'), embeddingLength, queryLength),
      key: tensors.matrix(name('attn_k.weight'), embeddingLength, keyLength),
      value: tensors.matrix(name('attn_v.weight'), embeddingLength, keyLength),
      queryBias: tensors.optionalVector(name('attn_q.bias'), queryLength),
      keyBias: tensors.optionalVector(name('attn_k.bias'), keyLength),
      valueBias: tensors.optionalVector(name('attn_v.bias'), keyLength),
      queryNorm: traits.headNorms ? tensors.vector(name('attn_q_norm.weight'), headDim) : null,
      keyNorm: traits.headNorms ? tensors.vector(name('attn_k_norm.weight'), headDim) : null,
      output: tensors.matrix(name('attn_output.weight'), queryLength, embeddingLength),
      postAttentionNorm: traits.postNorms
        ? tensors.vector(name('post_attention_norm.weight'), embeddingLength)
        : null,
      feedForwardNorm: tensors.vector(name('ffn_norm.weight'), embeddingLength),
      gate: tensors.matrix(name('ffn_gate.weight'), embeddingLength, feedForwardLength),
      up: tensors.matrix(name('ffn_up.weight'), embeddingLength, feedForwardLength),
      down: tensors.matrix(name('ffn_down.weight'), feedForwardLength, embeddingLength),
      postFeedForwardNorm: traits.postNorms
        ? tensors.vector(name('post_ffw_norm.weight'), embeddingLength)
        : null,
      rope: window === null ? globalRope : localRope,
      window,
    })
  }

  const vocabularySize = readVocabularySize(gguf)
  const tokenEmbedding = tensors.matrix('token_embd.weight', embeddingLength, vocabularySize)
  const outputNorm = tensors.vector('output_norm.weight', embeddingLength)
  const outputHead =
    tensors.optionalMatrix('output.weight', embeddingLength, vocabularySize) ?? tokenEmbedding
  tensors.finish(architecture)

  const cap = traits.logitSoftcap
    ? metadata.number('final_logit_softcapping', 'a number from 0', (x) => x >= 0, 0)
    : 0
  const name = gguf.metadata.get('general.name')
  return {
    architecture,
    name: typeof name === 'string' ? name : architecture,
    vocabularySize,
    contextLength,
    embeddingLength,
    headCount,
    kvHeadCount,
    headDim,
    feedForwardLength,
    normEpsilon,
    embeddingScale: traits.scalesEmbedding ? Math.sqrt(embeddingLength) : 1,
    // Rotated queries and keys both grow by the magnitude, so their product grows by its square.
    attentionScale:
      traits.attentionScale({ layerCount, embeddingLength, headCount, headDim }) * magnitude * magnitude,
    logitSoftcap: cap === 0 ? null : cap,
    attentionSoftcap: null,
    activation: traits.activation,
    layers,
    tokenEmbedding,
    outputNorm,
    outputHead,
  }
}

function refuseVariants(metadata: ArchitectureMetadata): void {
  const experts = metadata.number('expert_count', 'an integer from 0', (x) => x >= 0, 0)
  if (experts > 0) {
    throw new EngineError(
      'unsupported',
      `The model is a mixture of ${experts} experts; only dense models can run.`,
    )
  }
}

interface RopeSource {
  metadata: ArchitectureMetadata
  tensors: TensorTaker
  traits: ArchitectureTraits
  dimensionCount: number
  contextLength: number
  bytes: ByteSource
  signal: AbortSignal | undefined
}

async function readRopes(
  source: RopeSource,
): Promise<{ globalRope: Rope; localRope: Rope; magnitude: number }> {
  const { metadata, tensors, traits, dimensionCount } = source
  const positive = (x: number): boolean => x > 0
  const base = metadata.number('rope.freq_base', 'a number above 0', positive, 10_000)
  const scaling = readScaling(source)
  const factorsTensor = traits.ropeFactors
    ? tensors.optionalVector('rope_freqs.weight', dimensionCount / 2)
    : null
  const factors = factorsTensor === null ? null : await readFactors(factorsTensor, source)
  const style = traits.ropeStyle
  const globalRope: Rope = {
    dimensionCount,
    style,
    frequencies: ropeFrequencies(dimensionCount, base, scaling, factors),
  }
  const magnitude =
    yarnMagnitude(scaling) * metadata.number('rope.scaling.attn_factor', 'a number above 0', positive, 1)
  if (traits.slidingWindow === null) return { globalRope, localRope: globalRope, magnitude }
  const localBase = metadata.number(
    'rope.freq_base_swa',
    'a number above 0',
    positive,
    traits.slidingWindow.ropeBase,
  )
  const localRope: Rope = {
    dimensionCount,
    style,
    frequencies: ropeFrequencies(dimensionCount, localBase, noRopeScaling, factors),
  }
  return { globalRope, localRope, magnitude }
}

function readScaling({ metadata, traits, contextLength }: RopeSource): RopeScaling {
  const type = metadata.string('rope.scaling.type', 'linear')
  if (type === 'none') return noRopeScaling
  if (type !== 'linear' && !(type === 'yarn' && traits.yarn)) {
    throw new EngineError(
      'unsupported',
      `The model stretches its context by ${JSON.stringify(type)}, which cannot run here.`,
      {
        details: { ropeScaling: type },
      },
    )
  }
  const atLeast0 = (x: number): boolean => x >= 0
  const oldKey = metadata.number('rope.scale_linear', 'a number from 0', atLeast0, 0)
  // 0 is how files say "none".
  const factor = metadata.number('rope.scaling.factor', 'a number from 0', atLeast0, oldKey) || 1
  if (type === 'linear') return { factor, yarn: null }
  for (const key of [
    'rope.scaling.yarn_log_multiplier',
    'rope.scaling.yarn_ext_factor',
    'rope.scaling.yarn_attn_factor',
  ]) {
    if (metadata.has(key)) {
      throw new EngineError('unsupported', `The model's YaRN has ${key}, which cannot run here.`, {
        details: { key },
      })
    }
  }
  const positive = (x: number): boolean => x > 0
  return {
    factor,
    yarn: {
      originalContextLength: metadata.positiveInteger(
        'rope.scaling.original_context_length',
        2 ** 31 - 1,
        contextLength,
      ),
      betaFast: metadata.number('rope.scaling.yarn_beta_fast', 'a number above 0', positive, 32),
      betaSlow: metadata.number('rope.scaling.yarn_beta_slow', 'a number above 0', positive, 1),
    },
  }
}

async function readFactors(tensor: GgufTensor, { bytes, signal }: RopeSource): Promise<Float32Array> {
  if (tensor.type !== 'F32') {
    throw new EngineError('unsupported', `Tensor ${tensor.name} is of type ${tensor.type}, expected F32.`)
  }
  // A copy: the source's array need not be aligned to four bytes, and lives only until the next read.
  const raw = (await bytes.read(tensor.offsetBytes, tensor.sizeBytes, { signal })).slice()
  const factors = new Float32Array(raw.buffer)
  if (factors.some((factor) => !(factor > 0) || !Number.isFinite(factor))) {
    throw new EngineError(
      'invalid-model',
      `Tensor ${tensor.name} has factors that are not above 0; the file is damaged.`,
    )
  }
  return factors
}

/** (layerCount) The window of each layer; null: sees everything. */
function readWindows(
  metadata: ArchitectureMetadata,
  traits: ArchitectureTraits,
  layerCount: number,
): (number | null)[] {
  const everywhere = Array.from({ length: layerCount }, () => null)
  if (traits.slidingWindow === null) return everywhere
  const key = 'attention.sliding_window'
  const window = metadata.number(key, 'an integer from 0', (x) => Number.isInteger(x) && x >= 0, 0)
  if (window === 0) return everywhere
  const pattern = 'attention.sliding_window_pattern'
  const flags = metadata.flagsPerLayer(pattern, layerCount)
  if (flags !== null) return flags.map((local) => (local ? window : null))
  const period = metadata.number(
    pattern,
    'an integer from 0',
    (x) => Number.isInteger(x) && x >= 0,
    traits.slidingWindow.period,
  )
  return everywhere.map((_, i) => (period === 0 || i % period < period - 1 ? window : null))
}

/** Rows of the embedding; where the file brings a vocabulary, it must have one token a row. */
function readVocabularySize(gguf: Gguf): number {
  const rows = gguf.tensors.get('token_embd.weight')?.shape[1]
  if (rows === undefined || rows < 1) {
    throw new EngineError(
      'invalid-model',
      'The model lacks tensor token_embd.weight; the file is incomplete or damaged.',
    )
  }
  const tokens = gguf.metadata.get('tokenizer.ggml.tokens')
  if (typeof tokens === 'object' && tokens.length !== rows) {
    throw new EngineError(
      'invalid-model',
      `The model has ${rows} embeddings but a vocabulary of ${tokens.length} tokens; the file is damaged.`,
    )
  }
  return rows
}
