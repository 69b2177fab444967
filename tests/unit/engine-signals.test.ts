import { describe, expect, it } from 'vitest'
import { collect, createHarness, randomModel, says, tokenizer, user } from './engine-harness'

describe('signals', () => {
  const model = randomModel(3, { order: 2, spread: 4, letters: 6 })

  it('come from raw logits, whatever the sampling', async () => {
    const { engine } = createHarness({ logits: model })
    const prompt = tokenizer.encodeChat([user('hi')])
    for (const sampling of [{ temperature: 0 }, { temperature: 2, seed: 4 }, { logit_bias: { 98: 50 } }]) {
      const completion = await engine.chat.completions.create({
        messages: [user('hi')],
        max_tokens: 10,
        minnow: { tokenIds: true, signals: true },
        ...sampling,
      })
      const { tokenIds, signals, promptSignals } = completion.minnow!
      expect(promptSignals!.tokens).toBe(prompt.length)
      // The mock's hidden state is its row.
      expect(promptSignals!.hidden).toEqual(Float32Array.from(model(prompt)))
      expect(signals).toHaveLength(tokenIds!.length)
      for (const [index, signal] of signals!.entries()) {
        const row = Array.from(model([...prompt, ...tokenIds!.slice(0, index)]))
        const logSum = Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0))
        const [best, second] = row.toSorted((a, b) => b - a)
        const entropy = row.reduce((sum, x) => sum - Math.exp(x - logSum) * (x - logSum), 0)
        expect(signal.logprob).toBeCloseTo(row[tokenIds![index]!]! - logSum, 5)
        expect(signal.margin).toBeCloseTo(best! - second!, 5)
        expect(signal.entropy).toBeCloseTo(entropy, 5)
      }
    }
    await engine.dispose()
  })

  it('come beside their tokens in a stream, the prompt on the first chunk', async () => {
    const { engine } = createHarness({ logits: says('añ!') })
    const request = { messages: [user('x')], temperature: 0, stream: true } as const
    const chunks = await collect(
      await engine.chat.completions.create({ ...request, minnow: { signals: true } }),
    )
    const parts = chunks.map(({ choices, minnow }) => [
      choices[0]!.delta.content ?? null,
      minnow?.promptSignals?.hidden?.length ?? null,
      minnow?.signals?.length ?? null,
    ])
    expect(parts).toEqual([
      ['', tokenizer.vocabularySize, null],
      ['a', null, 1],
      ['ñ', null, 2],
      ['!', null, 1],
      [null, null, null],
    ])
    const silent = await collect(await engine.chat.completions.create(request))
    expect(silent.every(({ minnow }) => minnow === undefined)).toBe(true)
    await engine.dispose()
  })
})
