import { dequantize } from '../../gguf/blocks'
import type { GgufTensor } from '../../gguf/types'
import type { LayerDefinition, Rope } from '../../model/definition'
import type { LoadOptions } from '../backend'

/** A matrix is (rows = output, columns = input), row after row; a vector is as long as its columns. */
export interface LayerWeights {
  readonly attentionNorm: Float32Array // (embedding)
  readonly query: Float32Array // (headCount × headDim, embedding)
  readonly key: Float32Array // (kvHeadCount × headDim, embedding)
  readonly value: Float32Array // (kvHeadCount × headDim, embedding)
  readonly queryBias: Float32Array | null // (headCount × headDim)
  readonly keyBias: Float32Array | null // (kvHeadCount × headDim)
  readonly valueBias: Float32Array | null // (kvHeadCount × headDim)
  readonly queryNorm: Float32Array | null // (headDim)
  readonly keyNorm: Float32Array | null // (headDim)
  readonly output: Float32Array // (embedding, headCount × headDim)
  readonly postAttentionNorm: Float32Array | null // (embedding)
  readonly feedForwardNorm: Float32Array // (embedding)
  readonly gate: Float32Array // (feedForwardLength, embedding)
  readonly up: Float32Array // (feedForwardLength, embedding)
  readonly down: Float32Array // (embedding, feedForwardLength)
  readonly postFeedForwardNorm: Float32Array | null // (embedding)
  readonly rope: Rope
  readonly window: number | null
}

export interface Weights {
  readonly layers: readonly LayerWeights[]
  readonly tokenEmbedding: Float32Array // (vocabulary, embedding)
  readonly outputNorm: Float32Array // (embedding)
  readonly outputHead: Float32Array // (vocabulary, embedding); the same array as tokenEmbedding where tied
  readonly sizeBytes: number
}

/** Reads every tensor of the model once and turns it into floats. */
export async function loadWeights({ model, bytes, signal, onProgress }: LoadOptions): Promise<Weights> {
  const total = totalBytes(model)
  const loaded = new Map<GgufTensor, Float32Array>()
  let loadedBytes = 0
  let sizeBytes = 0

  const load = async (tensor: GgufTensor): Promise<Float32Array> => {
    signal?.throwIfAborted()
    const known = loaded.get(tensor)
    if (known !== undefined) return known
    const floats = new Float32Array(tensor.shape.reduce((product, size) => product * size, 1))
    dequantize(tensor.type, await bytes.read(tensor.offsetBytes, tensor.sizeBytes, { signal }), floats)
    loaded.set(tensor, floats)
    loadedBytes += tensor.sizeBytes
    sizeBytes += floats.byteLength
    onProgress?.(loadedBytes, total)
    return floats
  }
  const loadOptional = async (tensor: GgufTensor | null): Promise<Float32Array | null> =>
    tensor === null ? null : load(tensor)

  const loadLayer = async (layer: LayerDefinition): Promise<LayerWeights> => ({
    attentionNorm: await load(layer.attentionNorm),
    query: await load(layer.query),
    key: await load(layer.key),
    value: await load(layer.value),
    queryBias: await loadOptional(layer.queryBias),
    keyBias: await loadOptional(layer.keyBias),
    valueBias: await loadOptional(layer.valueBias),
    queryNorm: await loadOptional(layer.queryNorm),
    keyNorm: await loadOptional(layer.keyNorm),
    output: await load(layer.output),
    postAttentionNorm: await loadOptional(layer.postAttentionNorm),
    feedForwardNorm: await load(layer.feedForwardNorm),
    gate: await load(layer.gate),
    up: await load(layer.up),
    down: await load(layer.down),
    postFeedForwardNorm: await loadOptional(layer.postFeedForwardNorm),
    rope: layer.rope,
    window: layer.window,
  })

  const tokenEmbedding = await load(model.tokenEmbedding)
  const layers: LayerWeights[] = []
  for (const layer of model.layers) layers.push(await loadLayer(layer))
  const outputNorm = await load(model.outputNorm)
  const outputHead = await load(model.outputHead)
  return { layers, tokenEmbedding, outputNorm, outputHead, sizeBytes }
}

/** Bytes of the model's tensors in the file, each counted once. */
function totalBytes(model: LoadOptions['model']): number {
  const tensors = new Set<GgufTensor>([model.tokenEmbedding, model.outputNorm, model.outputHead])
  for (const layer of model.layers) {
    for (const part of Object.values({ ...layer })) if (isTensor(part)) tensors.add(part)
  }
  let total = 0
  for (const tensor of tensors) total += tensor.sizeBytes
  return total
}

function isTensor(part: LayerDefinition[keyof LayerDefinition]): part is GgufTensor {
  return part !== null && typeof part === 'object' && 'sizeBytes' in part
}
