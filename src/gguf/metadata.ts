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
  throw new EngineError(
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
