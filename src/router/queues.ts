import * as z from 'zod/mini'
import type { ChatCompletionParams } from '../contract/engine'
import type { RouteRequest } from '../contract/route'
import type { RouterStorage } from './storage/tables'

const messageSchema = z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() })

/** A row with a wrong field is left out whole: a restriction that cannot be read must not be lost. */
const routeSchema = z.object({
  mode: z.optional(z.enum(['only-on-device', 'prefer-on-device', 'prefer-in-cloud', 'only-in-cloud'])),
  private: z.optional(z.boolean()),
  task: z.optional(z.string()),
  complexity: z.optional(z.enum(['low', 'medium', 'high'])),
  language: z.optional(z.string()),
  modality: z.optional(z.enum(['text', 'image', 'audio'])),
  requires: z.optional(z.array(z.string())),
  requiredAccuracy: z.optional(z.number()),
  maxCostUsd: z.optional(z.number()),
  maxLatencyMs: z.optional(z.number()),
  user: z.optional(z.string()),
  scope: z.optional(z.string()),
})

const waitingSchema = z.object({
  id: z.string(),
  at: z.number(),
  user: z.string(),
  scope: z.string(),
  messages: z.array(messageSchema),
  route: routeSchema,
  params: z.record(z.string(), z.unknown()),
})

/** A question that waits for the network, with all that was asked of its answer. */
export interface WaitingQuestion {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly at: number
  readonly user: string
  readonly scope: string
  readonly messages: z.infer<typeof messageSchema>[]
  /** As the request had it: ceilings, task and the like hold when it is sent, too. */
  readonly route: RouteRequest
  /** Limits, sampling and the like, as the request had them. */
  readonly params: Omit<Partial<ChatCompletionParams>, 'messages' | 'minnow'>
}

const personCaseSchema = z.object({
  id: z.string(),
  at: z.number(),
  user: z.string(),
  scope: z.string(),
  /** Other content than text as JSON. */
  messages: z.array(z.object({ role: z.enum(['system', 'user', 'assistant', 'tool']), content: z.string() })),
  answer: z.string(),
  confidence: z.nullable(z.number()),
  reason: z.string(),
})

/** An answer that a person should look at, with the whole conversation. Stays on the device until the embedder takes it. */
export type PersonCase = z.infer<typeof personCaseSchema>

const feedbackSchema = z.object({
  id: z.string(),
  at: z.number(),
  user: z.string(),
  /** Of the answer's entry in the ledger. */
  entry: z.string(),
  kind: z.enum(['up', 'down', 'ask-bigger', 'edit']),
  /** What the user made of the answer, of an edit. */
  text: z.nullable(z.string()),
  /** As they stood when the answer was given, so that wiping the ledger loses nothing to recalibrate with. */
  task: z.nullable(z.string()),
  confidence: z.nullable(z.number()),
  source: z.nullable(z.string()),
})

/** What a user said of an answer. */
export type Feedback = z.infer<typeof feedbackSchema>

/** A list kept on the device, oldest first. What cannot be read is left out. */
export interface KeptList<T> {
  list(): Promise<T[]>
  put(item: T): Promise<void>
  remove(id: string): Promise<void>
  wipe(): Promise<void>
}

interface Schema<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false }
}

function keptList<T extends { id: string; at: number }>(
  storage: RouterStorage,
  table: 'waiting' | 'people' | 'feedback',
  schema: Schema<T>,
): KeptList<T> {
  return {
    list: async () =>
      (await storage.list(table)).flatMap((row) => {
        const item = schema.safeParse(row)
        return item.success ? [item.data] : []
      }),
    put: (item) => storage.put(table, item),
    remove: (id) => storage.delete(table, id),
    wipe: () => storage.clear(table),
  }
}

export const createWaitingList = (storage: RouterStorage): KeptList<WaitingQuestion> =>
  keptList(storage, 'waiting', waitingSchema as unknown as Schema<WaitingQuestion>)

export const createPeopleQueue = (storage: RouterStorage): KeptList<PersonCase> =>
  keptList(storage, 'people', personCaseSchema)

export const createFeedbackList = (storage: RouterStorage): KeptList<Feedback> =>
  keptList(storage, 'feedback', feedbackSchema)

/** One labelled answer for `minnow calibrate`: thumbs up is right; everything else is not. Only of local answers. */
export interface FeedbackLabel {
  readonly task: string | null
  readonly confidence: number
  readonly correct: boolean
}

export function labelsOf(feedback: readonly Feedback[]): FeedbackLabel[] {
  // The last word on an answer counts.
  const last = new Map(feedback.map((each) => [each.entry, each]))
  return [...last.values()].flatMap(({ task, confidence, kind, source }) =>
    confidence === null || source === 'remote' || source === 'cache'
      ? []
      : [{ task, confidence, correct: kind === 'up' }],
  )
}
