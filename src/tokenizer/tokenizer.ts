import { EngineError } from '../contract/error'
import { metadataBoolean, metadataNumbers, metadataString, metadataStrings } from '../gguf/metadata'
import type { Gguf } from '../gguf/types'
import { ByteAlphabet } from './byte-alphabet'
import { BytePairEncoder } from './byte-pair-encoder'
import { createDetokenizer } from './detokenizer'
import type { Detokenizer, DetokenizerOptions } from './detokenizer'
import { createPreTokenizer } from './pre-tokenizer'
import { SentencePieceEncoder, visibleSpace } from './sentence-piece-encoder'
import { SpecialTokens } from './special-tokens'
import type { Segment } from './special-tokens'
import { readAddBos, readTokenizerModel, Vocabulary } from './vocabulary'

export interface EncodeOptions {
  /** Recognise control tokens such as `<|im_end|>` in the text. Default false: they stay text. */
  special?: boolean
  /** Put the beginning-of-sequence token first. Default false; see `addsBos`. */
  addBos?: boolean
}

export interface Tokenizer {
  readonly vocabularySize: number
  /** null where the vocabulary has none. */
  readonly bosId: number | null
  readonly eosId: number | null
  /** Whether the model was trained with a beginning-of-sequence token before every text. */
  readonly addsBos: boolean
  /** Ids that end an answer, as llama.cpp collects them. */
  readonly endOfGeneration: ReadonlySet<number>
  /** Ids of text. Unpaired surrogates count as U+FFFD. Linear in the text but for a logarithm within one word. */
  encode(text: string, options?: EncodeOptions): number[]
  /**
   * Ids of segments read as one text: words go across their borders, control tokens do not and count only in
   * segments with `special`. So what people write cannot become one, whatever stands around it.
   */
  encodeSegments(segments: readonly Segment[], options?: { addBos?: boolean }): number[]
  /** Text of ids; U+FFFD for bytes that are no UTF-8. Control tokens are left out unless `special`. */
  decode(ids: Iterable<number>, options?: DetokenizerOptions): string
  /** The bytes an id stands for, of control tokens their text. */
  bytesOf(id: number): Uint8Array
  createDetokenizer(options?: DetokenizerOptions): Detokenizer
  /** A control token (or the unknown one): never made from plain text and not shown. */
  isSpecial(id: number): boolean
  /** Texts of all control tokens. */
  readonly specialTexts: readonly string[]
}

/** What differs between kinds of vocabularies. */
interface Scheme {
  readonly vocabulary: Vocabulary
  readonly addsBos: boolean
  /** A space goes before text at the start and after a control token. */
  readonly spacePrefix: boolean
  /** Called at the first encoding; what it builds takes most of the time. */
  createEncoder(): { encode(text: string, output: number[]): void }
  /** Bytes of an entry of normal type. */
  bytesOfNormal(text: string): Uint8Array
}

/**
 * The tokenizer of a GGUF file: byte-level BPE (`tokenizer.ggml.model` 'gpt2') or SentencePiece ('llama').
 * Ids equal llama.cpp's, but that plain text never gives control tokens.
 * @throws EngineError 'unsupported' for other kinds and unknown pre-tokenizers, 'invalid-model' for broken metadata.
 */
export function createTokenizer(gguf: Pick<Gguf, 'metadata'>): Tokenizer {
  return new GgufTokenizer(readScheme(gguf))
}

function readScheme(gguf: Pick<Gguf, 'metadata'>): Scheme {
  const model = readTokenizerModel(gguf)
  if (model === 'gpt2') return readBytePairScheme(gguf)
  if (model === 'llama') return readSentencePieceScheme(gguf)
  throw new EngineError(
    'unsupported',
    `The tokenizer model "${model}" is not supported. Use a model with byte-level BPE ("gpt2") or SentencePiece ("llama").`,
    { details: { tokenizerModel: model } },
  )
}

function readBytePairScheme(gguf: Pick<Gguf, 'metadata'>): Scheme {
  const preTokenizer = createPreTokenizer(metadataString(gguf, 'tokenizer.ggml.pre', 'default'))
  const merges = metadataStrings(gguf, 'tokenizer.ggml.merges')
  const vocabulary = new Vocabulary(gguf, { bosId: null, eosId: null, unknownId: null })
  const alphabet = new ByteAlphabet()
  return {
    vocabulary,
    addsBos: readAddBos(gguf, preTokenizer.addBos),
    spacePrefix: false,
    createEncoder: () => new BytePairEncoder(vocabulary, merges, preTokenizer),
    bytesOfNormal: (text) => alphabet.bytesOf(text),
  }
}

