import { PairCache } from './pair-cache'
import { SymbolMerger } from './symbol-merger'
import type { MergeTable } from './symbol-merger'
import type { Vocabulary } from './vocabulary'

/** SentencePiece's stand-in for a space, U+2581. */
export const visibleSpace = '▁'

/**
 * SentencePiece BPE with byte fallback: GGUF's tokenizer model 'llama' (Llama 2, Gemma). Neighbours merge where their
 * text is an entry, best score first. Text in, ids out; knows nothing of special tokens.
 */
export class SentencePieceEncoder {
  readonly #vocabulary: Vocabulary
  readonly #pieces: PieceTable
  readonly #merger: SymbolMerger
  /** Byte → id of its '<0xHH>' or, without one, of the character; −1: neither. */
  readonly #idOfByte = new Int32Array(256)

  constructor(vocabulary: Vocabulary, scores: ArrayLike<number>) {
    this.#vocabulary = vocabulary
    this.#pieces = new PieceTable(vocabulary, scores)
    this.#merger = new SymbolMerger(this.#pieces)
    for (let byte = 0; byte < 256; byte++) {
      const id = vocabulary.idOf(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
      this.#idOfByte[byte] = id >= 0 ? id : vocabulary.idOf(String.fromCharCode(byte))
    }
  }

  encode(text: string, output: number[]): void {
    const spaced = text.replaceAll(' ', visibleSpace)
    const symbols = this.#merger.symbols(spaced.length)
    this.#pieces.forgetCharacters()
    let length = 0
    for (const character of spaced) {
      symbols[length++] = this.#pieces.symbolOf(/^\p{Cs}$/u.test(character) ? '\ufffd' : character)
    }
    length = this.#merger.run(length)
    for (let index = 0; index < length; index++) {
      const symbol = symbols[index]!
      if (symbol < this.#vocabulary.size) output.push(symbol)
      else this.#pushBytes(this.#pieces.textOf(symbol), output)
    }
  }

  #pushBytes(character: string, output: number[]): void {
    for (const byte of new TextEncoder().encode(character)) {
      const id = this.#idOfByte[byte]!
      if (id >= 0) output.push(id)
      else if (this.#vocabulary.unknownId !== null) output.push(this.#vocabulary.unknownId)
    }
  }
}

/** Symbols are ids; characters that are no entry are numbered from the vocabulary's size on, for one text. */
class PieceTable implements MergeTable {
  readonly #vocabulary: Vocabulary
  readonly #scores: ArrayLike<number>
  readonly #characters: string[] = []
  readonly #symbolOfCharacter = new Map<string, number>()
  readonly #pairs = new PairCache((left, right) => this.#lookUp(left, right))

  constructor(vocabulary: Vocabulary, scores: ArrayLike<number>) {
    this.#vocabulary = vocabulary
    this.#scores = scores
  }

  forgetCharacters(): void {
    this.#characters.length = 0
    this.#symbolOfCharacter.clear()
  }

  symbolOf(character: string): number {
    const id = this.#entryOf(character)
    if (id >= 0) return id
    const known = this.#symbolOfCharacter.get(character)
    if (known !== undefined) return known
    const symbol = this.#vocabulary.size + this.#characters.push(character) - 1
    this.#symbolOfCharacter.set(character, symbol)
    return symbol
  }

  textOf(symbol: number): string {
    const { texts, size } = this.#vocabulary
    return symbol < size ? texts[symbol]! : this.#characters[symbol - size]!
  }

  /** The merge of two symbols is numbered by the id it gives. */
  find(left: number, right: number): number {
    const { size } = this.#vocabulary
    return left < size && right < size ? this.#pairs.get(left, right) : this.#lookUp(left, right)
  }

  priority(id: number): number {
    return -this.#scores[id]!
  }

  result(id: number): number {
    return id
  }

  #lookUp(left: number, right: number): number {
    return this.#entryOf(this.textOf(left) + this.textOf(right))
  }

  /** Text never becomes a control token, nor the unknown one. */
  #entryOf(text: string): number {
    const id = this.#vocabulary.idOf(text)
    return id >= 0 && this.#vocabulary.isControl(id) ? -1 : id
  }
}
