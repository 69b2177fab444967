import type { ChatCompletionChunk } from '../contract/engine'
import { errorBody } from './error-response'

/**
 * An answer as server-sent events, in OpenAI's way: a chunk an event, '[DONE]' behind the last. An error in the middle
 * is an event with `error`, and the last. Who cancels the stream leaves the loop over `chunks`, and so stops the answer.
 */
export function eventStream(chunks: AsyncIterable<ChatCompletionChunk>): ReadableStream<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]()
  const encoder = new TextEncoder()
  const event = (data: string): Uint8Array => encoder.encode(`data: ${data}\n\n`)
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const next = await iterator.next()
        if (next.done !== true) return controller.enqueue(event(JSON.stringify(next.value)))
        controller.enqueue(event('[DONE]'))
      } catch (error) {
        controller.enqueue(event(JSON.stringify(errorBody(error))))
      }
      controller.close()
    },
    async cancel() {
      await iterator.return?.()
    },
  })
}
