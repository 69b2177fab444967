import { describe, expect, it } from 'vitest'
import type { ChatMessage } from '../../src/contract/chat-messages'
import type { ChatCompletionParams } from '../../src/contract/engine'
import { type EngineError, isEngineError } from '../../src/contract/error'
import { parseParams } from '../../src/engine/params/parse-params'
import { createHarness, only, rejection, says, tokenizer, user } from './engine-harness'

const messages = [user('hi')]

/** What `work` throws; fails where it does not. */
function thrown(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('expected an error')
}

describe('parameters', () => {
  it('have defaults, for which null and undefined stand too', () => {
    const defaults = parseParams({ messages }, 260, 11)
    expect(defaults).toEqual({
      messages,
      tools: null,
      format: null,
      continueAnswer: false,
      sampling: {
        temperature: 1,
        topK: 0,
        topP: 1,
        minP: 0,
        repetitionPenalty: 1,
        frequencyPenalty: 0,
        presencePenalty: 0,
        logitBias: new Map(),
        seed: 11,
      },
      maxTokens: null,
      stop: [],
      n: 1,
      topLogprobs: null,
      stream: false,
      includeUsage: false,
      promptLookup: true,
      overflow: 'error',
      tokenIds: false,
      signals: false,
    })
    const nulls = {
      messages,
      max_tokens: null,
      temperature: null,
      top_p: null,
      top_k: null,
      min_p: null,
      seed: null,
      stop: null,
      logit_bias: null,
      logprobs: null,
      top_logprobs: null,
      stream: null,
      stream_options: null,
    }
    expect(parseParams(nulls, 260, 11)).toEqual(defaults)
  })

  it('are read as given', () => {
    const settings = parseParams(
      {
        messages,
        max_tokens: 5,
        max_completion_tokens: 7,
        temperature: 0,
        logit_bias: { 3: -100, 259: 1.5 },
        seed: -4,
        stop: ['a', 'b'],
        logprobs: true,
        top_logprobs: 20,
        stream: true,
        stream_options: { include_usage: true },
        minnow: { promptLookup: false, overflow: 'slide', tokenIds: true },
      },
      260,
      0,
    )
    expect(settings).toMatchObject({
      maxTokens: 7,
      stop: ['a', 'b'],
      topLogprobs: 20,
      stream: true,
      includeUsage: true,
      promptLookup: false,
      overflow: 'slide',
      tokenIds: true,
    })
    expect(settings.sampling).toMatchObject({
      temperature: 0,
      seed: -4,
      logitBias: new Map([
        [3, -100],
        [259, 1.5],
      ]),
    })
  })

  it.each<[string, unknown]>([
    ['temperature', -0.1],
    ['temperature', NaN],
    ['temperature', '1'],
    ['temperature', Infinity],
    ['top_p', 1.01],
    ['top_p', -1],
    ['top_k', 1.5],
    ['top_k', -1],
    ['min_p', 2],
    ['frequency_penalty', 2.1],
    ['presence_penalty', -2.1],
    ['repetition_penalty', 0],
    ['max_tokens', 0],
    ['max_tokens', 2.5],
    ['max_completion_tokens', '10'],
    ['seed', 0.5],
    ['seed', 2 ** 60],
    ['stop', ''],
    ['stop', ['a', 3]],
    ['logit_bias', { 260: 1 }],
    ['logit_bias', { '-1': 1 }],
    ['logit_bias', { '1e1': 1 }],
    ['logit_bias', [1]],
    ['logit_bias.5', 101],
    ['logprobs', 1],
    ['top_logprobs', 21],
    ['top_logprobs', 2],
    ['stream_options', true],
    ['stream_options.include_usage', 'yes'],
    ['minnow.overflow', 'drop'],
    ['minnow.promptLookup', 0],
    ['minnow.speed', 3],
    ['model', 7],
    ['messages', []],
    ['messages', 'hi'],
    ['messages[1]', 'hi'],
    ['messages[0].role', 'robot'],
    ['messages[0].content', 7],
    ['temprature', 1],
  ])("refuse '%s' of %j", (name, value) => {
    const params: Record<string, unknown> = { messages }
    const [, outer, inner] = /^(\w+)\.(\w+)$/.exec(name) ?? []
    if (name === 'messages[1]') params['messages'] = [...messages, value]
    else if (name === 'messages[0].role') params['messages'] = [{ role: value, content: 'x' }]
    else if (name === 'messages[0].content') params['messages'] = [{ role: 'user', content: value }]
    else if (outer !== undefined && inner !== undefined) params[outer] = { [inner]: value }
    else params[name] = value
    const error = thrown(() => parseParams(params as unknown as ChatCompletionParams, 260, 0))
    expect(isEngineError(error, 'invalid-argument')).toBe(true)
    const { message, details } = error as EngineError
    expect(message).toContain(name)
    expect(details['parameter']).toBe(name)
    expect(details['got']).toBeTypeOf('string')
  })

  it("say that OpenAI's others are unsupported, so that another engine may take them", () => {
    const params = { messages, audio: {} } as unknown as ChatCompletionParams
    expect(() => parseParams(params, 260, 0)).toThrow(expect.objectContaining({ code: 'unsupported' }))
  })

  it("pass over OpenAI's that concern its service", () => {
    const params = {
      messages,
      user: 'someone',
      store: false,
      metadata: {},
    } as unknown as ChatCompletionParams
    expect(parseParams(params, 260, 0)).toEqual(parseParams({ messages }, 260, 0))
  })

  it('take one answer alone for what tells of one answer', () => {
    expect(() => parseParams({ messages, n: 2, minnow: { signals: true } }, 260, 0)).toThrow(/'n'.*1 with/)
  })

  it('are checked before anything runs', async () => {
    const { engine, backend } = createHarness({ logits: says('x') })
    const error = await rejection(engine.chat.completions.create({ messages, top_p: 3, stream: true }))
    expect(error).toMatchObject({ code: 'invalid-argument' })
    expect(backend.forwards).toHaveLength(0)
    await engine.dispose()
  })
})

