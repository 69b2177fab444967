import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { parseGguf } from '../src/gguf/parse'
import type { Gguf } from '../src/gguf/types'
import { memorySource } from '../src/store/memory-source'
import { requantise } from './requantise'

const ROOT = join(import.meta.dirname, '..')
/** Not in git: models and pages made for the benchmark. */
export const CACHE_FOLDER = join(ROOT, '.cache', 'bench')
export const MODEL_FOLDER = join(ROOT, 'models', 'smollm2-135m-instruct-q4_1')

/** Formats the peers are given. Q4_1 is the file in the repository; the others are made from it. */
export const MODEL_FORMATS = ['q4_1', 'q4_0', 'q8_0'] as const
export type ModelFormat = (typeof MODEL_FORMATS)[number]

const manifestSchema = z.object({
  sha256: z.string(),
  sizeBytes: z.number(),
  chunks: z.array(z.object({ file: z.string() })),
})

export function modelFile(format: ModelFormat): string {
  return join(CACHE_FOLDER, `smollm2-${format}.gguf`)
}

/** Puts the model together in one file and makes the other formats of it, where that is not done already. */
export async function prepareModels(formats: readonly ModelFormat[]): Promise<void> {
  await mkdir(CACHE_FOLDER, { recursive: true })
  if (!existsSync(modelFile('q4_1'))) await writeWhole(modelFile('q4_1'), await joinChunks())
  for (const format of formats) {
    if (format === 'q4_1' || existsSync(modelFile(format))) continue
    console.error(`Making ${modelFile(format)} (once)`)
    const original = new Uint8Array(await readFile(modelFile('q4_1')))
    await writeWhole(modelFile(format), await requantise(original, format === 'q4_0' ? 'Q4_0' : 'Q8_0'))
  }
}

export async function readHeader(): Promise<Gguf> {
  return parseGguf(memorySource(new Uint8Array(await readFile(modelFile('q4_1')))))
}

async function joinChunks(): Promise<Uint8Array> {
  const manifest = manifestSchema.parse(
    JSON.parse(await readFile(join(MODEL_FOLDER, 'manifest.json'), 'utf8')),
  )
  const whole = Buffer.concat(
    await Promise.all(manifest.chunks.map(({ file }) => readFile(join(MODEL_FOLDER, file)))),
  )
  const sha256 = createHash('sha256').update(whole).digest('hex')
  if (sha256 !== manifest.sha256)
    throw new Error(`The chunks in ${MODEL_FOLDER} do not make the model: ${sha256}`)
  return whole
}

/** Under another name first, so that what was broken off is not taken for a model. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  await writeFile(`${path}.part`, bytes)
  await rename(`${path}.part`, path)
}
