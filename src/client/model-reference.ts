import { EngineError } from '../contract/error'
import type { ModelReference } from '../worker/api'

/**
 * Where a model comes from: the URL of a manifest (`…/manifest.json`) or of a GGUF file, a file the user chose,
 * or the bytes of a GGUF file. A string is resolved against the page. In Node also a `file:` URL, of a GGUF file or
 * of a folder with a manifest.
 */
export type ModelSource = string | URL | Blob | ArrayBuffer | Uint8Array

/** Folder of the embedded default model, beside the package's `dist` folder. */
export const DEFAULT_MODEL_PATH = 'models/smollm2-135m-instruct-q4_1/manifest.json'

/** What of it is downloaded. */
export const DEFAULT_MODEL_BYTES = 98362432

/**
 * The embedded model's manifest, one folder above this module: right for the package as it is published, and for
 * a page whose bundle lies in a folder beside `models/`.
 */
export function defaultModelUrl(): URL {
  // Not `new URL('…', import.meta.url)`: bundlers would take the manifest for an asset and part it from its chunks.
  const module = import.meta.url
  return new URL(`../${DEFAULT_MODEL_PATH}`, module)
}

/** @throws EngineError 'invalid-argument' */
export function toModelReference(model: ModelSource): ModelReference {
  if (typeof model === 'string' || model instanceof URL) return { kind: 'url', url: resolveUrl(model) }
  if (typeof Blob !== 'undefined' && model instanceof Blob) {
    const name = typeof File !== 'undefined' && model instanceof File ? model.name : 'model.gguf'
    return { kind: 'blob', blob: model, name }
  }
  // As a Blob: the browser keeps those outside the heap, and the worker reads it in slices.
  if (model instanceof ArrayBuffer || model instanceof Uint8Array) {
    return { kind: 'blob', blob: new Blob([model as BlobPart]), name: 'model.gguf' }
  }
  throw new EngineError(
    'invalid-argument',
    `model must be a URL, a Blob or bytes, but is of type ${typeof model}.`,
  )
}

/** What a page has, and Node has not. */
interface PageGlobals {
  document?: { baseURI: string }
  location?: { href: string }
}

/** @throws EngineError 'invalid-argument' */
export function resolveUrl(url: string | URL): string {
  const text = String(url)
  const { document, location } = globalThis as PageGlobals
  const base = document?.baseURI ?? location?.href
  if (text !== '' && URL.canParse(text, base)) return new URL(text, base).href
  throw new EngineError('invalid-argument', `model must be a URL, but is ${JSON.stringify(text)}.`)
}
