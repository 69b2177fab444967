import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ByteSource } from '../../src/contract/bytes'
import { parseGguf } from '../../src/gguf/parse'
import type { ModelDefinition } from '../../src/model/definition'
import { readModel } from '../../src/model/read-model'
import { openFileSource, openModelFolder } from '../../src/store/node-file'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Not in git: files put together or fetched for tests. */
export const cacheFolder = join(root, '.cache', 'models')

/** A model ready for a backend's loader. */
export interface OpenModel {
  readonly model: ModelDefinition
  readonly bytes: ByteSource
  /** Of the GGUF file, lower-case hex. */
  readonly sha256: string
  /** As one file, which llama.cpp needs. */
  readonly path: string
}

/** The embedded SmolLM2 135M Instruct, from its chunks in the repository. */
export async function openSmolLm2(): Promise<OpenModel> {
  const { manifest, source } = await openModelFolder(join(root, 'models', 'smollm2-135m-instruct-q4_1'))
  const path = join(cacheFolder, `${manifest.sha256.slice(0, 16)}-${manifest.file}`)
  if (!existsSync(path)) await writeWhole(source, path)
  return { ...(await openSource(source)), sha256: manifest.sha256, path }
}

/** Any GGUF file. */
export async function openModelFile(path: string): Promise<OpenModel> {
  const sha256 = createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
  return { ...(await openSource(await openFileSource(path))), sha256, path }
}

async function openSource(bytes: ByteSource): Promise<{ model: ModelDefinition; bytes: ByteSource }> {
  return { model: await readModel(await parseGguf(bytes), bytes), bytes }
}

/** Under another name until it is whole, so that a run that was stopped leaves no half file. */
async function writeWhole(source: ByteSource, path: string): Promise<void> {
  await mkdir(cacheFolder, { recursive: true })
  const unfinished = `${path}.${process.pid}.part`
  const file = await open(unfinished, 'w')
  const step = 4 * 2 ** 20
  for (let at = 0; at < source.sizeBytes; at += step) {
    await file.write(await source.read(at, Math.min(step, source.sizeBytes - at)))
  }
  await file.close()
  await rename(unfinished, path)
}
