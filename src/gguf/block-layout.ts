import { EngineError } from '../contract/error'
import type { GgmlType } from './types'

/** How a tensor type lies in memory: `blockSize` consecutive weights of a row take `bytesPerBlock` bytes. */
export interface BlockLayout {
  /** The type's number in a file (enum ggml_type of ggml.h). */
  readonly id: number
  readonly blockSize: number
  readonly bytesPerBlock: number
}

export const blockLayouts: Readonly<Record<GgmlType, BlockLayout>> = {
  F32: { id: 0, blockSize: 1, bytesPerBlock: 4 },
  F16: { id: 1, blockSize: 1, bytesPerBlock: 2 },
  Q4_0: { id: 2, blockSize: 32, bytesPerBlock: 18 },
  Q4_1: { id: 3, blockSize: 32, bytesPerBlock: 20 },
  Q5_0: { id: 6, blockSize: 32, bytesPerBlock: 22 },
  Q5_1: { id: 7, blockSize: 32, bytesPerBlock: 24 },
  Q8_0: { id: 8, blockSize: 32, bytesPerBlock: 34 },
  Q2_K: { id: 10, blockSize: 256, bytesPerBlock: 84 },
  Q3_K: { id: 11, blockSize: 256, bytesPerBlock: 110 },
  Q4_K: { id: 12, blockSize: 256, bytesPerBlock: 144 },
  Q5_K: { id: 13, blockSize: 256, bytesPerBlock: 176 },
  Q6_K: { id: 14, blockSize: 256, bytesPerBlock: 210 },
  IQ4_NL: { id: 20, blockSize: 32, bytesPerBlock: 18 },
  BF16: { id: 30, blockSize: 1, bytesPerBlock: 2 },
}

function isGgmlType(name: string): name is GgmlType {
  return Object.hasOwn(blockLayouts, name)
}

/** All tensor types Minnow reads. */
export const ggmlTypes: readonly GgmlType[] = Object.keys(blockLayouts).filter(isGgmlType)

const typesById = new Map(ggmlTypes.map((type) => [blockLayouts[type].id, type]))

/** Types that exist but that Minnow does not read; only for the error message. */
const otherTypeNames: Readonly<Record<number, string>> = {
  9: 'Q8_1',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
}

/**
 * The type with this number in a file.
 * @throws EngineError 'unsupported' for types of ggml that Minnow does not read, 'invalid-model' for unknown numbers.
 */
export function ggmlTypeById(id: number, tensorName: string): GgmlType {
  const type = typesById.get(id)
  if (type !== undefined) return type
  const known = otherTypeNames[id]
  if (known === undefined) {
    throw new EngineError('invalid-model', `Tensor "${tensorName}" has type ${id}, which no ggml type has.`, {
      details: { tensor: tensorName, type: id },
    })
  }
  throw new EngineError(
    'unsupported',
    `Tensor "${tensorName}" is of type ${known}. Use a file with ${ggmlTypes.join(', ')} only.`,
    { details: { tensor: tensorName, type: known } },
  )
}

/** Bytes of `elementCount` weights; `elementCount` is a multiple of the type's block size. */
export function sizeInBytes(type: GgmlType, elementCount: number): number {
  const { blockSize, bytesPerBlock } = blockLayouts[type]
  if (elementCount % blockSize !== 0) {
    throw new EngineError(
      'invalid-argument',
      `${elementCount} weights are no whole number of ${type} blocks of ${blockSize}.`,
    )
  }
  return (elementCount / blockSize) * bytesPerBlock
}
