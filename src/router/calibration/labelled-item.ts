import * as z from 'zod/mini'

const list = z.array(z.string()).check(z.minLength(2))
const index = z.int().check(z.minimum(0))
/** Recorded outcomes of a weak and a strong model, 1 right, 0 wrong (RouteLLM, https://arxiv.org/abs/2406.18665). */
const outcomes = { mixtral_correct: z.number(), gpt4_correct: z.number() }

/** The forms a line may have; the first that fits counts. */
const forms = {
  routingChoice: z.object({
    ...outcomes,
    domain: z.string(),
    question: z.string(),
    choices: list,
    gold: index,
  }),
  routingMath: z.object({ ...outcomes, question: z.string(), answer: z.string() }),
  choice: z.object({ query: z.string(), choices: list, gold: index }),
  contexts: z.object({ context_options: list, continuation: z.string(), gold: index }),
  label: z.object({ text: z.string(), label: z.union([z.literal(0), z.literal(1)]) }),
  math: z.object({ context: z.string(), chain_of_thought: z.string(), answer: z.string() }),
  question: z.object({ context: z.string(), answer: z.string(), aliases: z.array(z.string()) }),
  completion: z.object({ context: z.string(), continuation: z.string() }),
  turns: z.object({ category: z.string(), turns: z.array(z.string()).check(z.minLength(1)) }),
  sql: z.object({ db_id: z.string(), question: z.string(), query: z.string() }),
  plain: z.object({
    question: z.string().check(z.minLength(1)),
    answer: z.string().check(z.minLength(1)),
    aliases: z.optional(z.array(z.string())),
  }),
}

type Form = keyof typeof forms
export type ItemOf<F extends Form> = { readonly form: F } & Readonly<z.infer<(typeof forms)[F]>>
/** A question with what is right, as one line of a JSONL file has it. */
export type LabelledItem = { [F in Form]: ItemOf<F> }[Form]

/** null where the line is no JSON or of no known form. */
export function parseItem(line: string): LabelledItem | null {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return null
  }
  for (const [form, schema] of Object.entries(forms)) {
    const result = schema.safeParse(value)
    if (result.success) return { form, ...result.data } as LabelledItem
  }
  return null
}

/** Items of a JSONL text, and how many of its lines are of no known form. Empty lines are none. */
export function parseItems(text: string): { items: LabelledItem[]; skippedLines: number } {
  const items: LabelledItem[] = []
  let skippedLines = 0
  // Not readline's idea of a line: U+2028 and the like stand inside of strings.
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue
    const item = parseItem(line)
    if (item === null) skippedLines++
    else items.push(item)
  }
  return { items, skippedLines }
}
