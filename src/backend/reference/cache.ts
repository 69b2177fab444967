import type { Rope } from '../../model/definition'
import { rotate } from './operations'

/**
 * Keys and values of one layer. Keys are kept as they were before RoPE as well, so that moving them to another
 * position is one exact rotation, never a rotation of a rotation.
 */
export class LayerCache {
  readonly plainKeys: Float32Array // (contextLength, kvLength)
  readonly keys: Float32Array // (contextLength, kvLength), rotated to their positions
  readonly values: Float32Array // (contextLength, kvLength)
  readonly #kvLength: number // kvHeadCount × headDim
  readonly #headDim: number
  readonly #rope: Rope

  constructor(contextLength: number, kvLength: number, headDim: number, rope: Rope) {
    this.plainKeys = new Float32Array(contextLength * kvLength)
    this.keys = new Float32Array(contextLength * kvLength)
    this.values = new Float32Array(contextLength * kvLength)
    this.#kvLength = kvLength
    this.#headDim = headDim
    this.#rope = rope
  }

  /** Stores one token's key, not yet rotated, and value: (kvLength) each. */
  put(position: number, key: Float64Array, value: Float64Array): void {
    this.plainKeys.set(key, position * this.#kvLength)
    this.values.set(value, position * this.#kvLength)
    this.#rotateAt(position)
  }

  /** Takes the first `length` positions of another cache. */
  copyFrom(other: LayerCache, length: number): void {
    const end = length * this.#kvLength
    this.plainKeys.set(other.plainKeys.subarray(0, end))
    this.keys.set(other.keys.subarray(0, end))
    this.values.set(other.values.subarray(0, end))
  }

  /** Moves positions [to, length) down to `from`. */
  shift(from: number, to: number, length: number): void {
    const n = this.#kvLength
    this.plainKeys.copyWithin(from * n, to * n, length * n)
    this.values.copyWithin(from * n, to * n, length * n)
    for (let position = from; position < length - (to - from); position++) this.#rotateAt(position)
  }

  #rotateAt(position: number): void {
    const start = position * this.#kvLength
    const end = start + this.#kvLength
    rotate(
      this.keys.subarray(start, end),
      this.plainKeys.subarray(start, end),
      this.#headDim,
      position,
      this.#rope,
    )
  }
}
