import type { ChatCompletionChunk, Usage } from '../../contract/engine'
import type { ToolCall } from '../../contract/tools'
import type { RemoteSource } from '../../contract/route'
import type { AnswerPart, CallPart, TokenCounts } from './answer-part'
import type { Failures } from './failure'

type IndexedCall = ToolCall & { index: number }

/** Bytes of UTF-8 a token of usual English and code, where a provider does not count. */
const BYTES_A_TOKEN = 4

export interface AnswerClock {
  /** performance.now() when the call began. */
  readonly calledAt: number
  /** When the request that is answered was sent. */
  readonly sentAt: number
}

/** Makes Minnow's chunks of a provider's: the role first, the finish reason, then usage if asked for. */
export async function* answerChunks(
  parts: AsyncIterable<AnswerPart>,
  options: {
    /** Asked for when the answer begins. */
    source: () => RemoteSource
    failures: Failures
    promptBytes: number
    includeUsage: boolean
    clock: AnswerClock
  },
): AsyncGenerator<ChatCompletionChunk, void> {
  const { source, failures, promptBytes, includeUsage, clock } = options
  let head: Pick<ChatCompletionChunk, 'id' | 'object' | 'created' | 'model'> | undefined
  let finishReason: AnswerPart['finishReason'] = null
  let counts: TokenCounts | undefined
  let answerBytes = 0
  const calls: IndexedCall[] = []
  let firstAt: number | undefined
  const encoder = new TextEncoder()
  const chunk = (
    choice: Omit<ChatCompletionChunk['choices'][number], 'index'> | null,
    extra: Pick<ChatCompletionChunk, 'usage' | 'minnow'> = includeUsage ? { usage: null } : {},
  ): ChatCompletionChunk => ({
    ...head!,
    choices: choice === null ? [] : [{ index: 0, ...choice }],
    ...extra,
  })

  for await (const part of parts) {
    if (head === undefined) {
      const remote = source()
      head = {
        id: part.id ?? `chatcmpl-${crypto.randomUUID()}`,
        object: 'chat.completion.chunk',
        created: Math.floor(Date.now() / 1000),
        model: part.model ?? remote.model,
      }
      yield chunk(
        { delta: { role: 'assistant', content: '' }, finish_reason: null, logprobs: null },
        { ...(includeUsage ? { usage: null } : {}), minnow: { remote } },
      )
    }
    finishReason = part.finishReason ?? finishReason
    counts = part.counts ?? counts
    if (finishReason === 'content_filter' && part.content === '' && firstAt === undefined) {
      throw failures.make('content-policy', 'refused to answer this text. Ask otherwise.')
    }
    calls.push(...part.calls.map(callOf))
    for (const { arguments: given } of part.calls) answerBytes += encoder.encode(given).length
    if (part.content === '') continue
    firstAt ??= performance.now()
    answerBytes += encoder.encode(part.content).length
    yield chunk({
      delta: { content: part.content },
      finish_reason: null,
      logprobs: part.logprobs && { content: part.logprobs },
    })
  }
  if (calls.length > 0) yield chunk({ delta: { tool_calls: calls }, finish_reason: null, logprobs: null })
  yield chunk({ delta: {}, finish_reason: finishReason ?? 'stop', logprobs: null })
  if (!includeUsage) return
  const estimate = {
    prompt: Math.ceil(promptBytes / BYTES_A_TOKEN),
    completion: Math.ceil(answerBytes / BYTES_A_TOKEN),
    cached: 0,
  }
  const usage = usageOf(counts ?? estimate, clock, firstAt ?? performance.now())
  if (counts === undefined) usage.estimated = true
  yield chunk(null, { usage })
}

function callOf({ index, id, name = '', arguments: given }: CallPart): IndexedCall {
  return {
    index,
    id: id ?? `call-${crypto.randomUUID()}`,
    type: 'function',
    function: { name, arguments: given },
  }
}

function usageOf(counts: TokenCounts, { calledAt, sentAt }: AnswerClock, firstAt: number): Usage {
  const prefillMs = firstAt - sentAt
  const decodeMs = performance.now() - firstAt
  return {
    prompt_tokens: counts.prompt,
    completion_tokens: counts.completion,
    total_tokens: counts.prompt + counts.completion,
    prompt_tokens_details: { cached_tokens: counts.cached },
    minnow: {
      timeToFirstTokenMs: firstAt - calledAt,
      prefillMs,
      decodeMs,
      prefillTokensPerSecond: rate(counts.prompt - counts.cached, prefillMs),
      decodeTokensPerSecond: rate(counts.completion - 1, decodeMs),
      draftedTokens: 0,
      acceptedTokens: 0,
    },
  }
}

function rate(tokens: number, durationMs: number): number {
  return tokens > 0 && durationMs > 0 ? (tokens / durationMs) * 1000 : 0
}
