import { TokenList } from './token-list'

/** Longest match that is told apart. */
const LONGEST_MATCH = 16

/** What lookup found: the text goes on as it did at `position`. */
export interface LookupMatch {
  /** Where in the history the expected next token stands; −1 for nothing found. */
  position: number
  /** How many tokens before it agree with the last ones, 2…16. */
  length: number
}

/**
 * Finds what may come next by looking for the last two or three tokens earlier in prompt and answer
 * (prompt-lookup decoding, https://github.com/apoorvumang/prompt-lookup-decoding).
 *
 * Two hash tables, of pairs and of triples, give the latest place each was followed by something. An entry that
 * another overwrites is lost, and what is found is checked against the history, so a collision costs a chance only.
 */
export class PromptLookup {
  readonly #history: TokenList
  readonly #mask: number
  readonly #pairs: Int32Array
  readonly #triples: Int32Array
  /** Where the previous match goes on, as long as the tokens it foretold came; −1 otherwise. */
  #continued = -1
  readonly #match: LookupMatch = { position: -1, length: 0 }

  /** @param capacity tokens expected; more only cost matches */
  constructor(capacity: number) {
    let size = 256
    while (size < 2 * capacity) size *= 2
    this.#mask = size - 1
    this.#pairs = new Int32Array(size).fill(-1)
    this.#triples = new Int32Array(size).fill(-1)
    this.#history = new TokenList(capacity)
  }

  get length(): number {
    return this.#history.length
  }

  push(token: number): void {
    const history = this.#history
    const position = history.length
    // Only now do the tokens before have a successor; so the newest pair never finds itself.
    if (position >= 2) this.#pairs[this.#pairSlot(position)] = position
    if (position >= 3) this.#triples[this.#tripleSlot(position)] = position
    const foretold = this.#continued
    this.#continued = foretold >= 0 && history.at(foretold) === token ? foretold + 1 : -1
    history.push(token)
  }

  /** The best earlier place for the tokens at the end. The object is reused by the next call. */
  find(): LookupMatch {
    const { length } = this.#history
    const match = this.#match
    match.position = -1
    match.length = 0
    if (length < 2) return match
    this.#consider(length >= 3 ? this.#triples[this.#tripleSlot(length)]! : -1)
    this.#consider(this.#continued)
    if (match.position < 0) this.#consider(this.#pairs[this.#pairSlot(length)]!)
    this.#continued = match.position
    return match
  }

  /**
   * Writes the `count` tokens expected after `match` to `out` from `offset` on. Beyond the end of the history it
   * goes on with what it wrote, as a text that repeats itself would.
   */
  draft(match: LookupMatch, count: number, out: Int32Array, offset: number): void {
    const { length } = this.#history
    for (let i = 0; i < count; i++) {
      const position = match.position + i
      out[offset + i] = position < length ? this.#history.at(position) : out[offset + position - length]!
    }
  }

  /** The token expected at match.position. */
  expected(match: LookupMatch): number {
    return this.#history.at(match.position)
  }

  #consider(position: number): void {
    if (position < 0 || position >= this.#history.length) return
    const agreed = this.#agreement(position)
    if (agreed >= 2 && agreed > this.#match.length) {
      this.#match.position = position
      this.#match.length = agreed
    }
  }

  /** How many tokens before `position` equal the last ones. */
  #agreement(position: number): number {
    const history = this.#history
    const limit = Math.min(position, LONGEST_MATCH)
    let agreed = 0
    while (agreed < limit && history.at(position - 1 - agreed) === history.at(history.length - 1 - agreed))
      agreed++
    return agreed
  }

  /** Slot of the pair that ends before `end`. */
  #pairSlot(end: number): number {
    const history = this.#history
    return slot(Math.imul(history.at(end - 2), 0x9e3779b1) ^ history.at(end - 1), this.#mask)
  }

  #tripleSlot(end: number): number {
    const history = this.#history
    const pair = Math.imul(history.at(end - 3), 0x9e3779b1) ^ history.at(end - 2)
    return slot(Math.imul(pair, 0x85ebca6b) ^ history.at(end - 1), this.#mask)
  }
}

function slot(key: number, mask: number): number {
  const mixed = Math.imul(key ^ (key >>> 15), 0x2c1b3c6d)
  return (mixed ^ (mixed >>> 13)) & mask
}
