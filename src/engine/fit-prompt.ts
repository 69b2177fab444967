import type { PromptMessage } from '../contract/chat-messages'
import { EngineError } from '../contract/error'
import type { EngineChatTemplate } from './tokenizer-interface'

/** First tokens that attention leans on (https://arxiv.org/abs/2309.17453), kept beside the template's start. */
const SINK_TOKENS = 4

/**
 * How many first tokens stay when the context slides: those of the template before the first word of the user
 * (with the system message), and four more; at most half of the context.
 */
export function countSinks(
  template: EngineChatTemplate,
  messages: readonly PromptMessage[],
  prompt: ArrayLike<number>,
  contextLength: number,
): number {
  const firstOther = messages.findIndex((message) => message.role !== 'system')
  const systemMessages = messages.slice(0, firstOther < 0 ? messages.length : firstOther)
  const start = template.encode([...systemMessages, { role: 'user', content: '' }])
  let shared = 0
  while (shared < start.length && shared < prompt.length && start[shared] === prompt[shared]) shared++
  return Math.min(shared + SINK_TOKENS, contextLength >>> 1)
}

/**
 * A prompt that fits the context: itself, or when sliding its first `sinkCount` tokens and the newest, with room for
 * `maxTokens` more, but no more than a quarter of the context. What is dropped is a multiple of a quarter, so that the
 * next turns of a long conversation drop the same tokens, and find the rest in the KV cache.
 * @throws EngineError 'context-overflow' where it is too long and must not slide
 */
export function fitPrompt(
  prompt: Int32Array,
  contextLength: number,
  options: { overflow: 'error' | 'slide'; sinkCount: number; maxTokens: number | null },
): Int32Array {
  if (prompt.length <= contextLength) return prompt
  if (options.overflow === 'error') {
    const excess = prompt.length - contextLength
    throw new EngineError(
      'context-overflow',
      `The prompt has ${prompt.length} tokens and the context holds ${contextLength}: ${excess} too many. ` +
        `Shorten the messages, or set minnow.overflow to 'slide' to drop the oldest tokens.`,
      { details: { promptTokens: prompt.length, contextLength, excessTokens: excess } },
    )
  }
  const quarter = Math.max(1, contextLength >>> 2)
  const room = Math.min(options.maxTokens ?? quarter, quarter)
  const dropped = Math.ceil((prompt.length + room - contextLength) / quarter) * quarter
  // More than half of the context is left, so the sinks and at least one token behind them.
  const fitted = new Int32Array(prompt.length - dropped)
  fitted.set(prompt.subarray(0, options.sinkCount))
  fitted.set(prompt.subarray(options.sinkCount + dropped), options.sinkCount)
  return fitted
}
