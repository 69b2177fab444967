import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import type { Backend } from '../src/backend/backend'
import { loadWasm } from '../src/backend/wasm'
import { parseGguf } from '../src/gguf/parse'
import { readModel } from '../src/model/read-model'
import { openFileSource, openModelFolder } from '../src/store/node-file'
import { loadChatTemplate, type ChatTemplate } from '../src/tokenizer/chat-template'
import { createTokenizer, type Tokenizer } from '../src/tokenizer/tokenizer'

/** A model with its parts in this thread: scoring texts needs sessions, which an engine does not give. */
export interface EvalModel {
  readonly id: string
  /** SHA-256 of the GGUF file, lower-case hex. */
  readonly hash: string
  /** For instance 'Q4_1'. */
  readonly quantization: string
  readonly backend: Backend
  readonly tokenizer: Tokenizer
  readonly template: ChatTemplate
}

/** What names a model, without loading it. */
export async function readModelHash(path: string): Promise<Pick<EvalModel, 'id' | 'hash' | 'quantization'>> {
  const { id, hash, quantization } = (await stat(path)).isDirectory()
    ? await openFolder(path)
    : await openFile(path)
  return { id, hash, quantization }
}

/** @param path a GGUF file, or a folder with a manifest */
export async function openEvalModel(path: string, threads: number): Promise<EvalModel> {
  // Node 20 has relaxed SIMD behind a flag; the kernels take what is right of it, and are twice as fast.
  if (process.versions.v8.startsWith('11.')) setFlagsFromString('--experimental-wasm-relaxed-simd')
  const opened = (await stat(path)).isDirectory() ? await openFolder(path) : await openFile(path)
  const { source, ...identity } = opened
  const gguf = await parseGguf(source)
  const tokenizer = createTokenizer(gguf)
  const backend = await loadWasm({ model: await readModel(gguf, source), bytes: source, threads })
  return { ...identity, backend, tokenizer, template: await loadChatTemplate(gguf, tokenizer) }
}

async function openFolder(path: string) {
  const { manifest, source } = await openModelFolder(path)
  return { source, id: manifest.id, hash: manifest.sha256, quantization: manifest.quantization }
}

async function openFile(path: string) {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  const id = basename(path, '.gguf')
  const quantization = /(?:^|[._-])(I?Q\d\w*|B?F16|F32)$/i.exec(id)?.[1]?.toUpperCase() ?? 'unknown'
  return { source: await openFileSource(path), id, hash: hash.digest('hex'), quantization }
}
