import * as z from 'zod/mini'
import { DEFAULT_CHAT_SETTINGS } from './chat-settings'
import { titleOf } from './conversations-keeper'
import { toTurn, type Conversation } from './conversations-store'
import { strings } from './strings'
import type { Turn } from './turn'
import { TurnTree } from './turn-tree'

export interface ConversationContent {
  readonly conversation: Conversation
  readonly turns: readonly Turn[]
}

const text = z.string().check(z.maxLength(1_000_000))
const id = z.string().check(z.minLength(1), z.maxLength(100))
const time = z.number().check(z.nonnegative())

const jobSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('documents') }),
  z.object({ type: z.literal('summary'), document: id }),
  z.object({ type: z.literal('preset'), id, values: z.record(z.string(), text) }),
])

const position = z.int().check(z.nonnegative())

const citationSchema = z.object({
  label: z.int().check(z.positive()),
  documentId: id,
  document: text,
  headings: z.array(text).check(z.maxLength(100)),
  page: z.nullable(z.int().check(z.positive())),
  start: position,
  end: position,
  text,
})

const turnSchema = z.object({
  id,
  parent: z.nullable(id),
  at: time,
  question: text,
  answer: text,
  corrected: z.optional(z.boolean()),
  state: z.enum(['waiting', 'answering', 'done', 'cut', 'stopped', 'failed']),
  job: z.optional(z.nullable(jobSchema)),
  citations: z.optional(z.array(citationSchema).check(z.maxLength(1000))),
  fault: z.optional(z.nullable(text)),
  /** Whose text it is: nothing else of the route is taken from a file, which may say anything. */
  source: z.optional(z.nullable(text)),
})

const settingsSchema = z.object({
  system: text,
  temperature: z.number().check(z.minimum(0), z.maximum(2)),
  topP: z.number().check(z.minimum(0), z.maximum(1)),
  maxTokens: z.int().check(z.positive()),
  mode: z.nullable(z.enum(['only-on-device', 'prefer-on-device', 'prefer-in-cloud', 'only-in-cloud'])),
})

const fileSchema = z.object({
  format: z.literal('minnow-conversations'),
  version: z.literal(1),
  conversations: z
    .array(
      z.object({
        title: text,
        createdAt: time,
        updatedAt: time,
        leaf: z.nullable(id),
        settings: z.optional(settingsSchema),
        turns: z.array(turnSchema).check(z.maxLength(100_000)),
      }),
    )
    .check(z.maxLength(10_000)),
})

/**
 * Conversations as JSON that `readConversations` reads. What was sent for answers is left out, and so are documents: only
 * the passages are there that answers cite.
 */
export function writeJson(contents: readonly ConversationContent[]): string {
  return JSON.stringify(
    {
      format: 'minnow-conversations',
      version: 1,
      conversations: contents.map(({ conversation: { id: _id, ...conversation }, turns }) => ({
        ...conversation,
        turns: turns.map((turn) => ({
          id: turn.id,
          parent: turn.parent,
          at: turn.at,
          question: turn.question,
          answer: turn.answer,
          corrected: turn.corrected,
          state: turn.state,
          job: turn.job,
          citations: turn.citations,
          fault: turn.fault,
          source: turn.route?.source.model ?? null,
        })),
      })),
    },
    null,
    1,
  )
}

/**
 * Conversations out of a file, as new ones: all ids are made anew.
 * @throws Error that says what is wrong
 */
export function readConversations(json: string): ConversationContent[] {
  let data: unknown
  try {
    data = JSON.parse(json)
  } catch (cause) {
    throw new Error(strings().conversations.noJson, { cause })
  }
  const checked = fileSchema.safeParse(data)
  if (!checked.success) {
    const [issue] = checked.error.issues
    throw new Error(strings().conversations.noConversations(issue?.path.join('.') ?? ''))
  }
  return checked.data.conversations.map(({ turns, settings, leaf, ...row }) => {
    const conversation = crypto.randomUUID()
    const ids = new Map(turns.map((turn) => [turn.id, crypto.randomUUID()]))
    const renamed = (old: string | null): string | null => (old === null ? null : (ids.get(old) ?? null))
    return {
      conversation: {
        ...row,
        id: conversation,
        title: row.title || titleOf(turns[0]?.question ?? ''),
        leaf: renamed(leaf),
        settings: settings ?? DEFAULT_CHAT_SETTINGS,
      },
      turns: turns.map(
        ({ source: _source, corrected = false, job = null, citations = [], fault = null, ...turn }) =>
          toTurn({
            ...turn,
            corrected,
            job,
            citations,
            fault,
            id: ids.get(turn.id)!,
            parent: renamed(turn.parent),
            conversation,
            state: turn.state === 'waiting' || turn.state === 'answering' ? 'stopped' : turn.state,
            route: null,
            usage: null,
            skipped: 0,
          }),
      ),
    }
  })
}

/** What is shown of a conversation, for people. */
export function writeMarkdown({ conversation, turns }: ConversationContent): string {
  const words = strings().turn
  const parts = [`# ${conversation.title}`]
  for (const { question, answer, route } of new TurnTree(turns, conversation.leaf).path()) {
    const quoted = question.split('\n').map((line) => `> ${line}`)
    parts.push(`**${words.you}**`, quoted.join('\n'), `**${route?.source.model ?? words.minnow}**`, answer)
  }
  return `${parts.join('\n\n')}\n`
}
