import { EngineError } from '../contract/error'
import {
  metadataBoolean,
  metadataCount,
  metadataNumbers,
  metadataString,
  metadataStrings,
} from '../gguf/metadata'
import type { Gguf } from '../gguf/types'
import { StringIndex } from './string-index'

/** Bits of what an entry is; several may hold, as in llama.cpp. */
const attribute = { unknown: 1, unused: 2, normal: 4, control: 8, userDefined: 16, byte: 32 } as const

/** By GGUF's `tokenizer.ggml.token_type`: undefined, normal, unknown, control, user-defined, unused, byte. */
const attributesByType = [
  0,
  attribute.normal,
  attribute.unknown,
  attribute.control,
  attribute.userDefined,
  attribute.unused,
  attribute.byte,
]

/** Entries that end a generation, by text, since files seldom say; llama.cpp's list. */
const endTexts: ReadonlySet<string> = new Set([
  '<|eot_id|>', '<|im_end|>', '<|end|>', '<|return|>', '<|call|>', '<|flush|>', '<|calls|>', '<end_of_turn>',
  '<|endoftext|>', '</s>', '<|eom_id|>', '<EOT>', '_<EOT>', '[EOT]', '[EOS]', '<|end_of_text|>',
  '<end_of_utterance>', '<eos>', '<turn|>', '<|tool_response>', '<｜end▁of▁sentence｜>', '[e~[',
]) // prettier-ignore

/** Of fill-in-the-middle: padding, repository name and file separator, which end a generation too. */
const fillEnds = [
  {
    key: 'tokenizer.ggml.fim_pad_token_id',
    texts: ['<|fim_pad|>', '<fim-pad>', '<fim_pad>', '<PAD>', '[PAD]'],
  },
  {
    key: 'tokenizer.ggml.fim_rep_token_id',
    texts: ['<|fim_repo|>', '<|repo_name|>', '<fim-repo>', '<REPO>', '<reponame>'],
  },
  { key: 'tokenizer.ggml.fim_sep_token_id', texts: ['<|file_sep|>'] },
]

/** gpt-oss: shown although its file calls them control tokens. */
const shownTexts: ReadonlySet<string> = new Set(['<|channel|>', '<|message|>', '<|start|>', '<|constrain|>'])

/** The entries of a model's vocabulary and what each is. Read once from the file's metadata; nothing is copied. */
export class Vocabulary {
  /** As in the file: bytes as stand-ins (BPE), spaces as '▁' (SentencePiece). */
  readonly texts: readonly string[]
  readonly bosId: number | null
  readonly eosId: number | null
  readonly unknownId: number | null
  readonly endOfGeneration: ReadonlySet<number>
  /** Ids of entries of one UTF-16 unit. */
  readonly oneUnitIds: readonly number[]
  readonly #attributes: Uint8Array
  #index: StringIndex | null = null

  /** Ids where the file gives none or one beyond its entries. */
  constructor(
    gguf: Pick<Gguf, 'metadata'>,
    defaults: { bosId: number | null; eosId: number | null; unknownId: number | null },
  ) {
    this.texts = metadataStrings(gguf, 'tokenizer.ggml.tokens')
    this.#attributes = this.#readAttributes(gguf)
    const special = (name: string, fallback: number | null): number | null => {
      const id = metadataCount(gguf, `tokenizer.ggml.${name}_token_id`, fallback)
      return id !== null && id < this.size ? id : fallback !== null && fallback < this.size ? fallback : null
    }
    this.bosId = special('bos', defaults.bosId)
    this.eosId = special('eos', defaults.eosId)
    this.unknownId = special('unknown', defaults.unknownId)
    const { named, oneUnitIds } = this.#scan()
    this.oneUnitIds = oneUnitIds
    this.endOfGeneration = this.#findEnds(gguf, named)
  }

  get size(): number {
    return this.texts.length
  }

  /** −1 where the text is no entry. The first call builds the index. */
  idOf(text: string): number {
    this.#index ??= new StringIndex(this.texts)
    return this.#index.find(text)
  }

