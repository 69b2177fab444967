import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ChatCompletionParams } from '../../src/contract/engine'
import { collect, createHarness, randomModel, says, user } from './engine-harness'

/** Two turns of a conversation: the second shows what the first left in the KV cache. */
async function converse(
  logits: (tokens: readonly number[]) => Float32Array,
  params: Omit<ChatCompletionParams, 'stream'>,
  follows: boolean,
  contextLength: number,
) {
  const { engine, backend } = createHarness({ logits, follows }, { contextLength })
  const request = {
    ...params,
    stream: false as const,
    temperature: 0,
    minnow: { tokenIds: true, ...params.minnow },
  }
  const first = await engine.chat.completions.create(request)
  const second = await engine.chat.completions.create({
    ...request,
    messages: [
      ...params.messages,
      { role: 'assistant', content: first.choices[0]!.message.content },
      user('and'),
    ],
    max_tokens: 8,
    minnow: { ...request.minnow, overflow: 'slide' },
  })
  await engine.dispose()
  return { answers: [first, second], forwards: backend.forwards }
}

describe('a backend that follows by itself', () => {
  it('gives the same answers, logprobs, signals and counts as one that waits', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          seed: fc.integer(),
          order: fc.integer({ min: 1, max: 4 }),
          spread: fc.constantFrom(2, 8, 30),
          letters: fc.integer({ min: 2, max: 6 }),
          endBias: fc.constantFrom(-40, 0, 3),
        }),
        fc.record({
          max_tokens: fc.integer({ min: 1, max: 40 }),
          stop: fc.constantFrom(null, 'a', 'bc', ['ab', 'ca']),
          logprobs: fc.boolean(),
          signals: fc.boolean(),
          overflow: fc.constantFrom('error' as const, 'slide' as const),
        }),
        fc.integer({ min: 40, max: 90 }),
        async ({ seed, ...shape }, { signals, overflow, ...params }, contextLength) => {
          const model = randomModel(seed, shape)
          const request = { messages: [user('hello')], ...params, minnow: { signals, overflow } }
          const [waiting, following] = await Promise.all(
            [false, true].map((follows) => converse(model, request, follows, contextLength)),
          )
          const told = ({ answers }: typeof waiting & object) =>
            answers.map(({ choices, minnow, usage: { minnow: _timings, ...usage } }) => ({
              choices,
              minnow,
              usage,
            }))
          expect(told(following!)).toEqual(told(waiting!))
        },
      ),
      { numRuns: 150, seed: 20261123 },
    )
  })

  it('begins a step before the last one is known, and never more than two', async () => {
    const events: string[] = []
    const { engine } = createHarness({
      logits: says('abcdef'),
      follows: true,
      beforeForward: ({ start }) => events.push(`begin ${start}`),
    })
    const stream = await engine.chat.completions.create({
      messages: [user('x')],
      temperature: 0,
      stream: true,
    })
    const chunks = await collect(stream)
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe('abcdef')
    // The prompt, six letters, and one step that was under way when the end was known.
    expect(events).toHaveLength(8)
    await engine.dispose()
  })

  it('waits for what is under way when it is stopped, and answers the next request', async () => {
    const { engine, backend } = createHarness({ logits: says('a'.repeat(200)), follows: true, stepMs: 1 })
    const controller = new AbortController()
    const stream = await engine.chat.completions.create(
      { messages: [user('x')], temperature: 0, stream: true },
      { signal: controller.signal },
    )
    let seen = 0
    const reading = (async () => {
      for await (const chunk of stream)
        if (chunk.choices[0]?.delta.content && ++seen === 5) controller.abort()
    })()
    await expect(reading).rejects.toThrow('aborted')
    const again = await engine.chat.completions.create({
      messages: [user('y')],
      temperature: 0,
      max_tokens: 3,
    })
    expect(again.choices[0]!.message.content).toBe('aaa')
    expect(backend.openSessions).toBeGreaterThan(0)
    await engine.dispose()
  })

  it('does not use a session again whose step failed', async () => {
    let steps = 0
    const { engine, backend } = createHarness({
      logits: says('abcdefgh'),
      follows: true,
      beforeForward() {
        if (++steps === 4) throw new Error('the device is gone')
      },
    })
    const request = { messages: [user('x')], temperature: 0 }
    await expect(engine.chat.completions.create(request)).rejects.toThrow(/the device is gone/)
    expect(backend.openSessions).toBe(0)
    expect((await engine.chat.completions.create(request)).choices[0]!.message.content).toBe('abcdefgh')
    await engine.dispose()
  })
})
