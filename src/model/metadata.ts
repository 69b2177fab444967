import { EngineError } from '../contract/error'
import type { Gguf, GgufValue } from '../gguf/types'

/**
 * Typed access to the metadata of one architecture. Keys are given without the architecture's prefix:
 * `attention.head_count` is looked up as, for instance, `llama.attention.head_count`.
 * A key of the wrong type or out of range throws EngineError 'invalid-model'.
 */
export class ArchitectureMetadata {
  readonly #metadata: Gguf['metadata']
  readonly #prefix: string

  constructor(gguf: Gguf, architecture: string) {
    this.#metadata = gguf.metadata
    this.#prefix = `${architecture}.`
  }

  has(key: string): boolean {
    return this.#metadata.has(this.#prefix + key)
  }

  value(key: string): GgufValue | undefined {
    return this.#metadata.get(this.#prefix + key)
  }

  /** A positive integer up to `maximum`; `fallback` where absent, an error where there is none. */
  positiveInteger(key: string, maximum: number, fallback?: number): number {
    const value = this.value(key) ?? fallback
    if (value === undefined) throw this.#missing(key)
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > maximum) {
      throw this.#wrong(key, value, `an integer from 1 to ${maximum}`)
    }
    return value
  }

  /** As `positiveInteger`; a file may also give one number a layer, which must then all be equal. */
  uniformPositiveInteger(key: string, maximum: number, fallback?: number): number {
    const value = this.value(key)
    if (value === undefined || typeof value === 'number') return this.positiveInteger(key, maximum, fallback)
    const perLayer = numbers(value)
    const first = perLayer?.[0]
    if (
      perLayer === null ||
      first === undefined ||
      !Number.isInteger(first) ||
      first < 1 ||
      first > maximum
    ) {
      throw this.#wrong(key, value, `an integer from 1 to ${maximum}`)
    }
    if (perLayer.some((each) => each !== first)) {
      throw new EngineError(
        'unsupported',
        `The model has layers of different sizes (${this.#prefix}${key}); only models whose layers are alike can run.`,
        { details: { key: this.#prefix + key } },
      )
    }
    return first
  }

  /** A finite number for which `accepts` holds; `fallback` where absent, an error where there is none. */
  number(key: string, expected: string, accepts: (value: number) => boolean, fallback?: number): number {
    const value = this.value(key) ?? fallback
    if (value === undefined) throw this.#missing(key)
    if (typeof value !== 'number' || !Number.isFinite(value) || !accepts(value)) {
      throw this.#wrong(key, value, expected)
    }
    return value
  }

  string(key: string, fallback: string): string {
    const value = this.value(key) ?? fallback
    if (typeof value !== 'string') throw this.#wrong(key, value, 'a string')
    return value
  }

  /** One boolean a layer, or null where the key is absent or a single number. */
  flagsPerLayer(key: string, layerCount: number): boolean[] | null {
    const value = this.value(key)
    if (value === undefined || typeof value === 'number') return null
    const flags = booleans(value)
    if (flags === null || flags.length !== layerCount) {
      throw this.#wrong(key, value, `a number, or ${layerCount} booleans`)
    }
    return flags
  }

  #missing(key: string): EngineError {
    return new EngineError(
      'invalid-model',
      `The model's metadata lacks ${this.#prefix}${key}; the file is damaged or was not made for inference.`,
      { details: { key: this.#prefix + key } },
    )
  }

  #wrong(key: string, value: GgufValue, expected: string): EngineError {
    const got = typeof value === 'object' ? `an array of ${value.length}` : JSON.stringify(value)
    return new EngineError(
      'invalid-model',
      `The model's metadata gives ${got} for ${this.#prefix}${key}, expected ${expected}.`,
      { details: { key: this.#prefix + key } },
    )
  }
}

function numbers(value: GgufValue): number[] | null {
  if (typeof value !== 'object') return null
  const list: number[] = []
  for (const each of value) {
    if (typeof each !== 'number') return null
    list.push(each)
  }
  return list
}

function booleans(value: GgufValue): boolean[] | null {
  if (typeof value !== 'object') return null
  const list: boolean[] = []
  for (const each of value) {
    if (typeof each !== 'boolean' && typeof each !== 'number') return null
    list.push(Boolean(each))
  }
  return list
}
