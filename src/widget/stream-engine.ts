import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionParams,
  ChatCompletions,
  Engine,
  RequestOptions,
} from '../contract/engine'
import { completionOf } from '../router/completion-of'

/** What answers a request, chunk by chunk. */
export type AnswerChunks = (
  params: ChatCompletionParams,
  options: RequestOptions,
) => AsyncIterable<ChatCompletionChunk>

/** An engine whose answers are made by `chunks`, over `inner`; all else is inner's, and so is `dispose()`. */
export function createStreamEngine(inner: Engine, chunks: AnswerChunks): Engine {
  const create = async (
    params: ChatCompletionParams,
    options: RequestOptions = {},
  ): Promise<ChatCompletion | AsyncIterable<ChatCompletionChunk>> => {
    options.signal?.throwIfAborted()
    const stream = chunks(params, options)
    return params.stream === true ? stream : completionOf(stream)
  }
  return {
    chat: { completions: { create: create as ChatCompletions['create'] } },
    get info() {
      return inner.info
    },
    dispose: () => inner.dispose(),
  }
}

/** A chunk that no model made. */
export function chunkOf(
  model: string,
  content: string,
  rest: Pick<ChatCompletionChunk, 'minnow'> & { id?: string; finish?: 'stop' } = {},
): ChatCompletionChunk {
  return {
    id: rest.id ?? `minnow-${crypto.randomUUID()}`,
    object: 'chat.completion.chunk',
    created: Math.floor(Date.now() / 1000),
    model,
    choices: [
      { index: 0, delta: { role: 'assistant', content }, finish_reason: rest.finish ?? null, logprobs: null },
    ],
    ...(rest.minnow === undefined ? {} : { minnow: rest.minnow }),
  }
}

/** The same stream once its first chunk is there, so that what fails at the start fails here. */
export async function started<T>(stream: AsyncIterable<T>): Promise<AsyncIterable<T>> {
  const rest = stream[Symbol.asyncIterator]()
  const first = await rest.next()
  return (async function* () {
    let isOver = first.done === true
    try {
      if (first.done !== true) yield first.value
      while (!isOver) {
        const next = await rest.next()
        isOver = next.done === true
        if (next.done !== true) yield next.value
      }
    } finally {
      if (!isOver) await rest.return?.()
    }
  })()
}
