import { beforeAll, describe, expect, it } from 'vitest'
import { loadReference } from '../../src/backend/reference/load'
import type { PromptMessage } from '../../src/contract/chat-messages'
import type { Engine } from '../../src/contract/engine'
import { createLocalEngine } from '../../src/engine/local-engine'
import { parseGguf } from '../../src/gguf/parse'
import { readModel } from '../../src/model/read-model'
import { memorySource } from '../../src/store/memory-source'
import { createTokenizer } from '../../src/tokenizer/tokenizer'
import { tinyModel } from '../fixtures/tiny-models'
import { user } from './engine-harness'

/** So that random weights repeat themselves now and then, and lookup has something to find. */
const logit_bias = { 70: 30, 71: 30, 72: 30 }

/** The engine on a real forward pass: random weights, so the text means nothing, but every number counts. */
describe('the engine on the reference backend', () => {
  let createEngine: (contextLength: number) => Promise<Engine>

  beforeAll(async () => {
    const source = memorySource(tinyModel({ architecture: 'llama', seed: 4 }))
    const gguf = await parseGguf(source)
    const model = await readModel(gguf, source)
    const tokenizer = createTokenizer(gguf)
    const chatTemplate = {
      encode: (messages: readonly PromptMessage[]) =>
        tokenizer.encode(messages.map(({ role, content }) => `${role}: ${content}\n`).join('')),
    }
    createEngine = async (contextLength) => {
      const backend = await loadReference({ model, bytes: source })
      // By this clock steps take no time, so that lookup drafts on its prior estimates.
      return createLocalEngine({ id: 'tiny', backend, tokenizer, chatTemplate, contextLength, now: () => 0 })
    }
  })

  it.each([
    { contextLength: 256, temperature: 0 },
    { contextLength: 256, temperature: 0.3, seed: 5, top_p: 0.9 },
    { contextLength: 48, temperature: 0, minnow: { overflow: 'slide' as const } },
  ])(
    'gives the same tokens with lookup and without, cached and fresh: %j',
    async ({ contextLength, ...params }) => {
      const request = {
        ...params,
        messages: [user('abc abc abc')],
        max_tokens: 40,
        logprobs: true,
        logit_bias,
      }
      const engine = await createEngine(contextLength)
      let drafted = 0
      const ask = async (promptLookup: boolean): Promise<unknown> => {
        const minnow = { ...params.minnow, promptLookup, tokenIds: true }
        const { choices, usage, minnow: extra } = await engine.chat.completions.create({ ...request, minnow })
        drafted += usage.minnow.draftedTokens
        return { choices, extra }
      }
      const fresh = await ask(true)
      expect(await ask(true)).toEqual(fresh)
      expect(await ask(false)).toEqual(fresh)
      const other = await createEngine(contextLength)
      const { usage, ...plain } = await other.chat.completions.create({
        ...request,
        minnow: { ...params.minnow, promptLookup: false, tokenIds: true },
      })
      expect({ choices: plain.choices, extra: plain.minnow }).toEqual(fresh)
      expect(usage.completion_tokens).toBe(40)
      expect(drafted).toBeGreaterThan(0)
      await engine.dispose()
      await other.dispose()
    },
  )
})
