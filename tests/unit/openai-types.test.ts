import type { OpenAI } from 'openai'
import { describe, expectTypeOf, it } from 'vitest'
import type { ChatCompletion, ChatCompletionChunk, ChatCompletionParams } from '../../src/contract/engine'

/** Only types: whoever has code for the `openai` package can give it our answers, and give us its questions. */
describe("OpenAI's own types", () => {
  it('take our completions', () => {
    expectTypeOf<Pick<ChatCompletion, 'id' | 'object' | 'created' | 'model'>>().toExtend<
      Pick<OpenAI.ChatCompletion, 'id' | 'object' | 'created' | 'model'>
    >()
    type Ours = ChatCompletion['choices'][number]
    type Theirs = OpenAI.ChatCompletion.Choice
    expectTypeOf<Ours['finish_reason']>().toExtend<Theirs['finish_reason']>()
    expectTypeOf<NonNullable<Ours['logprobs']>['content']>().toExtend<
      NonNullable<NonNullable<Theirs['logprobs']>['content']>
    >()
    expectTypeOf<ChatCompletion['usage']>().toExtend<OpenAI.CompletionUsage>()
  })

  it('take our chunks', () => {
    type Ours = ChatCompletionChunk['choices'][number]
    type Theirs = OpenAI.ChatCompletionChunk.Choice
    expectTypeOf<Ours['delta']>().toExtend<Theirs['delta']>()
    expectTypeOf<Ours['finish_reason']>().toExtend<Theirs['finish_reason']>()
    expectTypeOf<ChatCompletionChunk['object']>().toEqualTypeOf<OpenAI.ChatCompletionChunk['object']>()
  })

  it('are what a remote is sent', () => {
    type Theirs = OpenAI.ChatCompletionCreateParamsStreaming
    expectTypeOf<{ role: 'user'; content: string }>().toExtend<Theirs['messages'][number]>()
    type Shared =
      | 'temperature'
      | 'top_p'
      | 'frequency_penalty'
      | 'presence_penalty'
      | 'seed'
      | 'logprobs'
      | 'top_logprobs'
      | 'max_tokens'
    expectTypeOf<Required<Pick<ChatCompletionParams, Shared>>>().toExtend<Required<Pick<Theirs, Shared>>>()
  })
})
