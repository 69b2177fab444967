import { describe, expect, it } from 'vitest'
import { collect, createHarness, only, rejection, says, textOf, user } from './engine-harness'

const endless = (): Float32Array => only(97)
const reason = new Error('the person changed their mind')

describe('abort', () => {
  it('before the call starts nothing', async () => {
    const { engine, backend } = createHarness({ logits: says('x') })
    const signal = AbortSignal.abort(reason)
    expect(await rejection(engine.chat.completions.create({ messages: [user('hi')] }, { signal }))).toBe(
      reason,
    )
    expect(backend.forwards).toHaveLength(0)
    await engine.dispose()
  })

  it('during prefill stops after the chunk under way', async () => {
    const controller = new AbortController()
    const { engine, backend } = createHarness({
      logits: endless,
      stepMs: 1,
      beforeForward: ({ start }) => {
        if (start === 64) controller.abort(reason)
      },
    })
    const call = engine.chat.completions.create(
      { messages: [user('x'.repeat(300))] },
      { signal: controller.signal },
    )
    expect(await rejection(call)).toBe(reason)
    // The next request waits for the chunk under way, then uses what was evaluated.
    const next = await engine.chat.completions.create({ messages: [user('x'.repeat(300))], max_tokens: 1 })
    expect(next.usage.prompt_tokens_details.cached_tokens).toBe(128)
    expect(backend.forwards.map(({ start }) => start)).toEqual([0, 64, 128, 192, 256])
    await engine.dispose()
  })

  it.each([0, 3])('during decode stops within one step (steps of %i ms)', async (stepMs) => {
    const controller = new AbortController()
    let stepsAtAbort = -1
    const harness = createHarness(
      {
        logits: endless,
        stepMs,
        beforeForward: () => {
          if (harness.backend.forwards.length !== 20) return
          stepsAtAbort = harness.backend.forwards.length
          controller.abort(reason)
        },
      },
      { contextLength: 4096 },
    )
    const { engine, backend } = harness
    const stream = await engine.chat.completions.create(
      { messages: [user('hi')], stream: true, temperature: 0, minnow: { promptLookup: false } },
      { signal: controller.signal },
    )
    expect(await rejection(collect(stream))).toBe(reason)
    await engine.dispose()
    expect(backend.forwards).toHaveLength(stepsAtAbort + 1)
  })

  it('by a task of the event loop takes effect while steps take no time', async () => {
    const controller = new AbortController()
    const { engine, backend } = createHarness({ logits: endless }, { contextLength: 1_000_000 })
    setTimeout(() => controller.abort(reason), 20)
    const call = engine.chat.completions.create({ messages: [user('hi')] }, { signal: controller.signal })
    expect(await rejection(call)).toBe(reason)
    expect(backend.forwards.length).toBeLessThan(900_000)
    await engine.dispose()
  })

  it('while queued leaves the queue at once', async () => {
    const controller = new AbortController()
    const { engine, backend } = createHarness({ logits: says('a long answer'), stepMs: 1 })
    const first = engine.chat.completions.create({ messages: [user('one')], temperature: 0 })
    const second = engine.chat.completions.create({ messages: [user('Q')] }, { signal: controller.signal })
    const third = engine.chat.completions.create({ messages: [user('three')], temperature: 0 })
    const stepsBefore = backend.forwards.length
    controller.abort(reason)
    expect(await rejection(second)).toBe(reason)
    expect(backend.forwards.length - stepsBefore).toBeLessThan(3)
    expect((await first).choices[0]?.message.content).toBe('a long answer')
    expect((await third).choices[0]?.message.content).toBe('a long answer')
    expect(backend.forwards.some(({ tokens }) => tokens.includes(81))).toBe(false)
    await engine.dispose()
  })

  it('after the end changes nothing', async () => {
    const controller = new AbortController()
    const { engine } = createHarness({ logits: says('done') })
    const stream = await engine.chat.completions.create(
      { messages: [user('hi')], stream: true, temperature: 0 },
      { signal: controller.signal },
    )
    const chunks = await collect(stream)
    controller.abort(reason)
    expect(textOf(chunks)).toBe('done')
    expect(await collect(stream)).toEqual([])
    await engine.dispose()
  })

  it('without a reason of its own gives the reason of the platform', async () => {
    const controller = new AbortController()
    const { engine } = createHarness({ logits: endless, stepMs: 1 })
    const call = engine.chat.completions.create({ messages: [user('hi')] }, { signal: controller.signal })
    controller.abort()
    expect(await rejection(call)).toMatchObject({ name: 'AbortError' })
    await engine.dispose()
  })
})

