import { describe, expect, it } from 'vitest'
import { contentText } from '../../src/contract/chat-messages'
import { createMockBackend, createMockEngine } from '../../src/testing/index'
import { collect, rejection, textOf, user } from './engine-harness'

describe('the mock engine', () => {
  it('answers what it is told, streamed or not', async () => {
    const engine = createMockEngine({ reply: ([message]) => `You said: ${contentText(message?.content)}` })
    const completion = await engine.chat.completions.create({ messages: [user('hello there')] })
    expect(completion.choices[0]).toMatchObject({
      message: { role: 'assistant', content: 'You said: hello there' },
      finish_reason: 'stop',
    })
    expect(completion.usage).toMatchObject({ prompt_tokens: 2, completion_tokens: 4, total_tokens: 6 })
    const chunks = await collect(
      await engine.chat.completions.create({
        messages: [user('hello there')],
        stream: true,
        max_tokens: 3,
        stream_options: { include_usage: true },
      }),
    )
    expect(textOf(chunks)).toBe('You said: hello')
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('length')
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 3 } })
    expect(engine.calls).toHaveLength(2)
  })

  it('heeds the signal and dispose()', async () => {
    const engine = createMockEngine({ reply: 'a b c', wordMs: 5 })
    const reason = new Error('enough')
    const controller = new AbortController()
    const call = engine.chat.completions.create({ messages: [user('x')] }, { signal: controller.signal })
    controller.abort(reason)
    expect(await rejection(call)).toBe(reason)
    const running = engine.chat.completions.create({ messages: [user('x')] })
    await engine.dispose()
    expect(await rejection(running)).toMatchObject({ code: 'disposed' })
    expect(await rejection(engine.chat.completions.create({ messages: [user('x')] }))).toMatchObject({
      code: 'disposed',
    })
  })
})

describe('the mock backend', () => {
  it('holds its callers to the contract', async () => {
    const backend = createMockBackend({
      vocabularySize: 4,
      maxBatch: 3,
      logits: ({ length }) => [length, 0, 0, 9],
    })
    const session = backend.createSession({ contextLength: 5 })
    const logits = await session.forward([0, 1, 2], { outputs: 2 })
    expect(logits.map((row) => [...row.values()])).toEqual([
      [2, 0, 0, 9],
      [3, 0, 0, 9],
    ])
    expect(logits[0]!.argmax).toBe(3)
    expect(logits[0]!.logSumExp).toBeCloseTo(Math.log(Math.exp(2) + 2 + Math.exp(9)), 9)
    expect(await rejection(session.forward([0, 0, 0]))).toMatchObject({ code: 'context-overflow' })
    expect(await rejection(session.forward([0, 0, 0, 0]))).toMatchObject({ code: 'invalid-argument' })
    expect(await rejection(session.forward([4]))).toMatchObject({ code: 'invalid-argument' })
    expect(session.length).toBe(3)
    session.shift(0, 1)
    expect(session.length).toBe(2)
    expect(() => logits[0]!.values()).toThrow(expect.objectContaining({ code: 'internal' }))
    expect(() => session.truncate(3)).toThrow(expect.objectContaining({ code: 'invalid-argument' }))
    session.dispose()
    expect(backend.openSessions).toBe(0)
    expect(await rejection(session.forward([0]))).toMatchObject({ code: 'disposed' })
  })
})
