/** Messages of a conversation, in OpenAI's shapes. */

import type { ToolCall } from './tools'

/** 'developer' means the same as 'system'. */
export type ChatRole = 'system' | 'developer' | 'user' | 'assistant' | 'tool'

export interface TextPart {
  type: 'text'
  text: string
}

/** Parts are read as one text. */
export type TextContent = string | readonly TextPart[]

export interface SystemMessage {
  role: 'system' | 'developer'
  content: TextContent
  name?: string
}

export interface UserMessage {
  role: 'user'
  content: TextContent
  name?: string
}

/** What the model said, and what it wanted called. */
export interface AssistantMessage {
  role: 'assistant'
  /** Absent or null only beside `tool_calls`. */
  content?: TextContent | null
  tool_calls?: readonly ToolCall[] | null
  name?: string
}

/** What a tool gave. The model is told where it has a wrong shape, or answers no call. */
export interface ToolMessage {
  role: 'tool'
  content: TextContent
  /** Of the call that it answers. */
  tool_call_id: string
}

export type ChatMessage = SystemMessage | UserMessage | AssistantMessage | ToolMessage

/** A message that is one text: what a conversation without tools is made of. */
export interface TextMessage {
  role: 'system' | 'user' | 'assistant'
  content: string
}

/** A message as chat templates take it: one text and, where there are any, the calls. */
export interface PromptMessage {
  role: TextMessage['role'] | 'tool'
  content: string
  tool_calls?: readonly ToolCall[]
  /** Of messages of a tool. */
  tool_call_id?: string
  /** Of messages of a tool: the function's. */
  name?: string
}

/** A content as one text; '' for none. */
export function contentText(content: TextContent | null | undefined): string {
  return typeof content === 'string' ? content : (content ?? []).map(({ text }) => text).join('')
}
