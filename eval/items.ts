import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

/** Recorded outcomes of a weak and a strong model, 1 right, 0 wrong (RouteLLM, https://arxiv.org/abs/2406.18665). */
const outcomes = z.object({ mixtral_correct: z.number(), gpt4_correct: z.number() })
const list = z.array(z.string()).min(2)

/** The forms a line may have; the first that fits counts. */
const forms = {
  routingChoice: outcomes.extend({
    domain: z.string(),
    question: z.string(),
    choices: list,
    gold: z.number(),
  }),
  routingMath: outcomes.extend({ question: z.string(), answer: z.string() }),
  choice: z.object({ query: z.string(), choices: list, gold: z.number() }),
  contexts: z.object({ context_options: list, continuation: z.string(), gold: z.number() }),
  label: z.object({ text: z.string(), label: z.union([z.literal(0), z.literal(1)]) }),
  math: z.object({ context: z.string(), chain_of_thought: z.string(), answer: z.string() }),
  question: z.object({ context: z.string(), answer: z.string(), aliases: z.array(z.string()) }),
  completion: z.object({ context: z.string(), continuation: z.string() }),
  turns: z.object({ category: z.string(), turns: z.array(z.string()).min(1) }),
  sql: z.object({ db_id: z.string(), question: z.string(), query: z.string() }),
}

type Form = keyof typeof forms
export type ItemOf<F extends Form> = { readonly form: F } & Readonly<z.infer<(typeof forms)[F]>>
export type Item = { [F in Form]: ItemOf<F> }[Form]

/** One file of questions. */
export interface Task {
  readonly name: string
  readonly items: readonly Item[]
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
  const items: Item[] = []
  let skippedLines = 0
  // Not readline's idea of a line: U+2028 and the like stand inside of strings.
  for (const line of bytes.toString('utf8').split('\n')) {
    if (line.trim() === '') continue
    const item = parseItem(line)
    if (item === null) skippedLines++
    else items.push(item)
  }
  if (items.length === 0)
    throw new Error(`${path} has no line of a known form; eval/README.md lists the forms.`)
  return { name, items, hash: createHash('sha256').update(bytes).digest('hex'), skippedLines }
}

/** null where the line is no JSON or of no known form. */
export function parseItem(line: string): Item | null {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return null
  }
  for (const [form, schema] of Object.entries(forms)) {
    const result = schema.safeParse(value)
    if (result.success) return { form, ...result.data } as Item
  }
  return null
}
