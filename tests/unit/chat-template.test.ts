import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { PromptMessage } from '../../src/contract/chat-messages'
import type { GgufValue } from '../../src/gguf/types'
import { loadChatTemplate } from '../../src/tokenizer/chat-template'
import type { ChatTemplate } from '../../src/tokenizer/chat-template'
import { createTokenizer } from '../../src/tokenizer/tokenizer'
import type { Tokenizer } from '../../src/tokenizer/tokenizer'
import { openSmolLm2Header } from '../fixtures/smollm2-vocabulary'
import { bytePairFile } from '../fixtures/tiny-vocabularies'

const conversation: readonly PromptMessage[] = [
  { role: 'user', content: 'Hi' },
  { role: 'assistant', content: 'Hello!' },
  { role: 'user', content: 'What is 2 < 3?' },
]

async function templateOf(
  source: string | null,
  metadata: Record<string, GgufValue> = {},
): Promise<{ template: ChatTemplate; tokenizer: Tokenizer }> {
  const all = source === null ? metadata : { 'tokenizer.chat_template': source, ...metadata }
  const file = bytePairFile({ control: ['<|im_start|>', '<|im_end|>', '<bos>', '<eos>'], metadata: all })
  const tokenizer = createTokenizer(file)
  return { template: await loadChatTemplate(file, tokenizer), tokenizer }
}

function user(content: string): PromptMessage[] {
  return [{ role: 'user', content }]
}

describe("SmolLM2's chat template", () => {
  let tokenizer: Tokenizer
  let template: ChatTemplate

  beforeAll(async () => {
    const gguf = await openSmolLm2Header()
    tokenizer = createTokenizer(gguf)
    template = await loadChatTemplate(gguf, tokenizer)
  })

  const system =
    '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n'

  it('writes a conversation as the model learned it', () => {
    const text =
      `${system}<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello!<|im_end|>\n` +
      '<|im_start|>user\nWhat is 2 < 3?<|im_end|>\n'
    expect(template.render(conversation)).toBe(`${text}<|im_start|>assistant\n`)
    expect(template.render(conversation, { addGenerationPrompt: false })).toBe(text)
    expect(template.encode(conversation)).toEqual(
      tokenizer.encode(template.render(conversation), { special: true }),
    )
  })

  it('leaves the last answer open where it is to be gone on with, and reads no control token out of it', () => {
    const begun: PromptMessage[] = [...user('Hi'), { role: 'assistant', content: 'Hel<|im_end|>' }]
    const ids = template.encode(begun, { continueLast: true })
    const head = template.encode(user('Hi'))
    expect(ids.slice(0, head.length)).toEqual(head)
    expect(ids.slice(head.length)).toEqual(tokenizer.encode('Hel<|im_end|>', { special: false }))
  })

  it('lets no message write special tokens, and changes nothing else', () => {
    const part = fc.oneof(
      fc.constantFrom(
        '<|im_start|>',
        '<|im_end|>',
        '<|',
        '|>',
        '<',
        '<|im_',
        'end|>',
        '\n',
        ' ',
        '\ue000',
        '\ue001',
      ),
      fc.string({ unit: 'binary', maxLength: 5 }),
    )
    const content = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(''))
    const special = (messages: readonly PromptMessage[]): number[] =>
      template.encode(messages).filter((id) => tokenizer.isSpecial(id))
    fc.assert(
      fc.property(content, content, (first, second) => {
        const messages = [...user(first), { role: 'assistant', content: second } as const]
        expect(special(messages)).toEqual(special([...user('a'), { role: 'assistant', content: 'b' }]))
        const text = template.segments(messages).map((segment) => segment.text)
        expect(text.join('')).toBe(template.render(messages))
        // The ids are those of a prompt with each content as plain text in its place.
        expect(template.encode(messages)).toEqual(
          tokenizer.encodeSegments([
            { text: `${system}<|im_start|>user\n`, special: true },
            { text: first, special: false },
            { text: '<|im_end|>\n<|im_start|>assistant\n', special: true },
            { text: second, special: false },
            { text: '<|im_end|>\n<|im_start|>assistant\n', special: true },
          ]),
        )
      }),
      { numRuns: 300 },
    )
  })
})

describe('loadChatTemplate', () => {
  it('falls back to ChatML where the file has no template', async () => {
    const { template } = await templateOf(null)
    expect(template.render(user('Hi'))).toBe('<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n')
  })

  it('lets templates trim and test the real contents', async () => {
    const { template, tokenizer } = await templateOf(
      "{% for m in messages %}{% if m.content.startswith('/x') %}X{% endif %}[{{ m.content | trim }}]{% endfor %}",
    )
    expect(template.render(user(' \n Hi  '))).toBe('[Hi]')
    expect(template.render(user('/x Hi'))).toBe('X[/x Hi]')
    // What trimming brings to the border must not complete what the next message begins.
    const joined = await templateOf('{% for m in messages %}{{ m.content | trim }}{% endfor %}')
    const ids = joined.template.encode([
      ...user('<  '),
      ...user('|im_end|>'),
      ...user('<|im_ '),
      ...user('end|>'),
    ])
    expect(joined.tokenizer.decode(ids)).toBe('<|im_end|><|im_end|>')
    expect(ids.filter((id) => tokenizer.isSpecial(id))).toEqual([])
  })

  it('gives templates the texts of special tokens and further variables', async () => {
    const { template } = await templateOf(
      '{{ bos_token }}{{ messages[0].role }}{% if enable_thinking %}!{% endif %}{{ eos_token }}',
      { 'tokenizer.ggml.bos_token_id': 258 },
    )
    expect(template.render(user(''), { variables: { enable_thinking: true } })).toBe('<bos>user!<eos>')
  })

  it('begins with one beginning-of-sequence token where the model has it', async () => {
    const metadata = { 'tokenizer.ggml.bos_token_id': 258, 'tokenizer.ggml.add_bos_token': true }
    for (const source of ['{{ bos_token }}{{ messages[0].content }}', '{{ messages[0].content }}']) {
      const { template } = await templateOf(source, metadata)
      expect(template.encode(user('a'))).toEqual([258, 97])
    }
  })

  it("reports what a template says of messages it can't take", async () => {
    const { template } = await templateOf("{{ raise_exception('Roles must alternate') }}")
    expect(() => template.encode(user('a'))).toThrow(
      expect.objectContaining({
        code: 'invalid-argument',
        message: expect.stringContaining('Roles must alternate') as string,
      }),
    )
  })

  it('refuses templates it cannot parse', async () => {
    await expect(templateOf('{% for %}')).rejects.toMatchObject({ code: 'invalid-model' })
  })

  it.each([
    ['no messages', []],
    ['unknown roles', [{ role: '<|im_end|>', content: 'a' }]],
    ['contents that are no strings', [{ role: 'user', content: 7 }]],
  ])('refuses %s', async (_, messages) => {
    const { template } = await templateOf(null)
    expect(() => template.encode(messages as PromptMessage[])).toThrow(
      expect.objectContaining({ code: 'invalid-argument' }),
    )
  })
})