describe('leaving the loop', () => {
  it('cancels the request and lets the next one run', async () => {
    const { engine, backend } = createHarness({ logits: endless, stepMs: 1 }, { contextLength: 100_000 })
    const stream = await engine.chat.completions.create({ messages: [user('hi')], stream: true })
    let read = 0
    for await (const chunk of stream) {
      read += chunk.choices.length
      if (read === 5) break
    }
    const next = await engine.chat.completions.create({
      messages: [user('hi')],
      max_tokens: 2,
      temperature: 0,
    })
    expect(next.choices[0]?.message.content).toBe('aa')
    expect(backend.forwards.length).toBeLessThan(20)
    await engine.dispose()
  })
})

describe('the queue', () => {
  it('serves one request at a time in the order they came', async () => {
    const { engine, backend } = createHarness({ logits: says('some words'), stepMs: 1 }, { maxSessions: 3 })
    const order: string[] = []
    const ask = async (topic: string): Promise<void> => {
      await engine.chat.completions.create({ messages: [user(topic)], temperature: 0 })
      order.push(topic)
    }
    await Promise.all([ask('a'), ask('b'), ask('c')])
    expect(order).toEqual(['a', 'b', 'c'])
    const sessions = backend.forwards.map(({ session }) => session)
    expect(sessions).toEqual(sessions.toSorted((a, b) => a - b))
    await engine.dispose()
  })

  it('is not held up by a stream nobody reads', async () => {
    const { engine } = createHarness({ logits: says('unread') })
    const unread = await engine.chat.completions.create({
      messages: [user('a')],
      stream: true,
      temperature: 0,
    })
    const other = await engine.chat.completions.create({ messages: [user('b')], temperature: 0 })
    expect(other.choices[0]?.message.content).toBe('unread')
    expect(textOf(await collect(unread))).toBe('unread')
    await engine.dispose()
  })
})

describe('a failing backend', () => {
  it('fails the request, not the engine', async () => {
    let failures = 2
    const { engine, backend } = createHarness({
      logits: says('fine'),
      beforeForward: ({ start }) => {
        if (start >= 7 && failures-- > 0) throw new TypeError('kernel trapped')
      },
    })
    const failed = engine.chat.completions.create({ messages: [user('hi')], temperature: 0 })
    const error = await rejection(failed)
    expect(error).toMatchObject({ code: 'internal', cause: new TypeError('kernel trapped') })
    expect(String(error)).toContain('kernel trapped')
    // What the session holds is not known any more.
    expect(backend.openSessions).toBe(0)
    const stream = await engine.chat.completions.create({
      messages: [user('hi')],
      temperature: 0,
      stream: true,
    })
    expect(await rejection(collect(stream))).toMatchObject({ code: 'internal' })
    const fine = await engine.chat.completions.create({ messages: [user('hi')], temperature: 0 })
    expect(fine.choices[0]?.message.content).toBe('fine')
    await engine.dispose()
  })
})

describe('dispose', () => {
  it('rejects what runs, what waits and what comes later, then frees everything', async () => {
    const { engine, backend } = createHarness({ logits: endless, stepMs: 2 }, { contextLength: 100_000 })
    const running = await engine.chat.completions.create({ messages: [user('a')], stream: true })
    const waiting = engine.chat.completions.create({ messages: [user('b')] })
    const rejections = Promise.all([rejection(collect(running)), rejection(waiting)])
    await new Promise((resolve) => setTimeout(resolve, 20))
    const disposed = engine.dispose()
    for (const error of await rejections) expect(error).toMatchObject({ code: 'disposed' })
    await disposed
    expect(backend.disposed).toBe(true)
    expect(backend.openSessions).toBe(0)
    await engine.dispose()
    const late = engine.chat.completions.create({ messages: [user('c')] })
    const error = await rejection(late)
    expect(error).toMatchObject({ code: 'disposed' })
    expect(String(error)).toContain('mock-model')
  })
})
