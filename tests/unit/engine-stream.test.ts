import { describe, expect, it } from 'vitest'
import { collect, createHarness, says, textOf, user } from './engine-harness'

describe('chat.completions.create', () => {
  it('answers at once, greedily', async () => {
    const { engine, backend } = createHarness({ logits: says('Hello, world') })
    const completion = await engine.chat.completions.create({ messages: [user('hi')], temperature: 0 })
    expect(completion).toMatchObject({
      object: 'chat.completion',
      model: 'mock-model',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hello, world' },
          finish_reason: 'stop',
          logprobs: null,
        },
      ],
      usage: {
        prompt_tokens: 5,
        completion_tokens: 12,
        total_tokens: 17,
        prompt_tokens_details: { cached_tokens: 0 },
      },
    })
    expect(Object.keys(completion)).toEqual([
      'id',
      'object',
      'created',
      'model',
      'system_fingerprint',
      'choices',
      'usage',
    ])
    expect(completion.system_fingerprint).toMatch(/^fp_mock-model_/)
    expect(completion.id).toMatch(/^chatcmpl-[0-9a-f]{24}$/)
    expect(backend.forwards[0]).toEqual({
      session: 0,
      start: 0,
      tokens: [258, 104, 105, 256, 259],
      outputs: 1,
    })
    await engine.dispose()
  })

  it("streams in OpenAI's order: role, text, finish reason, usage", async () => {
    const { engine } = createHarness({ logits: says('añb') })
    const chunks = await collect(
      await engine.chat.completions.create({
        messages: [user('hi')],
        temperature: 0,
        stream: true,
        stream_options: { include_usage: true },
        minnow: { tokenIds: true },
      }),
    )
    expect(chunks.map((chunk) => chunk.choices)).toEqual([
      [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null, logprobs: null }],
      [{ index: 0, delta: { content: 'a' }, finish_reason: null, logprobs: null }],
      [{ index: 0, delta: { content: 'ñ' }, finish_reason: null, logprobs: null }],
      [{ index: 0, delta: { content: 'b' }, finish_reason: null, logprobs: null }],
      [{ index: 0, delta: {}, finish_reason: 'stop', logprobs: null }],
      [],
    ])
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true)
    expect(chunks.at(-1)?.usage).toMatchObject({ prompt_tokens: 5, completion_tokens: 4, total_tokens: 9 })
    expect(chunks.flatMap((chunk) => chunk.minnow?.tokenIds ?? [])).toEqual([97, 0xc3, 0xb1, 98])
    expect(new Set(chunks.map((chunk) => chunk.id)).size).toBe(1)
    expect(textOf(chunks)).toBe('añb')
    await engine.dispose()
  })
})
