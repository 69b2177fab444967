import type { PromptMessage } from '../contract/chat-messages'
import { EngineError } from '../contract/error'
import { metadataString } from '../gguf/metadata'
import type { Gguf } from '../gguf/types'
import { protectContents } from './content-guard'
import type { Segment } from './special-tokens'
import type { Tokenizer } from './tokenizer'

export interface ChatTemplateOptions {
  /** End with what opens the assistant's answer. Default true. */
  addGenerationPrompt?: boolean
  /** Leave the last message open, which must be the assistant's: the prompt ends within the answer. Default false. */
  continueLast?: boolean
  /** More variables of the template, such as `enable_thinking` of Qwen 3. */
  variables?: Readonly<Record<string, string | number | boolean>>
}

/** How a model wants a conversation written. */
export interface ChatTemplate {
  /** Ids of the prompt, with a beginning-of-sequence token where the model has one. */
  encode(messages: readonly PromptMessage[], options?: ChatTemplateOptions): number[]
  /**
   * The prompt in segments for `Tokenizer.encodeSegments`: their texts joined are what `render` gives, and no control
   * token can be read out of what a message says.
   */
  segments(messages: readonly PromptMessage[], options?: ChatTemplateOptions): Segment[]
  /** The prompt as one text. Messages may hold the text of control tokens: not for encoding with `special`. */
  render(messages: readonly PromptMessage[], options?: ChatTemplateOptions): string
}

/** For files without a template, as llama.cpp does. */
const chatMl =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"

/** Rendering with the template's own variables. */
type Render = (variables: Readonly<Record<string, unknown>>) => string

/**
 * The chat template of a GGUF file (`tokenizer.chat_template`, Jinja); ChatML where it has none. The interpreter is
 * imported here, so that it loads while the weights do. Templates see no clock: `strftime_now` is not defined, and
 * those that print the date have a fixed one for that case.
 * @throws EngineError 'invalid-model' where the template cannot be parsed.
 */
export async function loadChatTemplate(
  gguf: Pick<Gguf, 'metadata'>,
  tokenizer: Tokenizer,
): Promise<ChatTemplate> {
  const source = metadataString(gguf, 'tokenizer.chat_template', chatMl)
  const renderTemplate = await compile(source)
  const textOf = (id: number | null): string =>
    id === null ? '' : new TextDecoder().decode(tokenizer.bytesOf(id))
  const fixed = { bos_token: textOf(tokenizer.bosId), eos_token: textOf(tokenizer.eosId) }

  const render: ChatTemplate['render'] = (messages, { addGenerationPrompt = true, variables = {} } = {}) => {
    checkMessages(messages)
    return renderTemplate({
      ...variables,
      ...fixed,
      messages: messages.map(({ role, content }) => ({ role, content })),
      add_generation_prompt: addGenerationPrompt,
    })
  }
  const segments: ChatTemplate['segments'] = (messages, { continueLast = false, ...options } = {}) => {
    checkMessages(messages)
    const last = messages.at(-1)
    if (continueLast && last?.role === 'assistant') {
      const before = segments(messages.slice(0, -1), options)
      return [...before, { text: last.content, special: false }]
    }
    const guard = protectContents(messages, tokenizer.specialTexts, source)
    const pieces = render(guard.messages, options).split(guard.marker)
    return pieces.map((text) => ({ text, special: true }))
  }
  return {
    render,
    segments,
    encode(messages, options) {
      const ids = tokenizer.encodeSegments(segments(messages, options))
      // Some templates write the token, some leave it to the tokenizer: one it shall be.
      if (tokenizer.addsBos && tokenizer.bosId !== null && ids[0] !== tokenizer.bosId)
        ids.unshift(tokenizer.bosId)
      return ids
    },
  }
}

async function compile(source: string): Promise<Render> {
  const { Template } = await import('@huggingface/jinja')
  let template: InstanceType<typeof Template>
  try {
    template = new Template(source)
  } catch (cause) {
    throw new EngineError(
      'invalid-model',
      `The model's chat template cannot be parsed: ${messageOf(cause)}. Use a file with another template.`,
      { cause },
    )
  }
  return (variables) => {
    try {
      return template.render(variables)
    } catch (cause) {
      throw new EngineError(
        'invalid-argument',
        `The model's chat template refuses these messages: ${messageOf(cause)}. Change their roles or their order.`,
        { cause },
      )
    }
  }
}

const ROLES: ReadonlySet<string> = new Set(['system', 'user', 'assistant', 'tool'])

function checkMessages(messages: readonly PromptMessage[]): void {
  if (messages.length === 0) {
    throw new EngineError('invalid-argument', 'There are no messages. Give at least one.')
  }
  for (const [index, { role, content }] of messages.entries()) {
    if (!ROLES.has(role)) {
      throw new EngineError(
        'invalid-argument',
        `Message ${index} has the role "${role}". Roles are "system", "user", "assistant" and "tool".`,
        { details: { index } },
      )
    }
    if (typeof content !== 'string') {
      throw new EngineError(
        'invalid-argument',
        `The content of message ${index} is of type ${typeof content}. It must be a string.`,
        { details: { index } },
      )
    }
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
