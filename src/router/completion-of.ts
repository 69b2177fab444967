import type {
  ChatCompletion,
  ChatCompletionChunk,
  Citation,
  FinishReason,
  TokenLogprob,
  Usage,
} from '../contract/engine'
import type { ToolCall } from '../contract/tools'
import { EngineError } from '../contract/error'
import { joinCalls } from './join-calls'
import type { SettledRoute } from '../contract/route'
import type { PromptReading, TokenSignal } from '../contract/signals'

const NO_USAGE: Usage = {
  prompt_tokens: 0,
  completion_tokens: 0,
  total_tokens: 0,
  prompt_tokens_details: { cached_tokens: 0 },
  minnow: {
    timeToFirstTokenMs: 0,
    prefillMs: 0,
    decodeMs: 0,
    prefillTokensPerSecond: 0,
    decodeTokensPerSecond: 0,
    draftedTokens: 0,
    acceptedTokens: 0,
  },
}

/** A stream of a router, read to its end: the answer that stands. What was replaced on the way is left out. */
export async function completionOf(chunks: AsyncIterable<ChatCompletionChunk>): Promise<ChatCompletion> {
  let content = ''
  let finish: FinishReason = 'stop'
  let usage = NO_USAGE
  let logprobs: TokenLogprob[] = []
  let tokenIds: number[] = []
  let calls: ToolCall[] = []
  let signals: TokenSignal[] = []
  let promptSignals: PromptReading | undefined
  let route: SettledRoute | undefined
  let citations: Citation[] | undefined
  let last: ChatCompletionChunk | undefined
  for await (const chunk of chunks) {
    usage = chunk.usage ?? usage
    citations = chunk.minnow?.citations ?? citations
    const event = chunk.minnow?.route
    if (event?.type === 'upgrading' || event?.type === 'restoring') {
      content = ''
      logprobs = []
      tokenIds = []
      calls = []
      signals = []
      promptSignals = undefined
    }
    if (event?.type === 'settled') route = event
    const choice = chunk.choices[0]
    if (choice === undefined) continue
    last = chunk
    content += choice.delta.content ?? ''
    joinCalls(calls, choice.delta.tool_calls ?? [])
    finish = choice.finish_reason ?? finish
    logprobs.push(...(choice.logprobs?.content ?? []))
    tokenIds.push(...(chunk.minnow?.tokenIds ?? []))
    signals.push(...(chunk.minnow?.signals ?? []))
    promptSignals = chunk.minnow?.promptSignals ?? promptSignals
  }
  if (last === undefined) throw new EngineError('internal', 'The router gave no answer and no error.')
  return {
    id: last.id,
    object: 'chat.completion',
    created: last.created,
    model: last.model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content, ...(calls.length > 0 && { tool_calls: calls }) },
        finish_reason: finish,
        logprobs: logprobs.length > 0 ? { content: logprobs } : null,
      },
    ],
    usage,
    minnow: {
      ...(tokenIds.length > 0 ? { tokenIds } : {}),
      ...(signals.length > 0 ? { signals } : {}),
      ...(promptSignals === undefined ? {} : { promptSignals }),
      ...(route === undefined ? {} : { route }),
      ...(citations === undefined ? {} : { citations }),
    },
  }
}
