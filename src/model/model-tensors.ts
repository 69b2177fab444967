import type { GgufTensor } from '../gguf/types'
import type { ModelDefinition } from './definition'

/** Every tensor of a model once: matrices, and the vectors that are kept as floats. */
export function tensorsOf(model: ModelDefinition): { matrices: Set<GgufTensor>; vectors: Set<GgufTensor> } {
  const matrices = new Set([model.tokenEmbedding, model.outputHead])
  const vectors = new Set([model.outputNorm])
  for (const layer of model.layers) {
    for (const m of [layer.query, layer.key, layer.value, layer.output, layer.gate, layer.up, layer.down]) {
      matrices.add(m)
    }
    for (const v of [
      layer.attentionNorm,
      layer.queryBias,
      layer.keyBias,
      layer.valueBias,
      layer.queryNorm,
      layer.keyNorm,
      layer.postAttentionNorm,
      layer.feedForwardNorm,
      layer.postFeedForwardNorm,
    ]) {
      if (v !== null) vectors.add(v)
    }
  }
  return { matrices, vectors }
}

/** Weights of a tensor. */
export function elementCount(tensor: GgufTensor): number {
  return tensor.shape.reduce((product, length) => product * length, 1)
}

/** Rows of a matrix, a vector being one row. */
export function rowCount(tensor: GgufTensor): number {
  return elementCount(tensor) / tensor.shape[0]!
}
