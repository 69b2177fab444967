import { MergeQueue } from './merge-queue'

/** Which neighbouring symbols may become one. Symbols and merges are numbers of the table's own. */
export interface MergeTable {
  /** The merge of (left, right); −1: none. */
  find(left: number, right: number): number
  /** Lower ones are done first. */
  priority(merge: number): number
  /** The symbol it gives. */
  result(merge: number): number
}

/** Words up to this long are scanned for the best merge, which costs less than a queue. */
const shortWord = 24
/** Arrays for longer words are let go at the next word. */
const keptSymbols = 65_536

/**
 * Merges neighbouring symbols, best priority first and leftmost among equals, until none may merge:
 * O(n log n) in the length of the word. Its arrays are kept between words.
 */
export class SymbolMerger {
  readonly #table: MergeTable
  #queue = new MergeQueue()
  /** Per position of the word: its symbol, its merge with the right neighbour, its neighbours (−1: none). */
  #symbols = new Int32Array(0)
  #merges = new Int32Array(0)
  #previous = new Int32Array(0)
  #next = new Int32Array(0)

  constructor(table: MergeTable) {
    this.#table = table
  }

  /** Room for a word: write `length` symbols at its start, then call `run`, which leaves the merged ones there. */
  symbols(length: number): Int32Array {
    const capacity = this.#symbols.length
    if (length > capacity || (capacity > keptSymbols && length <= keptSymbols)) {
      const wanted = Math.max(256, 2 ** Math.ceil(Math.log2(length)))
      this.#queue = new MergeQueue()
      this.#symbols = new Int32Array(wanted)
      this.#merges = new Int32Array(wanted)
      this.#previous = new Int32Array(wanted)
      this.#next = new Int32Array(wanted)
    }
    return this.#symbols
  }

  /** Merges the first `length` symbols in place. Returns how many are left. */
  run(length: number): number {
    return length <= shortWord ? this.#scan(length) : this.#drain(length)
  }

  #scan(length: number): number {
    const table = this.#table
    const symbols = this.#symbols
    const merges = this.#merges
    for (let index = 0; index + 1 < length; index++) {
      merges[index] = table.find(symbols[index]!, symbols[index + 1]!)
    }
    for (;;) {
      let best = -1
      let bestPriority = Infinity
      for (let index = 0; index + 1 < length; index++) {
        if (merges[index]! < 0) continue
        const priority = table.priority(merges[index]!)
        if (priority < bestPriority) {
          bestPriority = priority
          best = index
        }
      }
      if (best < 0) return length
      symbols[best] = table.result(merges[best]!)
      symbols.copyWithin(best + 1, best + 2, length)
      merges.copyWithin(best + 1, best + 2, length)
      length--
      if (best > 0) merges[best - 1] = table.find(symbols[best - 1]!, symbols[best]!)
      if (best + 1 < length) merges[best] = table.find(symbols[best]!, symbols[best + 1]!)
    }
  }

  #drain(length: number): number {
    const table = this.#table
    const symbols = this.#symbols
    const merges = this.#merges
    const previous = this.#previous
    const next = this.#next
    const queue = this.#queue
    const consider = (position: number): void => {
      const right = next[position]!
      const merge = right < 0 ? -1 : table.find(symbols[position]!, symbols[right]!)
      merges[position] = merge
      if (merge >= 0) queue.push(table.priority(merge), position)
    }
    for (let position = 0; position < length; position++) {
      previous[position] = position - 1
      next[position] = position + 1 < length ? position + 1 : -1
      consider(position)
    }
    while (!queue.isEmpty) {
      const { priority, position } = queue
      queue.pop()
      const merge = merges[position]!
      // Left behind by a merge since: there is another pair here now, or none.
      if (merge < 0 || table.priority(merge) !== priority) continue
      const right = next[position]!
      symbols[position] = table.result(merge)
      merges[right] = -1
      const after = next[right]!
      next[position] = after
      if (after >= 0) previous[after] = position
      consider(position)
      if (previous[position]! >= 0) consider(previous[position]!)
    }
    let count = 0
    for (let position = 0; position >= 0; position = next[position]!) symbols[count++] = symbols[position]!
    return count
  }
}
