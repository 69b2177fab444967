import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ChatCompletion, ChatCompletionParams } from '../../src/contract/engine'
import { DraftPolicy, MAX_DRAFT, StepCosts, type MatchQuality } from '../../src/engine/draft-policy'
import { PromptLookup } from '../../src/engine/prompt-lookup'
import { createHarness, randomModel, says, user } from './engine-harness'

interface Answers {
  first: ChatCompletion
  /** Of a second turn on the same session, which shows what the first left in the KV cache. */
  second: ChatCompletion
  forwards: number
}

/** By this clock another token in a step costs next to nothing, so that drafts are made wherever they may help. */
async function answer(
  model: (tokens: readonly number[]) => Float32Array,
  params: ChatCompletionParams,
  promptLookup: boolean,
  contextLength = 512,
): Promise<Answers> {
  let clockMs = 0
  const { engine, backend } = createHarness(
    { logits: model, beforeForward: ({ tokens }) => (clockMs += 10 + 0.2 * tokens.length) },
    { contextLength, now: () => clockMs },
  )
  const minnow = { ...params.minnow, promptLookup, tokenIds: true }
  const request = { ...params, stream: false as const, logprobs: true, top_logprobs: 2, minnow }
  const first = await engine.chat.completions.create(request)
  const forwards = backend.forwards.length
  const { content } = first.choices[0]!.message
  const second = await engine.chat.completions.create({
    ...request,
    messages: [...params.messages, { role: 'assistant', content }, user('and')],
    max_tokens: 8,
    minnow: { ...minnow, overflow: 'slide' },
  })
  await engine.dispose()
  return { first, second, forwards }
}

describe('prompt lookup', () => {
  it('gives the same tokens as without, greedily and sampled', async () => {
    let drafted = 0
    let accepted = 0
    let answered = 0
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
          temperature: fc.constantFrom(0, 0, 0.5, 1),
          top_k: fc.constantFrom(0, 3),
          top_p: fc.constantFrom(1, 0.8),
          frequency_penalty: fc.constantFrom(0, 0.3),
          repetition_penalty: fc.constantFrom(1, 1.1),
          seed: fc.integer(),
          max_tokens: fc.integer({ min: 1, max: 90 }),
          stop: fc.constantFrom(null, 'aba', ['ccc', 'bab']),
        }),
        fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 40 }),
        fc.constantFrom({ contextLength: 512 }, { contextLength: 64, overflow: 'slide' as const }),
        async (model, params, prompt, { contextLength, ...minnow }) => {
          const request = { ...params, messages: [user(prompt)], minnow }
          const logits = randomModel(model.seed, model)
          const plain = await answer(logits, request, false, contextLength)
          const lookup = await answer(logits, request, true, contextLength)
          for (const turn of ['first', 'second'] as const) {
            expect(lookup[turn].choices).toEqual(plain[turn].choices)
            expect(lookup[turn].minnow).toEqual(plain[turn].minnow)
          }
          expect(plain.first.usage.minnow.draftedTokens).toBe(0)
          drafted += lookup.first.usage.minnow.draftedTokens
          accepted += lookup.first.usage.minnow.acceptedTokens
          answered += lookup.first.usage.completion_tokens
        },
      ),
      // The same cases each time: the counts below are of them.
      { numRuns: 300, seed: 1 },
    )
    // The comparison means something: drafts were made, and both kept and thrown away.
    expect(accepted).toBeGreaterThan(answered / 12)
    expect(drafted - accepted).toBeGreaterThan(answered / 12)
  })

  it('takes fewer steps for a text that quotes the prompt', async () => {
    const quote = 'The quick brown fox jumps over the lazy dog and runs away from the hen house.'
    const params = { messages: [user(`Repeat: ${quote}`)], temperature: 0 }
    const plain = await answer(says(quote), params, false)
    const lookup = await answer(says(quote), params, true)
    expect(lookup.first.choices[0]?.message.content).toBe(quote)
    expect(lookup.forwards).toBeLessThan(plain.forwards / 2.5)
  })
})

describe('PromptLookup', () => {
  it('finds the newest of the places that agree in most tokens, and what the others say, as a scan would', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5), { minLength: 1, maxLength: 60 }), (tokens) => {
        const lookup = new PromptLookup(16)
        for (const [index, token] of tokens.entries()) {
          lookup.push(token)
          const seen = tokens.slice(0, index + 1)
          const agreement = (at: number): number => {
            let agreed = 0
            while (agreed < Math.min(at, 16) && seen[at - 1 - agreed] === seen[seen.length - 1 - agreed])
              agreed++
            return agreed
          }
          const lengths = seen.map((_, at) => agreement(at))
          const length = Math.max(0, ...lengths)
          const position = length === 0 ? -1 : lengths.lastIndexOf(length)
          const others = seen.filter((_, at) => at !== position && lengths[at]! >= Math.max(1, length - 1))
          const isConfirmed = others.every((next) => next === seen[position])
          const support =
            length === 0 || others.length === 0 ? 'single' : isConfirmed ? 'confirmed' : 'contested'
          expect(lookup.find()).toEqual({ position, length, support })
        }
      }),
    )
  })

  it('goes on with its own draft where the history ends', () => {
    const lookup = new PromptLookup(16)
    for (const token of [9, 1, 2, 3, 1, 2]) lookup.push(token)
    const match = lookup.find()
    expect(match).toEqual({ position: 3, length: 2, support: 'single' })
    const out = new Int32Array(9)
    lookup.draft(match, 8, out, 1)
    expect([...out]).toEqual([0, 3, 1, 2, 3, 1, 2, 3, 1])
  })
})

