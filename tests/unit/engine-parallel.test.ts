import { describe, expect, it } from 'vitest'
import type { ChatCompletionParams, Engine } from '../../src/contract/engine'
import { collect, createHarness, randomModel, rejection, says, textOf, user } from './engine-harness'

const logits = randomModel(9, { order: 3, spread: 4, letters: 20 })
const topics = ['one', 'another question', 'x'.repeat(150), 'four', 'five and six', 'the last one']

const request = (index: number): ChatCompletionParams => ({
  messages: [user(topics[index]!)],
  seed: index,
  max_tokens: 10 + 5 * index,
})

async function textsOf(engine: Engine, indexes: readonly number[]): Promise<string[]> {
  const completions = await Promise.all(
    indexes.map((index) => engine.chat.completions.create({ ...request(index), stream: false })),
  )
  return completions.map(({ choices }) => choices[0]!.message.content)
}

describe('requests side by side', () => {
  const all = topics.map((_, index) => index)

  it('get what each gets alone, in fewer passes', async () => {
    const alone: string[] = []
    const single = createHarness({ logits })
    for (const index of all) alone.push(...(await textsOf(single.engine, [index])))
    const { engine, backend } = createHarness({ logits, batches: true }, { parallel: 8 })
    expect(await textsOf(engine, all)).toEqual(alone)
    expect(backend.passes.some((sessions) => sessions.length === all.length)).toBe(true)
    const passes = backend.passes.length + backend.forwards.length - backend.passes.flat().length
    expect(passes).toBeLessThan(single.backend.forwards.length / 2)
    await engine.dispose()
    expect(backend.disposed).toBe(true)
    await single.engine.dispose()
  })

  it('run one at a time where the backend has no passes for several', async () => {
    let open = 0
    const { engine } = createHarness(
      { logits: says('fine'), beforeForward: ({ session }) => (open = Math.max(open, session)) },
      { parallel: 8, maxSessions: 1 },
    )
    expect(await textsOf(engine, [0, 1])).toEqual(['fine', 'fine'])
    expect(open).toBe(0)
    await engine.dispose()
  })

  it('are at most as many as wanted, those that wait begin in their order', async () => {
    const { engine, backend } = createHarness({ logits, batches: true }, { parallel: 2 })
    const order: number[] = []
    await Promise.all(
      all.map(async (index) => {
        for await (const { choices } of await engine.chat.completions.create({
          ...request(index),
          stream: true,
        })) {
          if (choices[0]?.delta.role !== undefined) order.push(index)
        }
      }),
    )
    expect(order.slice(0, 1)).toEqual([0])
    expect(order.toSorted((a, b) => a - b)).toEqual(all)
    // A long prompt may begin its answer after a shorter one that came next, but not after one that waited longer.
    for (const [place, index] of order.entries()) expect(Math.abs(place - index)).toBeLessThanOrEqual(1)
    expect(Math.max(...backend.passes.map((sessions) => sessions.length))).toBe(2)
    await engine.dispose()
  })

  it('are not disturbed by one that is aborted, nor by one whose reader leaves', async () => {
    const single = createHarness({ logits })
    const alone = await textsOf(single.engine, [0, 1])
    const { engine } = createHarness({ logits, batches: true, stepMs: 1 })
    const controller = new AbortController()
    const aborted = engine.chat.completions.create(
      { ...request(3), max_tokens: 200, stream: true },
      { signal: controller.signal },
    )
    const left = engine.chat.completions.create({ ...request(4), max_tokens: 200, stream: true })
    const others = textsOf(engine, [0, 1])
    const reading = (async () => {
      let pieces = 0
      for await (const _ of await aborted) if (++pieces === 5) controller.abort(new Error('enough'))
    })()
    const leaving = (async () => {
      for await (const { choices } of await left) if (choices[0]?.delta.content) break
    })()
    await leaving
    expect(await rejection(reading)).toMatchObject({ message: 'enough' })
    expect(await others).toEqual(alone)
    // Nobody waits for those that are gone.
    expect(await textsOf(engine, [0])).toEqual(alone.slice(0, 1))
    await engine.dispose()
    await single.engine.dispose()
  })

  it('all fail where a pass fails, and the engine goes on', async () => {
    let broken = false
    const { engine } = createHarness({
      logits: says('fine'),
      batches: true,
      beforeForward: () => {
        if (broken) throw new Error('the device is gone')
      },
    })
    const running = [0, 1].map((index) => engine.chat.completions.create({ ...request(index), stream: true }))
    const reads = running.map(async (stream) => {
      for await (const { choices } of await stream) if (choices[0]?.delta.role !== undefined) broken = true
    })
    for (const read of reads) {
      expect(await rejection(read)).toMatchObject({ code: 'internal', message: /the device is gone/ })
    }
    broken = false
    expect(await textsOf(engine, [0, 1])).toEqual(['fine', 'fine'])
    await engine.dispose()
  })

  it('hold none up with a long prompt: it goes in parts beside the steps of others', async () => {
    const { engine, backend } = createHarness({ logits, batches: true, maxBatch: 20 }, { parallel: 3 })
    await textsOf(engine, [0, 2])
    const together = backend.passes.findIndex((sessions) => sessions.length === 2)
    expect(together).toBeGreaterThanOrEqual(0)
    const steps = backend.forwards.filter(({ tokens, outputs }) => tokens.length === 1 && outputs === 1)
    const parts = backend.forwards.filter(({ tokens }) => tokens.length >= 10)
    const last = backend.forwards.lastIndexOf(parts.at(-1)!)
    expect(backend.forwards.indexOf(steps[0]!)).toBeLessThan(last)
    for (const { tokens } of backend.forwards) expect(tokens.length).toBeLessThanOrEqual(20)
    await engine.dispose()
  })
})