function readSentencePieceScheme(gguf: Pick<Gguf, 'metadata'>): Scheme {
  const vocabulary = new Vocabulary(gguf, { bosId: 1, eosId: 2, unknownId: 0 })
  const scores = metadataNumbers(gguf, 'tokenizer.ggml.scores', null) ?? new Float32Array(vocabulary.size)
  if (scores.length < vocabulary.size) {
    throw new EngineError(
      'invalid-model',
      `The model scores ${scores.length} of its ${vocabulary.size} vocabulary entries. The file is damaged; get it again.`,
      { details: { scores: scores.length, entries: vocabulary.size } },
    )
  }
  return {
    vocabulary,
    addsBos: readAddBos(gguf, true),
    spacePrefix: metadataBoolean(gguf, 'tokenizer.ggml.add_space_prefix', true),
    createEncoder: () => new SentencePieceEncoder(vocabulary, scores),
    bytesOfNormal: (text) => new TextEncoder().encode(text.replaceAll(visibleSpace, ' ')),
  }
}

class GgufTokenizer implements Tokenizer {
  readonly #scheme: Scheme
  readonly #vocabulary: Vocabulary
  #encoder: { encode(text: string, output: number[]): void } | null = null
  #specialTokens: SpecialTokens | null = null

  constructor(scheme: Scheme) {
    this.#scheme = scheme
    this.#vocabulary = scheme.vocabulary
  }

  get vocabularySize(): number {
    return this.#vocabulary.size
  }

  get bosId(): number | null {
    return this.#vocabulary.bosId
  }

  get eosId(): number | null {
    return this.#vocabulary.eosId
  }

  get addsBos(): boolean {
    return this.#scheme.addsBos && this.bosId !== null
  }

  get endOfGeneration(): ReadonlySet<number> {
    return this.#vocabulary.endOfGeneration
  }

  get specialTexts(): readonly string[] {
    return [...this.#specials().controlTexts()]
  }

  encode(text: string, { special = false, addBos = false }: EncodeOptions = {}): number[] {
    return this.encodeSegments([{ text, special }], { addBos })
  }

  encodeSegments(segments: readonly Segment[], { addBos = false }: { addBos?: boolean } = {}): number[] {
    const ids: number[] = []
    if (addBos && this.bosId !== null) ids.push(this.bosId)
    const text = segments.map((segment) => segment.text).join('')
    let start = 0
    for (const match of this.#specials().find(text, segments)) {
      this.#encodePlain(text.slice(start, match.start), ids)
      ids.push(match.id)
      start = match.end
    }
    this.#encodePlain(text.slice(start), ids)
    return ids
  }

  decode(ids: Iterable<number>, options?: DetokenizerOptions): string {
    const detokenizer = this.createDetokenizer(options)
    let text = ''
    for (const id of ids) text += detokenizer.push(id)
    return text + detokenizer.flush()
  }

  bytesOf(id: number): Uint8Array {
    const vocabulary = this.#vocabulary
    const text = vocabulary.texts[id]
    if (text === undefined) {
      throw new EngineError(
        'invalid-argument',
        `There is no token ${id}. Ids go from 0 to ${vocabulary.size - 1}.`,
        { details: { id } },
      )
    }
    if (vocabulary.isControl(id) || vocabulary.isUserDefined(id)) return new TextEncoder().encode(text)
    if (vocabulary.isNormal(id)) return this.#scheme.bytesOfNormal(text)
    if (vocabulary.isByte(id)) return Uint8Array.of(Number.parseInt(text.slice(3, 5), 16))
    return new Uint8Array(0) // unused entries show as nothing
  }

  createDetokenizer({ special = false, stripSpacePrefix = true }: DetokenizerOptions = {}): Detokenizer {
    const pieceOf = (id: number): Uint8Array =>
      special || !this.isSpecial(id) ? this.bytesOf(id) : new Uint8Array(0)
    return createDetokenizer(pieceOf, stripSpacePrefix && this.#scheme.spacePrefix)
  }

  isSpecial(id: number): boolean {
    return id >= 0 && id < this.#vocabulary.size && this.#vocabulary.isControl(id)
  }

  #specials(): SpecialTokens {
    this.#specialTokens ??= new SpecialTokens(this.#vocabulary)
    return this.#specialTokens
  }

  /** Text after a special token or at the start: that is where SentencePiece puts its space. */
  #encodePlain(text: string, ids: number[]): void {
    if (text === '') return
    this.#encoder ??= this.#scheme.createEncoder()
    this.#encoder.encode(this.#scheme.spacePrefix ? ` ${text}` : text, ids)
  }
}
