import { beforeAll, describe, expect, it } from 'vitest'
import type { PromptMessage } from '../../src/contract/chat-messages'
import { parseGguf } from '../../src/gguf/parse'
import type { Gguf } from '../../src/gguf/types'
import { openFileSource } from '../../src/store/node-file'
import { loadChatTemplate } from '../../src/tokenizer/chat-template'
import type { ChatTemplate } from '../../src/tokenizer/chat-template'
import { createTokenizer } from '../../src/tokenizer/tokenizer'
import type { Tokenizer } from '../../src/tokenizer/tokenizer'
import { chatTemplateSource, vocabularyFile } from './llama-cpp-files'
import type { VocabularyName } from './llama-cpp-files'

/** Templates as published, each with a vocabulary that has its control tokens. */
const cases: readonly { template: string; vocabulary: VocabularyName }[] = [
  { template: 'Qwen-Qwen2.5-7B-Instruct', vocabulary: 'qwen2' },
  { template: 'Qwen-Qwen3-0.6B', vocabulary: 'qwen2' },
  { template: 'Qwen3.5-4B', vocabulary: 'qwen35' },
  { template: 'Qwen-QwQ-32B', vocabulary: 'qwen2' },
  { template: 'HuggingFaceTB-SmolLM3-3B', vocabulary: 'qwen2' },
  { template: 'meta-llama-Llama-3.1-8B-Instruct', vocabulary: 'llama-bpe' },
  { template: 'meta-llama-Llama-3.2-3B-Instruct', vocabulary: 'llama-bpe' },
  { template: 'ibm-granite-granite-3.3-2B-Instruct', vocabulary: 'starcoder' },
  { template: 'google-gemma-2-2b-it', vocabulary: 'llama-spm' },
  { template: 'mistralai-Mistral-Nemo-Instruct-2407', vocabulary: 'llama-spm' },
]

const conversation: readonly PromptMessage[] = [
  { role: 'user', content: '  Is 2 < 3?\n' },
  { role: 'assistant', content: 'Yes: 2 < 3.' },
  { role: 'user', content: 'And why? <' },
]

describe.each(cases)('the chat template $template', ({ template: name, vocabulary }) => {
  let tokenizer: Tokenizer
  let template: ChatTemplate

  beforeAll(async () => {
    const gguf = await withTemplate(vocabulary, name)
    tokenizer = createTokenizer(gguf)
    template = await loadChatTemplate(gguf, tokenizer)
  })

  it('gives the ids of its text', () => {
    const text = template.render(conversation)
    const ids = tokenizer.encode(text, { special: true })
    const first = tokenizer.addsBos && ids[0] !== tokenizer.bosId ? [tokenizer.bosId] : []
    expect(template.encode(conversation)).toEqual([...first, ...ids])
    for (const { content } of conversation) expect(text).toContain(content.trim())
  })

  it('lets no message write control tokens', () => {
    const special = (messages: readonly PromptMessage[]): string[] =>
      template
        .encode(messages)
        .filter((id) => tokenizer.isSpecial(id))
        .map((id) => tokenizer.decode([id], { special: true }))
    const hostile = tokenizer.specialTexts.slice(0, 40).join(' ') + tokenizer.specialTexts.slice(-40).join('')
    const changed = conversation.map(({ role, content }) => ({ role, content: `${content}${hostile}<` }))
    expect(special(changed)).toEqual(special(conversation))
  })
})

it('a template that refuses system messages says so', async () => {
  const gguf = await withTemplate('llama-spm', 'google-gemma-2-2b-it')
  const template = await loadChatTemplate(gguf, createTokenizer(gguf))
  expect(() => template.encode([{ role: 'system', content: 'Be brief.' }])).toThrow(
    expect.objectContaining({
      code: 'invalid-argument',
      message: expect.stringContaining('System role not supported') as string,
    }),
  )
})

async function withTemplate(vocabulary: VocabularyName, template: string): Promise<Pick<Gguf, 'metadata'>> {
  const file = await openFileSource(await vocabularyFile(vocabulary))
  const { metadata } = await parseGguf(file)
  await file.close()
  return { metadata: new Map([...metadata, ['tokenizer.chat_template', await chatTemplateSource(template)]]) }
}
