import { setFlagsFromString } from 'node:v8'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadWasmVariant, type Variant } from '../../src/backend/wasm'
import type { ChatCompletion, ChatCompletionParams, Engine } from '../../src/contract/engine'
import { createLocalEngine } from '../../src/engine/local-engine'
import { parseGguf } from '../../src/gguf/parse'
import { loadChatTemplate } from '../../src/tokenizer/chat-template'
import { createTokenizer } from '../../src/tokenizer/tokenizer'
import { openSmolLm2 } from './model-files'

// As in wasm.test.ts.
if (Number(process.versions.node.split('.')[0]) < 21) setFlagsFromString('--experimental-wasm-relaxed-simd')

async function openEngine(variant: Variant, threads: number): Promise<Engine> {
  const { model, bytes } = await openSmolLm2()
  const gguf = await parseGguf(bytes)
  const tokenizer = createTokenizer(gguf)
  const chatTemplate = await loadChatTemplate(gguf, tokenizer)
  const backend = await loadWasmVariant({ model, bytes, threads }, variant)
  // By this clock a step costs the same however many tokens it has: drafts are made wherever lookup finds one.
  let clockMs = 0
  const now = (): number => (clockMs += 1)
  return createLocalEngine({ id: 'smollm2', backend, tokenizer, chatTemplate, contextLength: 1024, now })
}

const prompts: readonly string[] = [
  'Repeat this sentence three times: The small fish swims in the clear river near the old stone bridge.',
  'Write a haiku about the sea.',
  'List the numbers from one to twelve, one a line, then list them again.',
]

const samplings: readonly (readonly [string, Partial<ChatCompletionParams>])[] = [
  ['greedily', { temperature: 0 }],
  ['sampled', { temperature: 0.8, top_k: 40, top_p: 0.95, min_p: 0.05, repetition_penalty: 1.1, seed: 7 }],
]

describe.each(['simd', 'relaxed16'] as const)('the engine over wasm %s, SmolLM2 135M Q4_1', (variant) => {
  let one: Engine
  let two: Engine
  beforeAll(async () => {
    one = await openEngine(variant, 1)
    two = await openEngine(variant, 2)
  })
  afterAll(async () => {
    await one?.dispose()
    await two?.dispose()
  })

  const answer = (
    engine: Engine,
    content: string,
    params: Partial<ChatCompletionParams>,
    promptLookup: boolean,
  ): Promise<ChatCompletion> =>
    engine.chat.completions.create({
      ...params,
      stream: false,
      messages: [{ role: 'user', content }],
      max_tokens: 64,
      logprobs: true,
      top_logprobs: 2,
      minnow: { promptLookup, tokenIds: true },
    })

  // Drafts that lookup makes change how tokens are grouped into calls; threads, who computes what: nothing else.
  it.each(samplings)(
    'answers the same, %s, on one thread and two, with prompt lookup and without',
    async (_, params) => {
      let drafted = 0
      let accepted = 0
      for (const prompt of prompts) {
        const plain = await answer(one, prompt, params, false)
        expect(plain.usage.minnow.draftedTokens).toBe(0)
        expect(plain.usage.completion_tokens).toBeGreaterThan(5)
        for (const [engine, promptLookup] of [
          [one, true],
          [two, false],
          [two, true],
        ] as const) {
          const other = await answer(engine, prompt, params, promptLookup)
          // Texts, ids and log-probabilities, to the bit.
          expect(other.choices).toEqual(plain.choices)
          expect(other.minnow).toEqual(plain.minnow)
          drafted += other.usage.minnow.draftedTokens
          accepted += other.usage.minnow.acceptedTokens
        }
      }
      // The comparison means something: drafts were made, and some held.
      expect(drafted).toBeGreaterThan(accepted)
      expect(accepted).toBeGreaterThan(0)
    },
  )

  it('answers otherwise for another seed', async () => {
    const params = samplings[1]![1]
    const first = await answer(one, prompts[1]!, params, true)
    const second = await answer(one, prompts[1]!, { ...params, seed: 8 }, true)
    expect(second.choices[0]!.message.content).not.toBe(first.choices[0]!.message.content)
  })
})
