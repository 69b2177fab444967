import { TokenList } from './token-list'

/** Longest match that is told apart. */
const LONGEST_MATCH = 16
/** Most earlier places looked at: frequent tokens such as commas stand in many. */
const MOST_PLACES = 64

/** What the other places say that match (nearly) as well: nothing, the same next token, or another. */
export type Support = 'single' | 'confirmed' | 'contested'

/** What lookup found: the text goes on as it did at `position`. */
export interface LookupMatch {
  /** Where in the history the expected next token stands; −1 for nothing found. */
  position: number
  /** How many tokens before it agree with the last ones, 1…16. */
  length: number
  /** By the places that agree in as many tokens or one less. */
  support: Support
}

/**
 * Finds what may come next by looking for the last tokens earlier in prompt and answer
 * (prompt-lookup decoding, https://github.com/apoorvumang/prompt-lookup-decoding).
 *
 * The places of each token form a chain, newest first, so that all of the last token's are compared.
 */
export class PromptLookup {
  readonly #history: TokenList
  /** Of each token the position behind its newest place, and of each position the one behind the place before. */
  readonly #newest = new Map<number, number>()
  readonly #older: TokenList
  /** How far each place agrees; scratch of find(). */
  readonly #lengths = new Uint8Array(MOST_PLACES)
  readonly #match: LookupMatch = { position: -1, length: 0, support: 'single' }

  /** @param capacity tokens expected */
  constructor(capacity: number) {
    this.#history = new TokenList(capacity)
    this.#older = new TokenList(capacity)
  }

  get length(): number {
    return this.#history.length
  }

  push(token: number): void {
    const history = this.#history
    // Only now has the token before a successor; so the newest token never finds itself.
    if (history.length > 0) {
      const before = history.at(history.length - 1)
      this.#older.push(this.#newest.get(before) ?? -1)
      this.#newest.set(before, history.length)
    } else {
      this.#older.push(-1)
    }
    history.push(token)
  }

  /** The newest of the earlier places that agree in most tokens. The object is reused by the next call. */
  find(): LookupMatch {
    const history = this.#history
    const match = this.#match
    match.position = -1
    match.length = 0
    match.support = 'single'
    if (history.length === 0) return match
    const newest = this.#newest.get(history.at(history.length - 1)) ?? -1
    let places = 0
    for (let at = newest; at >= 0 && places < MOST_PLACES; at = this.#older.at(at)) {
      const length = this.#agreement(at)
      if (length > match.length) {
        match.position = at
        match.length = length
      }
      this.#lengths[places++] = length
    }
    if (match.position >= 0) match.support = this.#supportOf(match, newest, places)
    return match
  }

  #supportOf(match: LookupMatch, newest: number, places: number): Support {
    const expected = this.expected(match)
    let support: Support = 'single'
    for (let i = 0, at = newest; i < places; i++, at = this.#older.at(at)) {
      if (at === match.position || this.#lengths[i]! < match.length - 1) continue
      if (this.#history.at(at) !== expected) return 'contested'
      support = 'confirmed'
    }
    return support
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

  /** How many tokens before `position` equal the last ones, at most 16. */
  #agreement(position: number): number {
    const history = this.#history
    const limit = Math.min(position, LONGEST_MATCH)
    let agreed = 0
    while (agreed < limit && history.at(position - 1 - agreed) === history.at(history.length - 1 - agreed))
      agreed++
    return agreed
  }
}
