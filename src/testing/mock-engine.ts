import { contentText, type ChatMessage } from '../contract/chat-messages'
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionParams,
  ChatCompletions,
  Engine,
  EngineInfo,
  RequestOptions,
  Usage,
} from '../contract/engine'
import { EngineError } from '../contract/error'
import type { PromptReading, TokenSignal } from '../contract/signals'

export interface MockEngineOptions {
  /** What to answer, or a function of the messages that says it. Default: the last message, repeated. */
  reply?: string | ((messages: readonly ChatMessage[]) => string | Promise<string>)
  /** Wait before each word, in milliseconds. Default 0. */
  wordMs?: number
  /** Throws this instead of the word with this index. Default: it never fails. */
  fail?: { atWord: number; error: unknown }
  /** What to tell of each word, for requests with `minnow.signals`. Default: nothing, as engines without signals. */
  signals?: (word: string, index: number) => TokenSignal
  /** What to tell of the prompt, likewise. */
  promptSignals?: PromptReading
  info?: Partial<EngineInfo>
}

export interface MockEngine extends Engine {
  /** The parameters of all calls so far, oldest first. */
  readonly calls: readonly ChatCompletionParams[]
}

/**
 * An engine without a model, for tests of what stands on engines. It answers what it is told, word by word, in the
 * shapes of the real one, and heeds `stream`, `signal`, `max_tokens` (in words), `stream_options` and `dispose()`. With
 * `info.backend` 'remote' it calls `beforeSend` as remotes do, once a call.
 */
export function createMockEngine(options: MockEngineOptions = {}): MockEngine {
  const {
    reply = (messages: readonly ChatMessage[]) => contentText(messages.at(-1)?.content),
    wordMs = 0,
    fail,
  } = options
  const info: EngineInfo = {
    model: 'mock',
    backend: 'other',
    variant: 'mock',
    threads: 1,
    contextLength: 2048,
    weightsBytes: 0,
    memoryBytes: 0,
    ...options.info,
  }
  const calls: ChatCompletionParams[] = []
  const disposal = new AbortController()

  /** The words of the answer, and why it ended. */
  async function* words(
    params: ChatCompletionParams,
    signal: AbortSignal,
  ): AsyncGenerator<string, 'stop' | 'length'> {
    const text = typeof reply === 'string' ? reply : await reply(params.messages)
    const all = text.match(/\s*\S+\s*$|\s*\S+/g) ?? []
    const limit = params.max_completion_tokens ?? params.max_tokens ?? Infinity
    for (const [index, word] of all.entries()) {
      if (index >= limit) return 'length'
      if (index === fail?.atWord) throw fail.error
      await pause(wordMs, signal)
      yield word
    }
    return 'stop'
  }

  const create = async (
    params: ChatCompletionParams,
    { signal, beforeSend }: RequestOptions = {},
  ): Promise<ChatCompletion | AsyncIterable<ChatCompletionChunk>> => {
    const both = signal === undefined ? disposal.signal : AbortSignal.any([signal, disposal.signal])
    both.throwIfAborted()
    if (info.backend === 'remote') {
      await beforeSend?.({
        url: 'mock:',
        model: info.model,
        body: JSON.stringify({ model: info.model, ...params }),
      })
    }
    calls.push(params)
    const head = {
      id: `chatcmpl-mock-${calls.length}`,
      created: Math.floor(Date.now() / 1000),
      model: info.model,
    }
    if (params.stream === true) return chunks(head, params, words(params, both), options)
    const parts = words(params, both)
    const tells = params.minnow?.signals === true
    const told: TokenSignal[] = []
    let content = ''
    let count = 0
    for (;;) {
      const part = await parts.next()
      if (part.done === true) {
        return {
          ...head,
          object: 'chat.completion',
          choices: [
            { index: 0, message: { role: 'assistant', content }, finish_reason: part.value, logprobs: null },
          ],
          usage: usageOf(params, count),
          ...(tells && options.signals !== undefined
            ? {
                minnow: {
                  signals: told,
                  ...(options.promptSignals === undefined ? {} : { promptSignals: options.promptSignals }),
                },
              }
            : {}),
        }
      }
      if (options.signals !== undefined) told.push(options.signals(part.value, count))
      content += part.value
      count++
    }
  }

  return {
    chat: { completions: { create: create as ChatCompletions['create'] } },
    info,
    calls,
    dispose() {
      disposal.abort(new EngineError('disposed', 'The mock engine was disposed of.'))
      return Promise.resolve()
    },
  }
}

async function* chunks(
  head: { id: string; created: number; model: string },
  params: ChatCompletionParams,
  words: AsyncGenerator<string, 'stop' | 'length'>,
  { signals, promptSignals }: MockEngineOptions,
): AsyncGenerator<ChatCompletionChunk> {
  const includeUsage = params.stream_options?.include_usage === true
  const chunk = (
    choices: ChatCompletionChunk['choices'],
    usage: Usage | null = null,
  ): ChatCompletionChunk => ({
    ...head,
    object: 'chat.completion.chunk',
    choices,
    ...(includeUsage ? { usage } : {}),
  })
  const tells = params.minnow?.signals === true
  yield {
    ...chunk([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null, logprobs: null }]),
    ...(tells && promptSignals !== undefined ? { minnow: { promptSignals } } : {}),
  }
  let count = 0
  try {
    for (;;) {
      const part = await words.next()
      if (part.done === true) {
        yield chunk([{ index: 0, delta: {}, finish_reason: part.value, logprobs: null }])
        if (includeUsage) yield chunk([], usageOf(params, count))
        return
      }
      yield {
        ...chunk([{ index: 0, delta: { content: part.value }, finish_reason: null, logprobs: null }]),
        ...(tells && signals !== undefined ? { minnow: { signals: [signals(part.value, count)] } } : {}),
      }
      count++
    }
  } finally {
    await words.return('stop')
  }
}

/** Counts words for tokens and says that nothing took time. */
function usageOf(params: ChatCompletionParams, completionWords: number): Usage {
  const promptWords = params.messages.reduce(
    (sum, { content }: { content?: unknown }) =>
      sum + (typeof content === 'string' ? (content.match(/\S+/g)?.length ?? 0) : 0),
    0,
  )
  return {
    prompt_tokens: promptWords,
    completion_tokens: completionWords,
    total_tokens: promptWords + completionWords,
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
}

/** Rejects with the signal's reason as soon as it fires. */
function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort)
      resolve()
    }, durationMs)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
}
