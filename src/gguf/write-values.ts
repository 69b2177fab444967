// Values of the metadata as they lie in a file: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md

const scalarTypes = {
  uint8: 0,
  int8: 1,
  uint16: 2,
  int16: 3,
  uint32: 4,
  int32: 5,
  float32: 6,
  bool: 7,
  string: 8,
  uint64: 10,
  int64: 11,
  float64: 12,
} as const
const arrayType = 9

export type ScalarType = keyof typeof scalarTypes
export type Scalar = number | bigint | boolean | string

export type TypedArray =
  | readonly [type: 'array', of: ScalarType, values: ArrayLike<Scalar>]
  | readonly [type: 'array', of: 'array', values: readonly TypedArray[]]

/** A metadata value with the type it has in the file. */
export type TypedValue = readonly [type: ScalarType, value: Scalar] | TypedArray

/** Collects little-endian bytes. Values are written as they are given: nothing is checked here. */
export class ByteWriter {
  length = 0
  readonly #parts: Uint8Array[] = []

  bytes(bytes: Uint8Array): void {
    this.#parts.push(bytes)
    this.length += bytes.length
  }

  zeros(count: number): void {
    this.bytes(new Uint8Array(count))
  }

  /** Zeros up to a multiple of `alignment`. */
  pad(alignment: number): void {
    this.zeros(Math.ceil(this.length / alignment) * alignment - this.length)
  }

  scalar(type: ScalarType, value: Scalar): void {
    if (type === 'string') {
      const bytes = new TextEncoder().encode(String(value))
      this.scalar('uint64', bytes.length)
      this.bytes(bytes)
      return
    }
    this.bytes(new Uint8Array(scalarBytes[type](value).buffer))
  }

  /** An entry of the metadata: key, type, value. */
  entry(key: string, value: TypedValue): void {
    this.scalar('string', key)
    this.scalar('uint32', value[0] === 'array' ? arrayType : scalarTypes[value[0]])
    if (value[0] === 'array') this.#array(value)
    else this.scalar(value[0], value[1])
  }

  finish(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.length)
    let at = 0
    for (const part of this.#parts) {
      all.set(part, at)
      at += part.length
    }
    return all
  }

  #array(array: TypedArray): void {
    this.scalar('uint32', array[1] === 'array' ? arrayType : scalarTypes[array[1]])
    this.scalar('uint64', array[2].length)
    if (array[1] === 'array') for (const inner of array[2]) this.#array(inner)
    else for (const value of Array.from(array[2])) this.scalar(array[1], value)
  }
}

const scalarBytes: Readonly<Record<Exclude<ScalarType, 'string'>, (value: Scalar) => ArrayBufferView>> = {
  uint8: (value) => Uint8Array.of(Number(value)),
  int8: (value) => Int8Array.of(Number(value)),
  bool: (value) => Uint8Array.of(Number(value)),
  uint16: (value) => Uint16Array.of(Number(value)),
  int16: (value) => Int16Array.of(Number(value)),
  uint32: (value) => Uint32Array.of(Number(value)),
  int32: (value) => Int32Array.of(Number(value)),
  float32: (value) => Float32Array.of(Number(value)),
  float64: (value) => Float64Array.of(Number(value)),
  uint64: (value) => BigUint64Array.of(BigInt(value)),
  int64: (value) => BigInt64Array.of(BigInt(value)),
}
