import { EngineError } from '../contract/error'
import { metadataCount, metadataString } from './metadata'
import type { Gguf } from './types'

/** What a GGUF file says of itself. */
export interface GgufDescription {
  /** `general.name`; undefined where the file has none. */
  readonly name: string | undefined
  readonly architecture: string
  /** The type that most weights have, for instance 'Q4_1'. */
  readonly quantization: string
  /** Tokens. */
  readonly contextLength: number
  /** Number of weights. */
  readonly parameters: number
  /** SPDX identifier, or 'LicenseRef-…'; undefined where the file states none. */
  readonly licence: string | undefined
  readonly url: string | undefined
  /** Author or organization. */
  readonly author: string | undefined
}

const LICENCES = [
  'Apache-2.0',
  'MIT',
  'CC-BY-4.0',
  'CC-BY-NC-4.0',
  'CC-BY-SA-4.0',
  'BSD-3-Clause',
  'Unlicense',
]

/** @throws EngineError 'invalid-model' for a file without tensors or without the metadata every model has */
export function describeGguf(gguf: Gguf): GgufDescription {
  const text = (key: string): string | undefined => {
    const found = metadataString(gguf, key, undefined)
    return found === '' ? undefined : found
  }
  const architecture = metadataString(gguf, 'general.architecture')
  return {
    name: text('general.name'),
    architecture,
    quantization: mainType(gguf),
    contextLength: metadataCount(gguf, `${architecture}.context_length`),
    parameters: [...gguf.tensors.values()].reduce((sum, { shape }) => sum + elements(shape), 0),
    licence: licenceOf(text('general.license')),
    url: text('general.url') ?? text('general.source.url'),
    author: text('general.author') ?? text('general.organization'),
  }
}

function mainType(gguf: Gguf): string {
  const counts = new Map<string, number>()
  for (const { type, shape } of gguf.tensors.values()) {
    counts.set(type, (counts.get(type) ?? 0) + elements(shape))
  }
  const [most] = [...counts].toSorted((a, b) => b[1] - a[1])
  if (most === undefined) {
    throw new EngineError('invalid-model', 'The file has no tensors: it holds a vocabulary only.')
  }
  return most[0]
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1)
}

/** Files write licences as Hugging Face does, in lower case. */
function licenceOf(stated: string | undefined): string | undefined {
  if (stated === undefined) return undefined
  const known = LICENCES.find((spdx) => spdx.toLowerCase() === stated.toLowerCase())
  return known ?? `LicenseRef-${stated}`
}
