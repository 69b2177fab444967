import { blockLayouts } from './block-layout'
import type { QuantizableType } from './quantize'
import type { Gguf, GgufTensor } from './types'
import type { TypedValue } from './write-values'

/** Numbers of enum llama_ftype (llama.h): the type of most weights. */
const fileTypes: Readonly<Record<QuantizableType, number>> = {
  F32: 0,
  F16: 1,
  Q4_0: 2,
  Q4_1: 3,
  Q8_0: 7,
  Q5_0: 8,
  Q5_1: 9,
  BF16: 32,
}

/** Matrices, the embedding and the head among them: what is quantised. Norms and biases stay as they are. */
export function quantizableTensors(gguf: Gguf): GgufTensor[] {
  return [...gguf.tensors.values()].filter(
    ({ name, shape }) =>
      shape.filter((length) => length > 1).length >= 2 &&
      name.endsWith('weight') &&
      !name.endsWith('_norm.weight'),
  )
}

/** The embedding, and the output head where it is not the same. */
export function isEmbedding({ name }: GgufTensor): boolean {
  return name === 'token_embd.weight' || name === 'output.weight'
}

/** The type a tensor can have: F16 where its rows are no whole blocks of `type`. */
export function fittingType({ shape }: GgufTensor, type: QuantizableType): QuantizableType {
  return shape[0]! % blockLayouts[type].blockSize === 0 ? type : 'F16'
}

/** What the metadata of a file in these types says of them. */
export function quantizationMetadata(type: QuantizableType): Record<string, TypedValue> {
  return {
    'general.quantization_version': ['uint32', 2],
    'general.file_type': ['uint32', fileTypes[type]],
  }
}
