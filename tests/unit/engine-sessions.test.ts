import { describe, expect, it } from 'vitest'
import { createHarness, rejection, says, user } from './engine-harness'

const assistant = (content: string): { role: 'assistant'; content: string } => ({
  role: 'assistant',
  content,
})

describe('sessions', () => {
  it('evaluate only what a second turn adds, the answer counting as known', async () => {
    const { engine, backend } = createHarness({ logits: says('Hello') })
    const first = await engine.chat.completions.create({ messages: [user('hi')], temperature: 0 })
    expect(first.usage.prompt_tokens_details.cached_tokens).toBe(0)
    const before = backend.forwards.length
    const second = await engine.chat.completions.create({
      messages: [user('hi'), assistant('Hello'), user('more')],
      temperature: 0,
    })
    // 5 of the first prompt and all of its answer: its last token was evaluated to learn that the turn ends there.
    expect(second.usage).toMatchObject({ prompt_tokens: 18, prompt_tokens_details: { cached_tokens: 10 } })
    expect(backend.forwards[before]).toMatchObject({
      start: 10,
      tokens: [256, 258, 109, 111, 114, 101, 256, 259],
    })
    await engine.dispose()
  })

  it('evaluate the last token of a known prompt again, for its logits', async () => {
    const { engine, backend } = createHarness({ logits: says('Hello') })
    await engine.chat.completions.create({ messages: [user('hi')], temperature: 0 })
    const before = backend.forwards.length
    const again = await engine.chat.completions.create({ messages: [user('hi')], temperature: 0 })
    expect(again.choices[0]?.message.content).toBe('Hello')
    expect(again.usage.prompt_tokens_details.cached_tokens).toBe(4)
    expect(backend.forwards[before]).toEqual({ session: 0, start: 4, tokens: [259], outputs: 1 })
    await engine.dispose()
  })

  it('are kept for the conversations used last', async () => {
    const { engine, backend } = createHarness({ logits: says('ok') }, { maxSessions: 2 })
    const cached = async (topic: string): Promise<number> => {
      const completion = await engine.chat.completions.create({ messages: [user(topic)], temperature: 0 })
      return completion.usage.prompt_tokens_details.cached_tokens
    }
    const [a, b, c] = ['first topic', 'another', 'the third one'] as const
    expect([await cached(a), await cached(b)]).toEqual([0, 0])
    expect(await cached(a)).toBe(13)
    expect(backend.openSessions).toBe(2)
    // The third conversation takes the place of b, which was used before a. All share their first token.
    expect(await cached(c)).toBe(1)
    expect(backend.openSessions).toBe(2)
    expect(await cached(a)).toBe(13)
    expect(await cached(b)).toBe(1)
    await engine.dispose()
  })

  it('are two by default where they are small, one where they are not', async () => {
    for (const [sessionBytes, expected] of [
      [2 ** 20, 2],
      [2 ** 30, 1],
    ] as const) {
      const { engine, backend } = createHarness({ logits: says('ok'), sessionBytes })
      for (const topic of ['one', 'two', 'three'])
        await engine.chat.completions.create({ messages: [user(topic)] })
      expect(backend.openSessions).toBe(expected)
      expect(engine.info.memoryBytes).toBe(expected * sessionBytes)
      await engine.dispose()
    }
  })

  it('are one where the KV cache, small at first, may grow large', async () => {
    const { engine, backend } = createHarness({ logits: says('ok'), cacheBytes: 2 ** 27 })
    for (const topic of ['one', 'two']) await engine.chat.completions.create({ messages: [user(topic)] })
    expect(backend.openSessions).toBe(1)
    await engine.dispose()
  })

  it('make do with one where memory ends', async () => {
    const { engine, backend } = createHarness({ logits: says('ok'), maxSessions: 1 }, { maxSessions: 3 })
    for (const topic of ['one', 'two']) {
      const completion = await engine.chat.completions.create({ messages: [user(topic)], temperature: 0 })
      expect(completion.choices[0]?.message.content).toBe('ok')
    }
    expect(backend.openSessions).toBe(1)
    await engine.dispose()
    const none = createHarness({ logits: says('ok'), maxSessions: 0 })
    const error = await rejection(none.engine.chat.completions.create({ messages: [user('one')] }))
    expect(error).toMatchObject({ code: 'out-of-memory' })
    await none.engine.dispose()
  })

  it('prefill in chunks of at most 64 tokens and of what the backend takes', async () => {
    for (const [maxBatch, largest] of [
      [512, 64],
      [10, 10],
    ] as const) {
      const { engine, backend } = createHarness({ logits: says('ok'), maxBatch })
      await engine.chat.completions.create({ messages: [user('x'.repeat(197))], temperature: 0 })
      const prefill = backend.forwards.filter(({ start }) => start < 200)
      expect(prefill.map(({ tokens }) => tokens.length)).toEqual(
        Array.from({ length: 200 / largest + 1 }, (_, i) => Math.min(largest, 200 - i * largest)).filter(
          (n) => n > 0,
        ),
      )
      expect(prefill.map(({ outputs }) => outputs)).toEqual(
        prefill.map((_, i) => (i === prefill.length - 1 ? 1 : 0)),
      )
      await engine.dispose()
    }
  })
})
