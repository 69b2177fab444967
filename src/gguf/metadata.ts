import { EngineError } from '../contract/error'
import type { Gguf, GgufNumericArray, GgufValue } from './types'

/**
 * Typed reading of GGUF metadata. Each function takes the key and an optional fallback for where the key is absent;
 * without one, absence is an error. A present value of another type is always an error.
 * @throws EngineError 'invalid-model' naming the key, what was wanted and what was found.
 */
type Metadata = Pick<Gguf, 'metadata'>

/** An integer in 0…2^53 − 1, for counts, lengths and token ids. */
export function metadataCount(gguf: Metadata, key: string): number
export function metadataCount<T>(gguf: Metadata, key: string, fallback: T): number | T
export function metadataCount(gguf: Metadata, key: string, ...fallback: unknown[]): unknown {
  return get(
    gguf,
    key,
    'a whole number',
    (value) => Number.isSafeInteger(value) && Number(value) >= 0,
    fallback,
  )
}

export function metadataString(gguf: Metadata, key: string): string
export function metadataString<T>(gguf: Metadata, key: string, fallback: T): string | T
export function metadataString(gguf: Metadata, key: string, ...fallback: unknown[]): unknown {
  return get(gguf, key, 'a string', (value) => typeof value === 'string', fallback)
}

export function metadataBoolean(gguf: Metadata, key: string): boolean
export function metadataBoolean<T>(gguf: Metadata, key: string, fallback: T): boolean | T
export function metadataBoolean(gguf: Metadata, key: string, ...fallback: unknown[]): unknown {
  return get(gguf, key, 'a boolean', (value) => typeof value === 'boolean', fallback)
}

export function metadataStrings(gguf: Metadata, key: string): readonly string[]
export function metadataStrings<T>(gguf: Metadata, key: string, fallback: T): readonly string[] | T
export function metadataStrings(gguf: Metadata, key: string, ...fallback: unknown[]): unknown {
  return get(gguf, key, 'an array of strings', isStrings, fallback)
}

export function metadataNumbers(gguf: Metadata, key: string): GgufNumericArray
export function metadataNumbers<T>(gguf: Metadata, key: string, fallback: T): GgufNumericArray | T
export function metadataNumbers(gguf: Metadata, key: string, ...fallback: unknown[]): unknown {
  return get(gguf, key, 'an array of numbers', (value) => ArrayBuffer.isView(value), fallback)
}

/**
 * The metadata of one architecture, whose keys have its name in front: `attention.head_count` is read as, for
 * instance, `llama.attention.head_count`. A fallback stands for an absent key and is checked as a value would be.
 * @throws EngineError 'invalid-model' as the functions above
 */
export class ArchitectureMetadata {
  readonly #gguf: Metadata
  readonly #prefix: string

  constructor(gguf: Metadata, architecture: string) {
    this.#gguf = gguf
    this.#prefix = `${architecture}.`
  }

  has(key: string): boolean {
    return this.value(key) !== undefined
  }

  value(key: string): GgufValue | undefined {
    return this.#gguf.metadata.get(this.#prefix + key)
  }

  string(key: string, fallback: string): string {
    return metadataString(this.#gguf, this.#prefix + key, fallback)
  }

  /** A finite number for which `accepts` holds. */
  number(key: string, wanted: string, accepts: (value: number) => boolean, fallback?: number): number {
    const value = this.value(key) ?? fallback
    if (typeof value === 'number' && Number.isFinite(value) && accepts(value)) return value
    throw this.#wrong(key, wanted, value)
  }

  positiveInteger(key: string, maximum: number, fallback?: number): number {
    const { wanted, accepts } = positiveUpTo(maximum)
    return this.number(key, wanted, accepts, fallback)
  }

  /**
   * As `positiveInteger`; a file may also give one number a layer, which must then all be equal.
   * @throws EngineError 'unsupported' where they differ
   */
  uniformPositiveInteger(key: string, maximum: number, fallback?: number): number {
    const value = this.value(key)
    if (typeof value !== 'object') return this.positiveInteger(key, maximum, fallback)
    const { wanted, accepts } = positiveUpTo(maximum)
    const [first, ...others] = value
    if (typeof first !== 'number' || !accepts(first)) throw this.#wrong(key, wanted, value)
    if (others.every((each) => each === first)) return first
    throw new EngineError(
      'unsupported',
      `The model has layers of different sizes (${this.#prefix}${key}); only models whose layers are alike can run.`,
      { details: { key: this.#prefix + key } },
    )
  }

  /** One boolean a layer, or null where the key is absent or a single number. */
  flagsPerLayer(key: string, layerCount: number): boolean[] | null {
    const value = this.value(key)
    if (value === undefined || typeof value === 'number') return null
    const isFlag = (each: unknown): boolean => typeof each === 'boolean' || typeof each === 'number'
    if (typeof value === 'object' && value.length === layerCount && [...value].every(isFlag)) {
      return Array.from<unknown, boolean>(value, Boolean)
    }
    throw this.#wrong(key, `a number, or ${layerCount} booleans`, value)
  }

  #wrong(key: string, wanted: string, value: GgufValue | undefined): EngineError {
    return wrong(this.#prefix + key, wanted, value)
  }
}

function positiveUpTo(maximum: number): { wanted: string; accepts: (value: number) => boolean } {
  return {
    wanted: `an integer from 1 to ${maximum}`,
    accepts: (value) => Number.isInteger(value) && value >= 1 && value <= maximum,
  }
}

function isStrings(value: GgufValue): boolean {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string')
}

function get(
  gguf: Metadata,
  key: string,
  wanted: string,
  accepts: (value: GgufValue) => boolean,
  fallback: readonly unknown[],
): unknown {
  const value = gguf.metadata.get(key)
  if (value !== undefined && accepts(value)) return value
  if (value === undefined && fallback.length > 0) return fallback[0]
  throw wrong(key, wanted, value)
}

function wrong(key: string, wanted: string, value: GgufValue | undefined): EngineError {
  return new EngineError(
    'invalid-model',
    `The model's metadata "${key}" must be ${wanted}, but ${describe(value)}. Use a file of a supported model.`,
    { details: { key } },
  )
}

function describe(value: GgufValue | undefined): string {
  if (value === undefined) return 'it is absent'
  if (typeof value === 'string')
    return `it is the string "${value.length > 40 ? `${value.slice(0, 40)}…` : value}"`
  if (typeof value === 'object') return `it is an array of ${value.length} entries`
  return `it is ${value}`
}