describe('the draft policy', () => {
  const good: MatchQuality = { length: 4, support: 'single' }
  /** Costs as measured when a step of a tile takes `ratio` times one of a token. */
  function costsOf(ratio: number): StepCosts {
    const costs = new StepCosts()
    for (let i = 0; i < 8; i++) {
      costs.observe(4, 10 * ratio)
      costs.observe(1, 10)
    }
    return costs
  }

  it('fills whole tiles, the more the surer the match', () => {
    const policy = new DraftPolicy(costsOf(1.2))
    for (let i = 0; i < 40; i++) policy.observe({ length: 16, support: 'single' }, 0, true)
    const lengths = [1, 2, 3, 4, 6, 10, 16].map((length) =>
      policy.draftLength({ length, support: 'single' }, MAX_DRAFT),
    )
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b))
    expect(lengths[0]).toBe(3)
    expect(lengths.at(-1)).toBeGreaterThan(3)
    for (const length of lengths) expect([0, 3, 7, 11, 15]).toContain(length)
    expect(policy.draftLength(good, 2)).toBe(0)
  })

  it('trusts a confirmed match more and a contested one less', () => {
    const lengthFor = (ratio: number, match: MatchQuality): number =>
      new DraftPolicy(costsOf(ratio)).draftLength(match, 3)
    expect(lengthFor(2, { length: 2, support: 'contested' })).toBe(0)
    expect(lengthFor(2, { length: 2, support: 'single' })).toBe(3)
    expect(lengthFor(2.21, { length: 2, support: 'single' })).toBe(0)
    expect(lengthFor(2.21, { length: 2, support: 'confirmed' })).toBe(3)
  })

  it('stops below break-even, and where a text does not do as foretold', () => {
    expect(new DraftPolicy(costsOf(3.8)).draftLength(good, MAX_DRAFT)).toBe(0)
    const policy = new DraftPolicy(costsOf(2.1))
    expect(policy.draftLength(good, MAX_DRAFT)).toBe(3)
    let misses = 0
    for (; policy.draftLength(good, MAX_DRAFT) > 0; misses++) policy.observe(good, 0, false)
    expect(misses).toBeLessThan(6)
    // Other matches of this text are doubted as well.
    expect(policy.draftLength({ length: 3, support: 'single' }, MAX_DRAFT)).toBe(0)
    for (let i = 0; i < 12; i++) policy.observe(good, 0, true)
    expect(policy.draftLength(good, MAX_DRAFT)).toBe(3)
  })

  it('measures a plain step before it drafts, and now and then again', () => {
    const costs = new StepCosts()
    const policy = new DraftPolicy(costs)
    expect(policy.draftLength(good, MAX_DRAFT)).toBe(0)
    costs.observe(1, 10)
    costs.observe(1, 10)
    expect(policy.draftLength(good, MAX_DRAFT)).toBeGreaterThan(0)
    for (let i = 0; i < 64; i++) costs.observe(4, 12)
    expect(policy.draftLength(good, MAX_DRAFT)).toBe(0)
  })

  /** Runs a text whose lookups hit with `chance`; gives the time against plain steps. */
  function relativeTime(
    chance: number,
    slope: number,
    tokens: number,
    seed: number,
    disturbance: (step: number) => number,
  ): number {
    const costs = new StepCosts()
    const policy = new DraftPolicy(costs)
    let state = seed
    const hit = (): boolean => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32 < chance
    let time = 0
    let made = 0
    let steps = 0
    while (made < tokens) {
      const match: MatchQuality = { length: 3, support: 'single' }
      const count = policy.draftLength(match, MAX_DRAFT)
      const elapsed = 1 + slope * count
      costs.observe(count + 1, elapsed * disturbance(steps++))
      time += elapsed
      let agreed = 0
      for (let i = 0; i < Math.max(1, count); i++) {
        const agrees = hit()
        policy.observe(match, i, agrees)
        if (!agrees) break
        agreed++
      }
      made += 1 + Math.min(agreed, count)
    }
    return time / tokens
  }
  const mean = (
    chance: number,
    slope: number,
    tokens: number,
    disturbance: (step: number) => number = () => 1,
  ): number => {
    const times = Array.from({ length: 40 }, (_, seed) =>
      relativeTime(chance, slope, tokens, seed + 1, disturbance),
    )
    return times.reduce((a, b) => a + b) / times.length
  }

  it('costs no more than a few percent where lookup never hits or verifying is dear', () => {
    expect(mean(0, 0.27, 100)).toBeLessThan(1.04)
    expect(mean(0.1, 0.27, 200)).toBeLessThan(1.04)
    expect(mean(0.3, 0.27, 200)).toBeLessThan(1.04)
    expect(mean(0.5, 1, 200)).toBeLessThan(1.04)
  })

  it('gains where lookup hits', () => {
    expect(mean(0.95, 0.27, 200)).toBeLessThan(0.55)
    expect(mean(0.8, 0.27, 200)).toBeLessThan(0.85)
    expect(mean(0.8, 0.05, 200)).toBeLessThan(0.52)
  })

  it('still gains where measurements are disturbed', () => {
    // Now and then another process takes the core; the first steps are cold; the first draft is unlucky.
    expect(mean(0.9, 0.27, 300, (step) => (step % 7 === 6 ? 10 : 1))).toBeLessThan(0.75)
    expect(mean(0.9, 0.27, 300, (step) => (step < 2 ? 5 : 1))).toBeLessThan(0.75)
    expect(mean(0.9, 0.27, 300, (step) => (step === 2 ? 20 : 1))).toBeLessThan(0.75)
    expect(mean(0.1, 0.27, 300, (step) => (step % 7 === 6 ? 10 : 1))).toBeLessThan(1.04)
  })
})
