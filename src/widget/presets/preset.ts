import type { TextMessage } from '../../contract/chat-messages'
import type { ChatCompletionParams } from '../../contract/engine'
import type { Language } from '../strings'

/** A text in every language of the page. */
export type Words = Readonly<Record<Language, string>>
/** What a person filled in, by the name of the field. */
export type PresetValues = Readonly<Record<string, string>>

export interface PresetField {
  readonly name: string
  readonly label: Words
  /** 'text' has many lines, 'line' one, 'choice' one of `options`. */
  readonly kind: 'text' | 'line' | 'choice'
  /** Values go into the prompt as they are; their words are shown. */
  readonly options?: readonly { readonly value: string; readonly words: Words }[]
  /** What stands there at first. */
  readonly initial?: string
}

/** What an answer must look like; `checkAnswer()` tells. Names are those of fields. */
export type PresetFormat =
  | {
      readonly type: 'text'
      /** The field with the text that the answer is about. */
      readonly source: string
      /** Numbers of the answer must stand in the source. */
      readonly keepsNumbers?: true
      /** Most characters, as a share of the source's. */
      readonly mostShare?: number
      /** The answer must not be the source again. */
      readonly differs?: true
      /** The answer must ask something. */
      readonly asks?: true
    }
  /** Lines "Name: label", each with a label of a field's comma-separated list or of a fixed one. */
  | {
      readonly type: 'labels'
      readonly lines: readonly { readonly name: string; readonly labels: string | readonly string[] }[]
    }
  /** An object with the keys of a comma-separated list, and values that stand in the source, or null. */
  | { readonly type: 'json'; readonly keys: string; readonly source: string }
  /** One query over the tables and columns of a schema in the form "table(column, …)". */
  | { readonly type: 'sql'; readonly schema: string }

/** A job for a mini model, as data. */
export interface Preset {
  readonly id: string
  readonly title: Words
  /** What it does, in a line. */
  readonly hint: Words
  readonly fields: readonly PresetField[]
  /** `{name}` stands for a field's value, here and in `template`. */
  readonly instruction: string
  /** The question. */
  readonly template: string
  readonly examples: readonly { readonly values: PresetValues; readonly answer: string }[]
  /** Only examples with the same value of this field are shown to the model. */
  readonly examplesBy?: string
  /** What is put around the answer, for instance how a letter begins and ends. */
  readonly frame?: { readonly before: string; readonly after: string }
  readonly sampling: Pick<
    ChatCompletionParams,
    'temperature' | 'top_p' | 'repetition_penalty' | 'max_tokens' | 'stop'
  >
  readonly format: PresetFormat
  /** As measured with the embedded model (docs/presets.md): how far to trust it. */
  readonly level: 'good' | 'fair' | 'better-with-bigger'
}

/** The conversation that asks for it: instruction, examples, question. */
export function presetMessages(preset: Preset, values: PresetValues): TextMessage[] {
  const { instruction, template, examples, examplesBy } = preset
  const alike = examples.filter(
    (example) => examplesBy === undefined || example.values[examplesBy] === values[examplesBy],
  )
  return [
    { role: 'system', content: fillIn(instruction, values) },
    ...alike.flatMap((example): TextMessage[] => [
      { role: 'user', content: fillIn(template, example.values) },
      { role: 'assistant', content: example.answer },
    ]),
    { role: 'user', content: fillIn(template, values) },
  ]
}

/** In one pass: braces in a value stay what they are. */
function fillIn(template: string, values: PresetValues): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => (values[name] ?? '').trim())
}

/** Parts of a comma-separated list. */
export function listOf(text: string): string[] {
  return text
    .split(/[,;\n]/)
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
