import { describe, expect, it } from 'vitest'
import { collect, createHarness, randomModel, says, textOf, tokenizer, user } from './engine-harness'

describe('logprobs', () => {
  const model = randomModel(3, { order: 2, spread: 4, letters: 6 })

  it('come from raw logits, whatever the sampling', async () => {
    const { engine } = createHarness({ logits: model })
    const prompt = tokenizer.encodeChat([user('hi')])
    for (const sampling of [
      { temperature: 0 },
      { temperature: 2, seed: 4 },
      { temperature: 0, logit_bias: { 98: 50 }, frequency_penalty: 1 },
      { temperature: 0.5, top_k: 2, seed: 5 },
    ]) {
      const completion = await engine.chat.completions.create({
        messages: [user('hi')],
        max_tokens: 10,
        logprobs: true,
        top_logprobs: 3,
        minnow: { tokenIds: true },
        ...sampling,
      })
      const ids = completion.minnow!.tokenIds!
      const content = completion.choices[0]!.logprobs!.content
      expect(content).toHaveLength(10)
      for (const [index, entry] of content.entries()) {
        const row = model([...prompt, ...ids.slice(0, index)])
        const logSum = Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0))
        const top = Array.from(row, (logit, id) => ({ id, logit }))
          .toSorted((a, b) => b.logit - a.logit)
          .slice(0, 3)
        expect(entry.token).toBe(tokenizer.decode([ids[index]!]))
        expect(entry.bytes).toEqual([ids[index]])
        expect(entry.logprob).toBeCloseTo(row[ids[index]!]! - logSum, 5)
        expect(entry.top_logprobs.map(({ bytes }) => bytes![0])).toEqual(top.map(({ id }) => id))
        for (const [rank, { logprob }] of entry.top_logprobs.entries()) {
          expect(logprob).toBeCloseTo(top[rank]!.logit - logSum, 5)
        }
      }
    }
    await engine.dispose()
  })

  it('come beside the text of their tokens in a stream, and not unless asked for', async () => {
    const { engine } = createHarness({ logits: says('añ!') })
    const chunks = await collect(
      await engine.chat.completions.create({
        messages: [user('x')],
        temperature: 0,
        stream: true,
        logprobs: true,
      }),
    )
    const pieces = chunks.filter((chunk) => chunk.choices[0]?.delta.content)
    expect(
      pieces.map(({ choices }) => [choices[0]!.delta.content, choices[0]!.logprobs!.content.length]),
    ).toEqual([
      ['a', 1],
      ['ñ', 2],
      ['!', 1],
    ])
    const bytes = pieces.flatMap(({ choices }) =>
      choices[0]!.logprobs!.content.flatMap((entry) => entry.bytes ?? []),
    )
    expect(bytes).toEqual(tokenizer.encode('añ!'))
    expect(pieces[0]?.choices[0]?.logprobs?.content[0]?.top_logprobs).toEqual([])
    const plain = await collect(
      await engine.chat.completions.create({ messages: [user('x')], temperature: 0, stream: true }),
    )
    expect(textOf(plain)).toBe('añ!')
    expect(plain.every(({ choices }) => choices[0]!.logprobs === null)).toBe(true)
    await engine.dispose()
  })
})

describe('a seed', () => {
  it('gives the same text again, and another seed another', async () => {
    const { engine } = createHarness({ logits: randomModel(8, { order: 3, spread: 1, letters: 20 }) })
    const text = async (seed?: number): Promise<string> => {
      const params = { messages: [user('hi')], max_tokens: 30, ...(seed === undefined ? {} : { seed }) }
      return (await engine.chat.completions.create(params)).choices[0]!.message.content
    }
    expect(await text(1)).toBe(await text(1))
    expect(await text(1)).not.toBe(await text(2))
    expect(await text()).not.toBe(await text())
    await engine.dispose()
  })
})

describe('timings', () => {
  it('count prompt tokens evaluated and tokens after the first', async () => {
    let clockMs = 1000
    const { engine } = createHarness(
      { logits: says('four'), beforeForward: ({ tokens }) => (clockMs += tokens.length > 1 ? 50 : 10) },
      { now: () => clockMs },
    )
    const { usage } = await engine.chat.completions.create({ messages: [user('hi')], temperature: 0 })
    // 5 tokens in one call; then o, u, r and the end of the turn.
    expect(usage.minnow).toEqual({
      timeToFirstTokenMs: 50,
      prefillMs: 50,
      decodeMs: 40,
      prefillTokensPerSecond: 100,
      decodeTokensPerSecond: 100,
      draftedTokens: 0,
      acceptedTokens: 0,
    })
    await engine.dispose()
  })
})
