import type { ChatMessage } from '../contract/chat-messages'
import type { ChatCompletionParams } from '../contract/engine'
import { EngineError } from '../contract/error'
import { HttpError } from './error-response'

/**
 * The JSON of a request's body.
 * @throws HttpError 415 where it is not said to be JSON (browsers ask first before they send that to another origin), 413
 *   where it is too long, 400 where it is no JSON
 */
export async function readJson(request: Request, maxBytes: number): Promise<unknown> {
  const type = request.headers.get('content-type') ?? ''
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new HttpError(
      415,
      `Send JSON, with "Content-Type: application/json" and not "${type.slice(0, 100)}".`,
    )
  }
  const text = await readText(request, maxBytes)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new HttpError(
      400,
      `The body is no JSON: ${cause instanceof Error ? cause.message : String(cause)}.`,
    )
  }
}

async function readText(request: Request, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder()
  const { body } = request
  if (body === null) return ''
  const reader = body.getReader()
  let text = ''
  let sizeBytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    sizeBytes += value.byteLength
    if (sizeBytes > maxBytes) {
      await reader.cancel()
      throw new HttpError(413, `The request has more than ${maxBytes} bytes.`)
    }
    text += decoder.decode(value, { stream: true })
  }
}

/**
 * The parameters of a request in the forms that OpenAI's clients send: text in parts becomes one text, 'developer' is
 * 'system'. Everything else is left to the engine's own checks.
 * @throws EngineError 'unsupported' for parts that are no text, 'invalid-argument' where the body is no object
 */
export function readChatParams(body: unknown): ChatCompletionParams {
  if (!isRecord(body)) {
    throw new EngineError('invalid-argument', 'The body must be a JSON object with messages.')
  }
  const { messages } = body
  // The engine checks what it is given, whatever the types say.
  return {
    ...body,
    messages: Array.isArray(messages) ? messages.map(readMessage) : (messages as ChatMessage[]),
  }
}

function readMessage(message: unknown, index: number): ChatMessage {
  if (!isRecord(message)) return message as ChatMessage
  const { role, content } = message
  return {
    ...message,
    role: role === 'developer' ? 'system' : role,
    content: Array.isArray(content) ? content.map((part) => textOf(part, index)).join('') : content,
  } as ChatMessage
}

function textOf(part: unknown, index: number): string {
  if (isRecord(part) && part['type'] === 'text' && typeof part['text'] === 'string') return part['text']
  const type = isRecord(part) && typeof part['type'] === 'string' ? part['type'] : typeof part
  throw new EngineError(
    'unsupported',
    `messages[${index}].content has a part of type '${type}'; only text is read.`,
    {
      details: { parameter: `messages[${index}].content` },
    },
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
