import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseItems, type LabelledItem } from '../src/router/calibration/labelled-item'

/** One file of questions. */
export interface Task {
  readonly name: string
  readonly items: readonly LabelledItem[]
  /** SHA-256 of the file, lower-case hex. */
  readonly hash: string
  /** Lines that are no JSON of any known form. */
  readonly skippedLines: number
}

/** @throws Error that names the file where it is missing or has no line of a known form */
export async function readTask(folder: string, name: string): Promise<Task> {
  const path = join(folder, `${name}.jsonl`)
  if (!existsSync(path))
    throw new Error(`There is no ${path}; --tasks takes names of files without ".jsonl".`)
  const bytes = await readFile(path)
  const { items, skippedLines } = parseItems(bytes.toString('utf8'))
  if (items.length === 0)
    throw new Error(`${path} has no line of a known form; eval/README.md lists the forms.`)
  return { name, items, hash: createHash('sha256').update(bytes).digest('hex'), skippedLines }
}
