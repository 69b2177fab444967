import type { ChatCompletion, ChatCompletionChunk, FinishReason, TokenLogprob } from '../../contract/engine'
import type { ToolCall } from '../../contract/tools'
import { EngineError } from '../../contract/error'
import { joinCalls } from '../join-calls'

/** Whether a reader sees text in it. */
export function isVisible(chunk: ChatCompletionChunk): boolean {
  return chunk.choices.some(({ delta }) => delta.content !== undefined && delta.content !== '')
}

const END = { done: true, value: undefined } as const

type ChunkStream = AsyncIterableIterator<ChatCompletionChunk, undefined>

/**
 * Reads until there is text to show, or the end: until then a request can still be sent again or elsewhere.
 * @returns a stream that begins with what was read, its first chunk as `editFirst` leaves it; leaving it calls `onLeave`,
 * even before it was begun
 */
export async function holdUntilVisible(
  chunks: AsyncIterable<ChatCompletionChunk, unknown>,
  options: {
    onLeave?: () => void
    editFirst?: (chunk: ChatCompletionChunk) => ChatCompletionChunk
  } = {},
): Promise<ChunkStream> {
  const source = chunks[Symbol.asyncIterator]()
  const held: ChatCompletionChunk[] = []
  let ended = false
  while (!ended && !held.some(isVisible)) {
    const result = await source.next()
    if (result.done === true) ended = true
    else held.push(held.length === 0 ? (options.editFirst?.(result.value) ?? result.value) : result.value)
  }
  const stream: ChunkStream = {
    next() {
      const first = held.shift()
      if (first !== undefined) return Promise.resolve({ done: false, value: first })
      return ended
        ? Promise.resolve(END)
        : source.next().then((result) => (result.done === true ? END : result))
    },
    async return() {
      held.length = 0
      ended = true
      // Before the source's own return(): that waits for a read under way, which this ends.
      options.onLeave?.()
      await source.return?.()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]: () => stream,
  }
  return stream
}

/** The whole of a stream that has its usage last. */
export async function collectCompletion(chunks: AsyncIterable<ChatCompletionChunk>): Promise<ChatCompletion> {
  let head: ChatCompletionChunk | undefined
  let content = ''
  let finishReason: FinishReason = 'stop'
  let usage: ChatCompletion['usage'] | undefined
  let logprobs: TokenLogprob[] | null = null
  const calls: ToolCall[] = []
  for await (const chunk of chunks) {
    head ??= chunk
    usage = chunk.usage ?? usage
    for (const { delta, finish_reason, logprobs: more } of chunk.choices) {
      content += delta.content ?? ''
      joinCalls(calls, delta.tool_calls ?? [])
      finishReason = finish_reason ?? finishReason
      if (more !== null) logprobs = [...(logprobs ?? []), ...more.content]
    }
  }
  if (head === undefined || usage === undefined) {
    throw new EngineError('internal', 'A stream ended without its usage.')
  }
  const { id, created, model, minnow } = head
  return {
    id,
    object: 'chat.completion',
    created,
    model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content, ...(calls.length > 0 && { tool_calls: calls }) },
        finish_reason: finishReason,
        logprobs: logprobs && { content: logprobs },
      },
    ],
    usage,
    ...(minnow?.remote === undefined ? {} : { minnow: { remote: minnow.remote } }),
  }
}
