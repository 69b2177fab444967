import type { PromptMessage } from '../../contract/chat-messages'
import { EngineError } from '../../contract/error'
import type { ToolCall } from '../../contract/tools'
import { describe, invalid, isAbsent, isRecord } from './values'

const ROLES = new Set(['system', 'developer', 'user', 'assistant', 'tool'])

/**
 * Messages as a template takes them: parts become one text, 'developer' is 'system'. What a tool gave in a wrong shape
 * becomes a text that says so to the model, which asked for it and may do better.
 */
export function parseMessages(value: unknown): PromptMessage[] {
  if (!Array.isArray(value) || value.length === 0)
    throw invalid('messages', 'a list of at least one message', value)
  const names = new Map<string, string>()
  return value.map((message: unknown, index): PromptMessage => {
    const path = `messages[${index}]`
    if (!isRecord(message)) throw invalid(path, 'an object with role and content', message)
    const { role, content } = message
    if (typeof role !== 'string' || !ROLES.has(role)) {
      throw invalid(`${path}.role`, "'system', 'developer', 'user', 'assistant' or 'tool'", role)
    }
    if (role === 'tool') return parseToolResult(message, names)
    if (role === 'assistant') {
      const calls = parseCalls(message['tool_calls'], `${path}.tool_calls`)
      for (const { id, function: called } of calls) names.set(id, called.name)
      if (calls.length > 0) {
        const text = isAbsent(content) ? '' : textOf(content, `${path}.content`)
        return { role, content: text, tool_calls: calls }
      }
    }
    const text = textOf(content, `${path}.content`)
    return {
      role: role === 'developer' ? 'system' : (role as 'system' | 'user' | 'assistant'),
      content: text,
    }
  })
}

function textOf(content: unknown, path: string): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) throw invalid(path, 'a string or a list of text parts', content)
  return content
    .map((part: unknown, index) => {
      if (!isRecord(part)) throw invalid(`${path}[${index}]`, 'a part with a type', part)
      const { type, text } = part
      if (type === 'text' && typeof text === 'string') return text
      if (type === 'text' || typeof type !== 'string') {
        throw invalid(`${path}[${index}]`, "{ type: 'text', text: a string }", type === 'text' ? text : type)
      }
      throw new EngineError('unsupported', `${path} has a part of type '${type}'; only text is read.`, {
        details: { parameter: path, got: type },
      })
    })
    .join('')
}

function parseCalls(value: unknown, path: string): ToolCall[] {
  if (isAbsent(value)) return []
  if (!Array.isArray(value)) throw invalid(path, 'a list of calls', value)
  return value.map((call: unknown, index) => {
    const { id, function: called } = isRecord(call) ? call : {}
    if (typeof id !== 'string' || !isRecord(called)) {
      throw invalid(`${path}[${index}]`, "{ id, type: 'function', function: { name, arguments } }", call)
    }
    const { name, arguments: given } = called
    if (typeof name !== 'string') throw invalid(`${path}[${index}].function.name`, 'a string', name)
    if (typeof given !== 'string')
      throw invalid(`${path}[${index}].function.arguments`, 'JSON as text', given)
    return { id, type: 'function', function: { name, arguments: given } }
  })
}

/** @param names of the functions called so far, by the calls' ids */
function parseToolResult(
  { content, tool_call_id: id }: Record<string, unknown>,
  names: ReadonlyMap<string, string>,
): PromptMessage {
  const known = typeof id === 'string' ? names.get(id) : undefined
  const message: PromptMessage = { role: 'tool', content: '' }
  if (typeof id === 'string') message.tool_call_id = id
  if (known !== undefined) message.name = known
  if (known === undefined) {
    message.content = `Error: this result names the call ${describe(id)}, and there is no such call.`
    return message
  }
  try {
    message.content = textOf(content, 'its content')
  } catch {
    message.content = `Error: the tool '${known}' must give text and gave ${describe(content)}.`
  }
  return message
}
