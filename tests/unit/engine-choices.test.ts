import { describe, expect, it } from 'vitest'
import { collect, createHarness, randomModel, user } from './engine-harness'

const request = { messages: [user('hello there')], seed: 5, max_tokens: 12 }
const model = { logits: randomModel(3, { order: 2, spread: 4, letters: 20 }) }

/** Each choice alone: seeds that follow one another. */
async function alone(count: number): Promise<string[]> {
  const { engine } = createHarness(model)
  const texts: string[] = []
  for (let i = 0; i < count; i++) {
    const { choices } = await engine.chat.completions.create({ ...request, seed: request.seed + i })
    texts.push(choices[0]!.message.content)
  }
  await engine.dispose()
  return texts
}

describe('several choices', () => {
  it('are what each seed gives alone, and the prompt is evaluated once', async () => {
    const { engine, backend } = createHarness(model)
    const completion = await engine.chat.completions.create({ ...request, n: 3, logprobs: true })
    const texts = await alone(3)
    expect(new Set(texts).size).toBe(3)
    expect(completion.choices.map(({ index, message }) => [index, message.content])).toEqual([
      [0, texts[0]],
      [1, texts[1]],
      [2, texts[2]],
    ])
    expect(completion.choices.map(({ logprobs }) => logprobs?.content.length)).toEqual([12, 12, 12])
    const { prompt_tokens, completion_tokens, total_tokens, minnow } = completion.usage
    expect(completion_tokens).toBe(36)
    expect(total_tokens).toBe(prompt_tokens + 36)
    expect(minnow.decodeTokensPerSecond).toBeGreaterThan(0)
    const evaluated = backend.forwards.filter(({ start, tokens }) => start === 0 && tokens.length > 1)
    expect(evaluated).toHaveLength(1)
    await engine.dispose()
  })

  it('stream one after the other, each with its role and its finish reason, with one usage', async () => {
    const { engine } = createHarness(model)
    const chunks = await collect(
      await engine.chat.completions.create({
        ...request,
        n: 2,
        stream: true,
        stream_options: { include_usage: true },
      }),
    )
    const texts = ['', '']
    const ends: string[] = []
    for (const { choices } of chunks) {
      for (const { index, delta, finish_reason } of choices) {
        texts[index] += delta.content ?? ''
        if (delta.role !== undefined) ends.push(`${index} begins`)
        if (finish_reason !== null) ends.push(`${index} ${finish_reason}`)
      }
    }
    expect(texts).toEqual(await alone(2))
    expect(ends).toEqual(['0 begins', '0 length', '1 begins', '1 length'])
    expect(chunks.filter(({ usage }) => usage !== null).map(({ usage }) => usage?.completion_tokens)).toEqual(
      [24],
    )
    await engine.dispose()
  })

  it('end together where the reader leaves', async () => {
    const { engine, backend } = createHarness(model)
    const stream = await engine.chat.completions.create({ ...request, n: 100, stream: true })
    for await (const { choices } of stream) if (choices[0]?.index === 1) break
    const before = backend.forwards.length
    await engine.chat.completions.create({ ...request, max_tokens: 1 })
    expect(backend.forwards.length - before).toBeLessThan(5)
    await engine.dispose()
  })
})
