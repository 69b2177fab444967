import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Draw, Logits } from '../../src/backend/backend'
import type { ChatCompletionParams } from '../../src/contract/engine'
import { collect, createHarness, randomModel, says, user } from './engine-harness'

/** As a sampler draws where top-p and min-p are off. */
function drawOf({ top, maximum, tempered }: Logits, { temperature, topK, quantile }: Draw): number {
  const { ids, logits } = top!
  const order = Array.from(ids).slice(0, topK === 0 ? ids.length : topK)
  const weights = order.map((_, i) => Math.exp((logits[i]! - maximum) / temperature))
  const target = quantile * (topK === 0 ? tempered! : weights.reduce((a, b) => a + b, 0))
  let sum = 0
  return order.find((_, i) => (sum += weights[i]!) >= target) ?? order.at(-1)!
}

/** Two turns of a conversation: the second shows what the first left in the KV cache. */
async function converse(
  logits: (tokens: readonly number[]) => Float32Array,
  params: Omit<ChatCompletionParams, 'stream'>,
  follows: boolean,
  contextLength: number,
  drawn?: (row: Logits, draw: Draw) => number,
  topCount?: number,
) {
  const { engine, backend } = createHarness(
    { logits, follows, ...(drawn && { drawn }), ...(topCount && { topCount }) },
    { contextLength },
  )
  const request = {
    temperature: 0,
    ...params,
    stream: false as const,
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

  it.each([
    ['the likeliest', undefined],
    ['always another', (row: Logits): number => (row.argmax + 1) % 2],
    ['mostly the right', drawOf],
  ] as const)('samples the same tokens where the device draws %s', async (_, drawn) => {
    let rightDraws = 0
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          temperature: fc.constantFrom(0.3, 1, 2),
          top_k: fc.integer({ min: 1, max: 40 }),
          top_p: fc.constantFrom(1, 0.8),
          seed: fc.integer({ min: 0, max: 2 ** 40 }),
          max_tokens: fc.integer({ min: 1, max: 30 }),
          stop: fc.constantFrom(null, 'ab'),
          logprobs: fc.boolean(),
        }),
        fc.constantFrom('error' as const, 'slide' as const),
        fc.integer(),
        fc.integer({ min: 40, max: 90 }),
        async (params, overflow, modelSeed, contextLength) => {
          const model = randomModel(modelSeed, { order: 2, spread: 2, letters: 5, endBias: -2 })
          const request = { messages: [user('hello')], ...params, minnow: { overflow, promptLookup: false } }
          const waiting = await converse(model, request, false, contextLength)
          const following = await converse(model, request, true, contextLength, drawn)
          const told = ({ answers }: typeof waiting) =>
            answers.map(({ choices, minnow, usage: { minnow: _timings, ...usage } }) => ({
              choices,
              minnow,
              usage,
            }))
          expect(told(following)).toEqual(told(waiting))
          // A wrong draw costs two steps more; a right one none, but for those under way when an answer ends.
          if (following.forwards.length <= waiting.forwards.length + 2) rightDraws++
        },
      ),
      { numRuns: 60, seed: 20261124 },
    )
    if (drawn === drawOf) expect(rightDraws).toBeGreaterThan(30)
  })

  it('samples the same tokens without top_k, though it is told of three tokens of six', async () => {
    let ahead = 0
    let whole = 0
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          temperature: fc.constantFrom(0.2, 1, 1.5),
          top_p: fc.constantFrom(1, 1, 0.9, 0.5),
          min_p: fc.constantFrom(0, 0, 0.1),
          seed: fc.integer({ min: 0, max: 2 ** 40 }),
          max_tokens: fc.integer({ min: 8, max: 30 }),
          logprobs: fc.boolean(),
        }),
        fc.boolean(),
        fc.constantFrom('error' as const, 'slide' as const),
        fc.integer(),
        async (params, signals, overflow, modelSeed) => {
          const model = randomModel(modelSeed, { order: 2, spread: 4, letters: 6, endBias: -2 })
          const minnow = { overflow, signals, promptLookup: false }
          const request = { messages: [user('hello')], ...params, minnow }
          const waiting = await converse(model, request, false, 60)
          const plain = params.top_p === 1 && params.min_p === 0
          const following = await converse(model, request, true, 60, plain ? drawOf : undefined, 3)
          const told = ({ answers }: typeof waiting) =>
            answers.map(({ choices, minnow: extra, usage: { minnow: _timings, ...usage } }) => ({
              choices,
              extra,
              usage,
            }))
          expect(told(following)).toEqual(told(waiting))
          const more = following.forwards.length - waiting.forwards.length
          if (more <= 2) ahead++
          else whole++
        },
      ),
      { numRuns: 100, seed: 20261126 },
    )
    expect(ahead).toBeGreaterThan(5)
    expect(whole).toBeGreaterThan(20)
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
