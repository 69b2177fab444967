import { afterEach, describe, expect, it, vi } from 'vitest'
import type { ChatCompletionChunk, Engine } from '../../src/contract/engine'
import type { GenerationMessage } from '../../src/worker/api'
import { createWorkerService } from '../../src/worker/service'

function chunk(delta: ChatCompletionChunk['choices'][number]['delta']): ChatCompletionChunk {
  const choices = [{ index: 0, delta, finish_reason: null, logprobs: null }]
  return { id: 'id', object: 'chat.completion.chunk', created: 0, model: 'fake', choices }
}

/** A port that keeps what is sent to the client. */
function recordingPort(): { port: MessagePort; messages: GenerationMessage[] } {
  const messages: GenerationMessage[] = []
  const port = {
    postMessage: (message: GenerationMessage) => messages.push(message),
    close: () => undefined,
  }
  return { port: port as unknown as MessagePort, messages }
}

describe('createWorkerService', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it('sends the first text at once, also right after the role, and gathers what follows', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    async function* chunks(): AsyncGenerator<ChatCompletionChunk> {
      yield chunk({ role: 'assistant' })
      yield chunk({ content: 'first' })
      yield chunk({ content: 'second' })
      yield chunk({ content: 'third' })
      await new Promise((resolve) => setTimeout(resolve, 1000))
    }
    const engine = {
      info: {},
      chat: { completions: { create: async () => chunks() } },
      dispose: async () => undefined,
    } as unknown as Engine
    const service = createWorkerService(
      async () => engine,
      async () => undefined,
    )
    await service.load({ model: { kind: 'url', url: 'http://localhost/m.gguf' } }, recordingPort().port)

    const { port, messages } = recordingPort()
    const generating = service.generate({ messages: [{ role: 'user', content: 'hi' }], stream: true }, port)
    const texts = () =>
      messages.flatMap((message) =>
        message.type === 'parts'
          ? [message.parts.map(({ choices }) => choices[0]?.delta.content ?? '').join(' ')]
          : [],
      )
    await vi.advanceTimersByTimeAsync(0)
    expect(texts()).toEqual(['', 'first'])
    await vi.advanceTimersByTimeAsync(16)
    expect(texts()).toEqual(['', 'first', 'second third'])
    await vi.advanceTimersByTimeAsync(1000)
    await generating
    expect(messages.at(-1)?.type).toBe('ended')
  })
})
