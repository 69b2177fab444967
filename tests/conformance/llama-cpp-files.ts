import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder } from './model-files'

const run = promisify(execFile)

/** GGUF files with a vocabulary and no weights that llama.cpp keeps for its own tests. */
export type VocabularyName = 'gpt-2' | 'llama-bpe' | 'llama-spm' | 'qwen2' | 'qwen35' | 'starcoder'

export function vocabularyFile(name: VocabularyName): Promise<string> {
  return llamaCppFile(`models/ggml-vocab-${name}.gguf`)
}

/** Jinja templates of published models, by their name without '.jinja'. */
export async function chatTemplateSource(name: string): Promise<string> {
  return readFile(await llamaCppFile(`models/templates/${name}.jinja`), 'utf8')
}

/**
 * Path of a copy of a file of llama.cpp's repository. Such files are not in this one, since they are large or not
 * ours, and nothing is downloaded: node-llama-cpp ships llama.cpp's sources as a git bundle, and the file is taken
 * out of it once, into a folder that git ignores. Needs git.
 */
async function llamaCppFile(file: string): Promise<string> {
  const path = join(cacheFolder, basename(file))
  if (!existsSync(path)) {
    const repository = await sourceRepository()
    const { stdout } = await run('git', ['-C', repository, 'show', `HEAD:${file}`], {
      encoding: 'buffer',
      maxBuffer: 64 * 2 ** 20,
    })
    await writeFile(`${path}.${process.pid}.part`, stdout)
    await rename(`${path}.${process.pid}.part`, path)
  }
  return path
}

/** The bundle as a repository without a working tree. */
async function sourceRepository(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('node-llama-cpp')
  const bundle = join(dirname(entry), '..', 'llama', 'gitRelease.bundle')
  if (!existsSync(bundle)) {
    throw new Error(`node-llama-cpp has no ${bundle} any more: find another source of llama.cpp's files.`)
  }
  const repository = join(cacheFolder, 'llama.cpp.git')
  if (!existsSync(repository)) {
    await mkdir(cacheFolder, { recursive: true })
    const unfinished = `${repository}.${process.pid}.part`
    await run('git', ['clone', '--quiet', '--bare', bundle, unfinished])
    await rename(unfinished, repository)
  }
  return repository
}
