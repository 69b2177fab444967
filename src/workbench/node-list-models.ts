import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { EngineError, isEngineError } from '../contract/error'
import { describeGguf } from '../gguf/describe'
import { parseGguf } from '../gguf/parse'
import { parseManifest } from '../store/manifest'
import { openFileSource } from '../store/node-file'

/** A model's folder, or a GGUF file. */
export interface ListedModel {
  readonly path: string
  readonly name: string
  readonly sizeBytes: number
  readonly quantization: string
  /** Number of weights. */
  readonly parameters: number
  /** SPDX identifier; null where the file states none. */
  readonly licence: string | null
  /** Chunks that are missing or of another size; 0 for a file. */
  readonly missingChunks: number
}

/** What looks like a model and can't be read. */
export interface UnreadableModel {
  readonly path: string
  readonly problem: string
}

/**
 * The models at `path`: itself where it is one, else the folders and GGUF files in it, by name. Hashes are not compared.
 * @throws EngineError 'invalid-argument' where there is no such folder or file
 */
export async function listModels(path: string): Promise<(ListedModel | UnreadableModel)[]> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new EngineError('invalid-argument', `There is nothing at ${path}. Check the path.`, { cause })
  })
  if (!found.isDirectory()) return [await describe(path, describeFile)]
  const names = await readdir(path)
  if (names.includes('manifest.json')) return [await describe(path, describeFolder)]
  const models: (ListedModel | UnreadableModel)[] = []
  for (const name of names.toSorted()) {
    const inside = join(path, name)
    if ((await stat(join(inside, 'manifest.json')).catch(() => null)) !== null) {
      models.push(await describe(inside, describeFolder))
    } else if (/\.gguf$/i.test(name)) models.push(await describe(inside, describeFile))
  }
  return models
}

async function describe(
  path: string,
  read: (path: string) => Promise<ListedModel>,
): Promise<ListedModel | UnreadableModel> {
  try {
    return await read(path)
  } catch (error) {
    if (isEngineError(error)) return { path, problem: error.message }
    throw error
  }
}

async function describeFolder(path: string): Promise<ListedModel> {
  const { name, sizeBytes, quantization, parameters, licence, chunks } = parseManifest(
    await readFile(join(path, 'manifest.json'), 'utf8'),
  )
  const sizes = await Promise.all(
    chunks.map(async ({ file }) => (await stat(join(path, file)).catch(() => null))?.size),
  )
  const missingChunks = chunks.filter((chunk, index) => sizes[index] !== chunk.sizeBytes).length
  return { path, name, sizeBytes, quantization, parameters, licence, missingChunks }
}

async function describeFile(path: string): Promise<ListedModel> {
  const source = await openFileSource(path)
  try {
    const { name, quantization, parameters, licence } = describeGguf(await parseGguf(source))
    const { sizeBytes } = source
    return {
      path,
      name: name ?? basename(path),
      sizeBytes,
      quantization,
      parameters,
      licence: licence ?? null,
      missingChunks: 0,
    }
  } finally {
    await source.close()
  }
}
