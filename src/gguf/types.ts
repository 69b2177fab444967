/** GGUF files (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), versions 2 and 3, little-endian. */

export type GgmlType =
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'Q4_0'
  | 'Q4_1'
  | 'Q5_0'
  | 'Q5_1'
  | 'Q8_0'
  | 'Q2_K'
  | 'Q3_K'
  | 'Q4_K'
  | 'Q5_K'
  | 'Q6_K'
  | 'IQ4_NL'

/** 64-bit integers beyond 2^53 are refused. Arrays of numbers are typed arrays where the file's type has one. */
export type GgufValue =
  | number
  | boolean
  | string
  | readonly string[]
  | readonly boolean[]
  | GgufNumericArray
  | readonly GgufValue[]

export type GgufNumericArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array

export interface GgufTensor {
  readonly name: string
  readonly type: GgmlType
  /** ggml order: shape[0] is the contiguous one (columns), shape[1] rows. */
  readonly shape: readonly number[]
  /** Absolute, in the file. */
  readonly offsetBytes: number
  readonly sizeBytes: number
}

export interface Gguf {
  readonly version: 2 | 3
  readonly metadata: ReadonlyMap<string, GgufValue>
  /** Where each entry of the metadata stands in the file, from its key on: to copy it with the type it has there. */
  readonly metadataRanges: ReadonlyMap<string, { readonly offsetBytes: number; readonly sizeBytes: number }>
  /** In file order. */
  readonly tensors: ReadonlyMap<string, GgufTensor>
  /** Size of the whole file as its header claims it, checked against the source. */
  readonly sizeBytes: number
}
