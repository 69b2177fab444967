import type { ChatMessage, PromptMessage } from '../contract/chat-messages'
import type { ChatCompletionParams } from '../contract/engine'
import type { RemoteMessage, RemoteParams } from '../contract/remote'
import type { Modality, RouteRequest } from '../contract/route'
import { estimateTokens } from './ledger'
import type { RequestFacts } from './policy/settings'

/** Tells the kind of task and the language (ISO 639-1 or 'und') of a question. */
export type DescribeQuestion = (question: string) => { task: string; language: string }

/** What the policy's rules look at; the caller's own words go before what is told from the text. */
export function factsOf(
  params: ChatCompletionParams,
  request: RouteRequest,
  { user, at, describe }: { user: string; at: Date; describe: DescribeQuestion },
): RequestFacts {
  const question = questionOf(params.messages)
  const { task, language } = describe(question)
  const promptTokens = estimateTokens(params.messages.map(({ content }) => textOf(content)).join('\n'))
  return {
    task: request.task ?? task,
    language: request.language ?? language,
    complexity: request.complexity ?? (promptTokens > 1500 ? 'high' : promptTokens > 200 ? 'medium' : 'low'),
    modality: request.modality ?? modalityOf(params.messages),
    promptTokens,
    user,
    at,
  }
}

/** The last thing the user said. */
export function questionOf(messages: readonly ChatMessage[]): string {
  return textOf(messages.findLast(({ role }) => role === 'user')?.content)
}

/** Contents are texts by type; parts, as OpenAI's clients send them, are looked through all the same. */
export function textOf(content: unknown): string {
  return typeof content === 'string' ? content : JSON.stringify(content ?? '')
}

/** A message as it is kept, for people and for later: content other than text as JSON. */
export function plainMessage({ role, content }: ChatMessage): {
  role: PromptMessage['role']
  content: string
} {
  return { role: role === 'developer' ? 'system' : role, content: textOf(content) }
}

/** Whether it has tools, or the words of one. */
export function usesTools(params: ChatCompletionParams & Pick<RemoteParams, 'tools'>): boolean {
  const messages: readonly RemoteMessage[] = params.messages
  return (
    params.tools !== undefined ||
    messages.some((each) => each.role === 'tool' || (each.role === 'assistant' && each.tool_calls))
  )
}

function modalityOf(messages: readonly ChatMessage[]): Modality {
  const kinds = messages.flatMap(({ content }: { content?: unknown }) =>
    Array.isArray(content)
      ? content.map((part: unknown) =>
          typeof part === 'object' && part !== null && 'type' in part ? String(part.type) : '',
        )
      : [],
  )
  if (kinds.some((kind) => kind.includes('image'))) return 'image'
  return kinds.some((kind) => kind.includes('audio')) ? 'audio' : 'text'
}
