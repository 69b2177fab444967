import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import type { Backend } from '../backend/backend'
import { loadWasm } from '../backend/wasm'
import type { KvCache } from '../contract/engine'
import { EngineError } from '../contract/error'
import { parseGguf } from '../gguf/parse'
import { readModel } from '../model/read-model'
import { type FileSource, openFileSource, openModelFolder } from '../store/node-file'
import { loadChatTemplate, type ChatTemplate } from '../tokenizer/chat-template'
import { createTokenizer, type Tokenizer } from '../tokenizer/tokenizer'

/** A model with its parts in this thread: scoring texts needs sessions, which an engine does not give. */
export interface BareModel {
  readonly id: string
  /** SHA-256 of the GGUF file, lower-case hex. */
  readonly hash: string
  /** For instance 'Q4_1'. */
  readonly quantization: string
  /** What the model was trained for, in tokens. */
  readonly contextLength: number
  readonly backend: Backend
  readonly tokenizer: Tokenizer
  readonly template: ChatTemplate
}

/** What names a model, without loading it. */
export async function readModelHash(path: string): Promise<Pick<BareModel, 'id' | 'hash' | 'quantization'>> {
  const { source, ...identity } = await openModelBytes(path)
  await source.close()
  return identity
}

export interface OpenBareModelOptions {
  kvCache?: KvCache | undefined
  signal?: AbortSignal | undefined
}

/**
 * @param path a GGUF file, or a folder with a manifest
 * @throws EngineError 'invalid-argument' where there is none, or as loading a model does
 */
export async function openBareModel(
  path: string,
  threads: number | undefined,
  { kvCache, signal }: OpenBareModelOptions = {},
): Promise<BareModel> {
  allowRelaxedSimd()
  const { source, ...identity } = await openModelBytes(path, signal)
  try {
    const gguf = await parseGguf(source, { signal })
    const tokenizer = createTokenizer(gguf)
    const model = await readModel(gguf, source, { signal })
    const backend = await loadWasm({ model, bytes: source, threads, kvCache, signal })
    const template = await loadChatTemplate(gguf, tokenizer)
    return { ...identity, contextLength: model.contextLength, backend, tokenizer, template }
  } finally {
    await source.close()
  }
}

/** Node 20 has relaxed SIMD behind a flag; the kernels take what is right of it, and are twice as fast. */
export function allowRelaxedSimd(): void {
  if (process.versions.v8.startsWith('11.')) setFlagsFromString('--experimental-wasm-relaxed-simd')
}

/** The bytes of a GGUF file, or of a folder with a manifest. */
export async function openModelBytes(
  path: string,
  signal?: AbortSignal,
): Promise<{ source: FileSource; id: string; hash: string; quantization: string }> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new EngineError('invalid-argument', `There is no model at ${path}. Check the path.`, { cause })
  })
  return found.isDirectory() ? openFolder(path) : openFile(path, signal)
}

async function openFolder(path: string) {
  const { manifest, source } = await openModelFolder(path)
  const { id, sha256, quantization } = manifest
  const closable: FileSource = {
    sizeBytes: source.sizeBytes,
    read: (offset, length, options) => source.read(offset, length, options),
    // Each read opens and closes its chunk.
    close: async () => undefined,
  }
  return { source: closable, id, hash: sha256, quantization }
}

async function openFile(path: string, signal: AbortSignal | undefined) {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) {
    signal?.throwIfAborted()
    hash.update(chunk as Buffer)
  }
  const id = basename(path, '.gguf')
  const quantization = /(?:^|[._-])(I?Q\d\w*|B?F16|F32)$/i.exec(id)?.[1]?.toUpperCase() ?? 'unknown'
  return { source: await openFileSource(path), id, hash: hash.digest('hex'), quantization }
}
