import type { ChatCompletionParams } from '../../contract/engine'
import { EngineError } from '../../contract/error'
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
] as const

/**
 * The exact text to send. Always streamed, so that a remote that hangs is noticed; `minnow`, and what OpenAI's
 * interface lacks, stay here.
 */
export function requestBody(params: ChatCompletionParams, settings: RemoteSettings): string {
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

/** Only the fields that are meant to be sent. */
function checkMessages(messages: ChatCompletionParams['messages']): { role: string; content: string }[] {
  if (!Array.isArray(messages) || messages.length === 0) {
    throw new EngineError('invalid-argument', "'messages' must be a list of at least one message.")
  }
  return (messages as ChatCompletionParams['messages']).map(({ role, content }, index) => {
    if (typeof role === 'string' && typeof content === 'string') return { role, content }
    throw new EngineError(
      'invalid-argument',
      `messages[${index}] must have a role and a content, both strings.`,
    )
  })
}
