import { appendFile, mkdir, readFile, truncate } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Task } from './items'
import { createRecorder, type ItemRecord, type Method } from './records'
import type { BareModel } from '../src/workbench/node-open-model'

/** To be raised when records of the same items would come out otherwise. */
const VERSION = 1
/** Where records are kept unless somebody says otherwise. */
export const RECORDS = join(import.meta.dirname, '..', '.cache', 'eval')

/** Records of a task's first items, by item; null for items that cannot be asked so. */
export type Records = readonly (ItemRecord | null)[]

/**
 * Asks what is not in the cache yet and gives the records of the first `limit` items. Every record is written as soon
 * as it is there: a run that was stopped goes on where it was.
 */
export async function recordTask(
  openModel: () => Promise<BareModel>,
  modelHash: string,
  task: Task,
  method: Method,
  limit: number,
  {
    folder = RECORDS,
    mayAsk,
    onProgress,
  }: { folder?: string; mayAsk: boolean; onProgress: (done: number, total: number) => void },
): Promise<Records> {
  await mkdir(folder, { recursive: true })
  const key = [modelHash.slice(0, 12), task.hash.slice(0, 12), `v${VERSION}`].join('-')
  const path = join(folder, `${task.name}.${method}.${key}.jsonl`)
  const records = existsSync(path) ? await readRecords(path) : []
  const total = Math.min(limit, task.items.length)
  if (records.length >= total || !mayAsk) return records.slice(0, total)
  const { record, dispose } = createRecorder(await openModel(), method)
  try {
    while (records.length < total) {
      const made = await record(task.items[records.length]!)
      records.push(made)
      await appendFile(path, `${JSON.stringify(made)}\n`)
      onProgress(records.length, total)
    }
  } finally {
    dispose()
  }
  return records
}

/** Whole lines; a broken last one is cut off. */
async function readRecords(path: string): Promise<(ItemRecord | null)[]> {
  const text = await readFile(path, 'utf8')
  const end = text.lastIndexOf('\n') + 1
  const whole = text.slice(0, end)
  if (end < text.length) await truncate(path, Buffer.byteLength(whole))
  return whole
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as ItemRecord | null)
}
