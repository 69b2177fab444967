/** Token ids in one typed array that grows. */
export class TokenList {
  #ids: Int32Array
  #length = 0

  constructor(capacity = 256) {
    this.#ids = new Int32Array(capacity)
  }

  get length(): number {
    return this.#length
  }

  /** The token at `index`, which must lie within the list. */
  at(index: number): number {
    return this.#ids[index]!
  }

  push(token: number): void {
    this.#reserve(this.#length + 1)
    this.#ids[this.#length++] = token
  }

  append(tokens: ArrayLike<number>): void {
    this.#reserve(this.#length + tokens.length)
    this.#ids.set(tokens, this.#length)
    this.#length += tokens.length
  }

  truncate(length: number): void {
    this.#length = Math.min(this.#length, length)
  }

  /** Takes out [from, to). */
  remove(from: number, to: number): void {
    this.#ids.copyWithin(from, to, this.#length)
    this.#length -= to - from
  }

  /** How many leading tokens equal those of `tokens`. */
  commonPrefix(tokens: ArrayLike<number>): number {
    const limit = Math.min(this.#length, tokens.length)
    let i = 0
    while (i < limit && this.#ids[i] === tokens[i]) i++
    return i
  }

  #reserve(capacity: number): void {
    if (capacity <= this.#ids.length) return
    const grown = new Int32Array(Math.max(capacity, this.#ids.length * 2))
    grown.set(this.#ids.subarray(0, this.#length))
    this.#ids = grown
  }
}
