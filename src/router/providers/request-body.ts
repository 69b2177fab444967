import type { AssistantMessage, ToolMessage } from '../../contract/chat-messages'
import { EngineError } from '../../contract/error'
import type { RemoteMessage, RemoteParams } from '../../contract/remote'
import { asRecord, asString } from './json'
import type { RemoteSettings } from './remote-options'

const SHARED = [
  'temperature',
  'top_p',
  'frequency_penalty',
  'presence_penalty',
  'seed',
  'stop',
  'logprobs',
  'top_logprobs',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'response_format',
] as const

/**
 * The exact text to send. Always streamed, so that a remote that hangs is noticed; `minnow`, and what OpenAI's
 * interface lacks, stay here.
 */
export function requestBody(params: RemoteParams, settings: RemoteSettings): string {
  const maxTokens = params.max_completion_tokens ?? params.max_tokens
  const chosen = [...SHARED, ...settings.extraParameters].flatMap((name) => {
    const value = params[name]
    return value === undefined || value === null ? [] : [[name, value] as const]
  })
  return JSON.stringify({
    model: settings.model,
    messages: checkMessages(params.messages),
    stream: true,
    stream_options: { include_usage: true },
    ...Object.fromEntries(chosen),
    ...(maxTokens === undefined || maxTokens === null ? {} : { [settings.maxTokensField]: maxTokens }),
    ...settings.body,
  })
}

/** What messages hold, whatever their role. */
type MessageFields = Pick<RemoteMessage, 'role' | 'content'> &
  Partial<Pick<AssistantMessage, 'tool_calls'> & Pick<ToolMessage, 'tool_call_id'>>

/** Only the fields that are meant to be sent. */
function checkMessages(messages: RemoteParams['messages']): MessageFields[] {
  if (!Array.isArray(messages) || messages.length === 0) {
    throw new EngineError('invalid-argument', "'messages' must be a list of at least one message.")
  }
  return (messages as readonly MessageFields[]).map(({ role, content, tool_calls, tool_call_id }, index) => {
    const isEmptyCall = (content ?? null) === null && Array.isArray(tool_calls)
    if (typeof role !== 'string' || !(typeof content === 'string' || isParts(content) || isEmptyCall)) {
      throw new EngineError(
        'invalid-argument',
        `messages[${index}] must have a role and a content: a text, a list of parts that each have a type, or null ` +
          "beside 'tool_calls'.",
      )
    }
    return {
      role,
      content: content ?? null,
      ...(tool_calls && { tool_calls }),
      ...(tool_call_id && { tool_call_id }),
    }
  })
}

function isParts(content: unknown): boolean {
  return Array.isArray(content) && content.every((part) => asString(asRecord(part)?.['type']) !== undefined)
}
