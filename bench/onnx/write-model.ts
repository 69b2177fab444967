import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseGguf } from '../../src/gguf/parse'
import { readModel } from '../../src/model/read-model'
import { openModelFolder } from '../../src/store/node-file'
import { CACHE_FOLDER, MODEL_FOLDER } from '../models'
import { llamaOnnx } from './llama-onnx'

/** Longer than any context that is measured. */
const CONTEXT_LENGTH = 2048

/** Writes the model in the repository as ONNX to `.cache/bench`; a few seconds, anew each time. @returns its path */
export async function writeOnnxModel(): Promise<string> {
  const { source } = await openModelFolder(MODEL_FOLDER)
  const model = await readModel(await parseGguf(source), source)
  const path = join(CACHE_FOLDER, 'smollm2-q4_1.onnx')
  await writeFile(path, await llamaOnnx(model, source, { contextLength: CONTEXT_LENGTH }))
  return path
}
