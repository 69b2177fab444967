import { ByteAlphabet } from './byte-alphabet'
import { PairCache } from './pair-cache'
import type { PreTokenizer } from './pre-tokenizer'
import { StringIndex } from './string-index'
import { SymbolMerger } from './symbol-merger'
import type { MergeTable } from './symbol-merger'
import type { Vocabulary } from './vocabulary'

/** Words remembered with their ids. V8 copies slices this short; longer ones would keep the whole text alive. */
const cachedWordUnits = 12
const cachedWords = 8192

/** Byte-level BPE: GGUF's tokenizer model 'gpt2'. Text in, ids out; knows nothing of special tokens. */
export class BytePairEncoder {
  readonly #vocabulary: Vocabulary
  readonly #preTokenizer: PreTokenizer
  readonly #alphabet = new ByteAlphabet()
  /** Byte → id; −1 where the vocabulary lacks it. */
  readonly #idOfByte = new Int32Array(256).fill(-1)
  readonly #merger: SymbolMerger
  /** Word → its id, or its ids. Emptied when full. */
  readonly #words = new Map<string, number | Int32Array>()

  constructor(vocabulary: Vocabulary, merges: readonly string[], preTokenizer: PreTokenizer) {
    this.#vocabulary = vocabulary
    this.#preTokenizer = preTokenizer
    for (const id of vocabulary.oneUnitIds) {
      const byte = this.#alphabet.byteOf(vocabulary.texts[id]!.charCodeAt(0))
      if (byte >= 0) this.#idOfByte[byte] = id
    }
    this.#merger = new SymbolMerger(new BytePairTable(vocabulary, merges))
  }

  encode(text: string, output: number[]): void {
    this.#preTokenizer.split(text, (word) => {
      const known = this.#words.get(word)
      if (known === undefined) this.#encodeWord(word, output)
      else if (typeof known === 'number') output.push(known)
      else for (const id of known) output.push(id)
    })
  }

  #encodeWord(word: string, output: number[]): void {
    const first = output.length
    const whole = this.#preTokenizer.ignoreMerges ? this.#wholeWord(word) : -1
    if (whole >= 0) output.push(whole)
    else {
      const symbols = this.#merger.symbols(word.length * 3)
      const count = this.#merger.run(this.#writeBytes(word, symbols))
      // A byte that is not in the vocabulary is left out, as llama.cpp does.
      for (let index = 0; index < count; index++) if (symbols[index]! >= 0) output.push(symbols[index]!)
    }
    if (word.length > cachedWordUnits) return
    if (this.#words.size >= cachedWords) this.#words.clear()
    this.#words.set(word, output.length === first + 1 ? output[first]! : Int32Array.from(output.slice(first)))
  }

  /** Id of the entry that is this word, if text may become it; else −1. */
  #wholeWord(word: string): number {
    let units = ''
    const { unitOfByte } = this.#alphabet
    for (const byte of new TextEncoder().encode(word)) units += String.fromCharCode(unitOfByte[byte]!)
    const id = this.#vocabulary.idOf(units)
    return id >= 0 && !this.#vocabulary.isControl(id) ? id : -1
  }

  /** Writes the ids of the word's UTF-8 bytes, U+FFFD for unpaired surrogates. Returns how many. */
  #writeBytes(word: string, symbols: Int32Array): number {
    const idOfByte = this.#idOfByte
    let count = 0
    for (let index = 0; index < word.length; index++) {
      let code = word.charCodeAt(index)
      if (code < 0x80) {
        symbols[count++] = idOfByte[code]!
        continue
      }
      if (code >= 0xd800 && code < 0xe000) {
        code = word.codePointAt(index)!
        if (code > 0xffff) index++
        else code = 0xfffd
      }
      if (code < 0x800) symbols[count++] = idOfByte[0xc0 | (code >> 6)]!
      else {
        if (code < 0x10000) symbols[count++] = idOfByte[0xe0 | (code >> 12)]!
        else {
          symbols[count++] = idOfByte[0xf0 | (code >> 18)]!
          symbols[count++] = idOfByte[0x80 | ((code >> 12) & 0x3f)]!
        }
        symbols[count++] = idOfByte[0x80 | ((code >> 6) & 0x3f)]!
      }
      symbols[count++] = idOfByte[0x80 | (code & 0x3f)]!
    }
    return count
  }
}

/**
 * Merges are numbered by their rank. The file gives them as strings such as 'Ġ the', which are indexed as they are:
 * a pair of ids is looked up there by its text once and then remembered by number.
 */
class BytePairTable implements MergeTable {
  readonly #vocabulary: Vocabulary
  readonly #rankOfMerge: StringIndex
  readonly #pairs = new PairCache((left, right) => this.#lookUp(left, right))
  /** Rank → id of what the pair becomes, once looked up. */
  readonly #results: Int32Array
  /** Most vocabularies list entries in the order of their merges: id − rank of the last one looked up. */
  #offset: number

  constructor(vocabulary: Vocabulary, merges: readonly string[]) {
    this.#vocabulary = vocabulary
    this.#rankOfMerge = new StringIndex(merges)
    this.#results = new Int32Array(merges.length)
    this.#offset = merges[0] === undefined ? 0 : vocabulary.texts.indexOf(merges[0].replace(' ', ''))
  }

  find(left: number, right: number): number {
    return left < 0 || right < 0 ? -1 : this.#pairs.get(left, right)
  }

  priority(rank: number): number {
    return rank
  }

  result(rank: number): number {
    return this.#results[rank]!
  }

  #lookUp(left: number, right: number): number {
    const vocabulary = this.#vocabulary
    const leftText = vocabulary.texts[left]!
    const rightText = vocabulary.texts[right]!
    const rank = this.#rankOfMerge.find(`${leftText} ${rightText}`)
    if (rank < 0) return -1
    const text = leftText + rightText
    const guess = rank + this.#offset
    const id = vocabulary.texts[guess] === text ? guess : vocabulary.idOf(text)
    // Text never becomes a control token, whatever the file's merges say.
    if (id < 0 || vocabulary.isControl(id)) return -1
    this.#results[rank] = id
    this.#offset = id - rank
    return rank
  }
}