describe('the length of an answer', () => {
  it('is bounded by max_tokens', async () => {
    const { engine } = createHarness({ logits: () => only(97) })
    for (const max_tokens of [1, 2, 17]) {
      const completion = await engine.chat.completions.create({ messages, temperature: 0, max_tokens })
      expect(completion.choices[0]).toMatchObject({
        message: { content: 'a'.repeat(max_tokens) },
        finish_reason: 'length',
      })
      expect(completion.usage.completion_tokens).toBe(max_tokens)
    }
    await engine.dispose()
  })

  it('is bounded by the context', async () => {
    const { engine, backend } = createHarness({ logits: () => only(97) }, { contextLength: 20 })
    const completion = await engine.chat.completions.create({ messages, temperature: 0 })
    // Five tokens of prompt; the last token of the answer need not be evaluated.
    expect(completion.usage).toMatchObject({ prompt_tokens: 5, completion_tokens: 16 })
    expect(completion.choices[0]?.finish_reason).toBe('length')
    const asked = await engine.chat.completions.create({ messages, temperature: 0, max_tokens: 100 })
    expect(asked.usage.completion_tokens).toBe(16)
    expect(backend.shifts).toHaveLength(0)
    await engine.dispose()
  })
})

describe('a prompt longer than the context', () => {
  it('is an error that says the numbers', async () => {
    const { engine, backend } = createHarness({ logits: says('x') }, { contextLength: 20 })
    const error = await rejection(engine.chat.completions.create({ messages: [user('a'.repeat(30))] }))
    expect(error).toMatchObject({
      code: 'context-overflow',
      details: { promptTokens: 33, contextLength: 20, excessTokens: 13 },
    })
    expect(String(error)).toMatch(/33.*20.*13/)
    expect(backend.forwards).toHaveLength(0)
    const fits = await engine.chat.completions.create({ messages: [user('a'.repeat(17))], temperature: 0 })
    expect(fits.usage).toMatchObject({ prompt_tokens: 20, completion_tokens: 1 })
    await engine.dispose()
  })

  it('loses its middle where it may slide', async () => {
    const { engine, backend } = createHarness({ logits: says('x') }, { contextLength: 40 })
    const completion = await engine.chat.completions.create({
      messages: [{ role: 'system', content: 'S' }, user(`${'a'.repeat(50)}xyz`)],
      temperature: 0,
      minnow: { overflow: 'slide' },
    })
    const prompt = backend.forwards.filter(({ start }) => start < 29).flatMap(({ tokens }) => tokens)
    // System turn (3), the user's role token and 4 sinks stay; then come the newest; three quarters of the context go,
    // and ten or more places are left for the answer.
    expect(prompt.slice(0, 8)).toEqual([257, 83, 256, 258, 97, 97, 97, 97])
    expect(prompt.slice(-5)).toEqual([120, 121, 122, 256, 259])
    expect(completion.usage.prompt_tokens).toBe(29)
    expect(completion.choices[0]?.message.content).toBe('x')
    await engine.dispose()
  })

  it('loses the same again in the next turn, which so finds the rest in the cache', async () => {
    const { engine } = createHarness({ logits: says('x') }, { contextLength: 200 })
    const conversation: ChatMessage[] = [
      user(tokenizer.decode(Array.from({ length: 400 }, (_, i) => 33 + (i % 90)))),
    ]
    const shares: number[] = []
    for (let turn = 0; turn < 12; turn++) {
      const { usage } = await engine.chat.completions.create({
        messages: conversation,
        temperature: 0,
        max_tokens: 10,
        minnow: { overflow: 'slide' },
      })
      shares.push(usage.prompt_tokens_details.cached_tokens / usage.prompt_tokens)
      conversation.push({ role: 'assistant', content: 'x' }, user('go on'))
    }
    // 11 tokens a turn: a new cut every fourth or fifth of them.
    expect(shares.filter((share) => share > 0.8).length).toBeGreaterThanOrEqual(8)
    await engine.dispose()
  })
})

describe('an answer longer than the context', () => {
  it('slides when asked to, keeping the first tokens', async () => {
    const { engine, backend } = createHarness(
      { logits: (tokens) => only(97 + ((tokens.at(-1)! + 1) % 7)) },
      { contextLength: 32, maxSessions: 1 },
    )
    const completion = await engine.chat.completions.create({
      messages,
      temperature: 0,
      max_tokens: 100,
      minnow: { overflow: 'slide' },
    })
    expect(completion.usage.completion_tokens).toBe(100)
    // One token of template and 4 sinks stay; a quarter of the other 27 goes each time.
    expect(backend.shifts[0]).toEqual({ session: 0, from: 5, to: 11 })
    expect(backend.shifts.length).toBeGreaterThan(8)
    // What a slide left is not what a prefill would give: only what lies before it is used again.
    const again = await engine.chat.completions.create({
      messages: [
        ...messages,
        { role: 'assistant', content: completion.choices[0]!.message.content.slice(0, 9) },
      ],
      temperature: 0,
      max_tokens: 1,
    })
    expect(again.usage.prompt_tokens_details.cached_tokens).toBe(5)
    await engine.dispose()
  })
})