  /** Control tokens and the unknown token: never made from plain text, not shown. */
  isControl(id: number): boolean {
    return (this.#attributes[id]! & (attribute.control | attribute.unknown)) !== 0
  }

  /** Recognised in any text before everything else, and shown. */
  isUserDefined(id: number): boolean {
    return (this.#attributes[id]! & attribute.userDefined) !== 0 && !this.isControl(id)
  }

  /** Ids of control, unknown and user-defined tokens. */
  specialIds(): number[] {
    const special = attribute.control | attribute.unknown | attribute.userDefined
    const attributes = this.#attributes
    const ids: number[] = []
    for (let id = 0; id < attributes.length; id++) if ((attributes[id]! & special) !== 0) ids.push(id)
    return ids
  }

  isNormal(id: number): boolean {
    return (this.#attributes[id]! & attribute.normal) !== 0
  }

  /** SentencePiece's fallback for one byte, '<0x0A>'. */
  isByte(id: number): boolean {
    return (this.#attributes[id]! & attribute.byte) !== 0
  }

  #readAttributes(gguf: Pick<Gguf, 'metadata'>): Uint8Array {
    const types = metadataNumbers(gguf, 'tokenizer.ggml.token_type', null)
    const attributes = new Uint8Array(this.size)
    if (types === null) return attributes.fill(attribute.normal)
    if (types.length < this.size) {
      throw new EngineError(
        'invalid-model',
        `The model types ${types.length} of its ${this.size} vocabulary entries. The file is damaged; get it again.`,
        { details: { types: types.length, entries: this.size } },
      )
    }
    for (let id = 0; id < this.size; id++) attributes[id] = attributesByType[types[id]!] ?? 0
    return attributes
  }

  /** The one look at all texts: at start it costs as much as everything else here. */
  #scan(): { named: ReadonlyMap<string, number>; oneUnitIds: number[] } {
    const named = new Map<string, number>()
    const oneUnitIds: number[] = []
    const fillTexts = new Set(fillEnds.flatMap(({ texts }) => texts))
    for (let id = 0; id < this.size; id++) {
      const text = this.texts[id]!
      if (text.length === 1) oneUnitIds.push(id)
      // All of the names above begin like this and are short: most entries need no look-up.
      const first = text.charCodeAt(0)
      if (text.length > 20 || (first !== 0x3c && first !== 0x5b && first !== 0x5f)) continue
      if (endTexts.has(text) || fillTexts.has(text) || shownTexts.has(text)) named.set(text, id)
    }
    return { named, oneUnitIds }
  }

  /** As llama.cpp collects them, which also makes control tokens of entries that look like one. */
  #findEnds(gguf: Pick<Gguf, 'metadata'>, named: ReadonlyMap<string, number>): ReadonlySet<number> {
    const ends = new Set<number>()
    const add = (id: number): void => {
      ends.add(id)
      this.#attributes[id]! |= attribute.control
    }
    for (const { key, texts } of fillEnds) {
      const given = metadataCount(gguf, key, null)
      if (given !== null && given < this.size) ends.add(given)
      else {
        const found = texts.map((text) => named.get(text)).find((id) => id !== undefined)
        if (found !== undefined) add(found)
      }
    }
    for (const [text, id] of named) if (endTexts.has(text)) add(id)
    for (const [text, id] of named) if (shownTexts.has(text)) this.#attributes[id] = attribute.userDefined
    for (const name of ['eos', 'eot', 'eom']) {
      const id = metadataCount(gguf, `tokenizer.ggml.${name}_token_id`, null)
      if (id !== null && id < this.size) ends.add(id)
    }
    if (this.eosId !== null) ends.add(this.eosId)
    // gpt-oss and Solar end with other tokens and use this one inside of an answer.
    const end = named.get('<|end|>')
    const isCall = named.has('<|call|>') || named.has('<|calls|>')
    if (end !== undefined && isCall && (named.has('<|return|>') || named.has('<|flush|>'))) {
      ends.delete(end)
      this.#attributes[end] = attribute.userDefined
    }
    // Gemma 4 has an HTML-like </s> in its vocabulary.
    const strike = named.get('</s>')
    if (strike !== undefined && named.has('<|tool_response>')) {
      ends.delete(strike)
      this.#attributes[strike] = attribute.normal
    }
    return ends
  }
}

/** Whether a beginning-of-sequence token goes before a text, where the file does not say: `fallback`. */
export function readAddBos(gguf: Pick<Gguf, 'metadata'>, fallback: boolean): boolean {
  return metadataBoolean(gguf, 'tokenizer.ggml.add_bos_token', fallback)
}

/** 'gpt2', 'llama', … */
export function readTokenizerModel(gguf: Pick<Gguf, 'metadata'>): string {
  return metadataString(gguf, 'tokenizer.ggml.model')
}
