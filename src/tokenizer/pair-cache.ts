/** Entries; a power of two. */
const entryBits = 14

/** Remembers a number for pairs of numbers ≥ 0; forgets a pair when another one needs its place. */
export class PairCache {
  readonly #lefts = new Int32Array(1 << entryBits).fill(-1)
  readonly #rights = new Int32Array(1 << entryBits)
  readonly #values = new Int32Array(1 << entryBits)
  readonly #compute: (left: number, right: number) => number

  /** `compute` gives what is not remembered. */
  constructor(compute: (left: number, right: number) => number) {
    this.#compute = compute
  }

  get(left: number, right: number): number {
    const slot = (Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b)) >>> (32 - entryBits)
    if (this.#lefts[slot] === left && this.#rights[slot] === right) return this.#values[slot]!
    const value = this.#compute(left, right)
    this.#lefts[slot] = left
    this.#rights[slot] = right
    this.#values[slot] = value
    return value
  }
}