describe('several choices side by side', () => {
  it('are what they are one after the other, and the prompt is evaluated once', async () => {
    const params = { ...request(2), n: 3, logprobs: true }
    const single = createHarness({ logits })
    const wanted = await single.engine.chat.completions.create({ ...params, stream: false })
    const { engine, backend } = createHarness({ logits, batches: true, copies: true })
    const got = await engine.chat.completions.create({ ...params, stream: false })
    expect(got.choices).toEqual(wanted.choices)
    expect(got.usage.completion_tokens).toBe(wanted.usage.completion_tokens)
    expect(Math.max(...backend.passes.map((sessions) => sessions.length))).toBe(3)
    expect(backend.forwards.filter(({ start, tokens }) => start === 0 && tokens.length > 1)).toHaveLength(1)
    const chunks = await collect(await engine.chat.completions.create({ ...params, stream: true }))
    expect(textOf(chunks.filter(({ choices }) => choices[0]?.index === 1))).toBe(
      wanted.choices[1]!.message.content,
    )
    await engine.dispose()
    await single.engine.dispose()
  })
})

describe('memory of sessions', () => {
  const pageBytes = 2 ** 20
  const cacheBytesFor = (length: number): number => Math.ceil(length / 64) * pageBytes

  it('a context beyond the limit is refused before anything is allocated', () => {
    const open = (): unknown =>
      createHarness({ logits, cacheBytesFor }, { contextLength: 512, cacheLimitBytes: 7.5 * pageBytes })
    expect(open).toThrow('The KV cache of 512 tokens takes 8 MiB, but the limit is 7 MiB')
  })

  it('requests wait where those that run may need all of it', async () => {
    const { engine, backend } = createHarness(
      { logits, batches: true, cacheBytesFor },
      { contextLength: 256, cacheLimitBytes: 5 * pageBytes, parallel: 8 },
    )
    // Five of up to two pages: two fit at a time.
    const texts = await Promise.all(
      Array.from({ length: 5 }, (_, seed) =>
        engine.chat.completions.create({ messages: [user('hi')], seed, max_tokens: 90 }),
      ),
    )
    expect(texts).toHaveLength(5)
    expect(Math.max(...backend.passes.map((sessions) => sessions.length))).toBe(2)
    await engine.dispose()
  })

  it('makes room by dropping the conversation used least recently', async () => {
    const { engine, backend } = createHarness(
      { logits: says('ok'), batches: true, cacheBytesFor },
      { contextLength: 256, cacheLimitBytes: 6 * pageBytes, maxSessions: 4 },
    )
    const cached = async (topic: string, max_tokens: number): Promise<number> => {
      const { usage } = await engine.chat.completions.create({
        messages: [user(topic)],
        max_tokens,
        temperature: 0,
      })
      return usage.prompt_tokens_details.cached_tokens
    }
    for (const topic of ['aaaa', 'bbbb', 'cccc']) await cached(topic, 5)
    expect(backend.openSessions).toBe(3)
    // Four pages beside three of one: one too many.
    await cached('dddd', 250)
    expect(backend.openSessions).toBe(3)
    expect(await cached('cccc', 5)).toBeGreaterThan(2)
    expect(await cached('aaaa', 5)).toBe(0)
    await engine.dispose()
  })
})
