import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StringIndex } from '../../src/tokenizer/string-index'
import { SymbolMerger } from '../../src/tokenizer/symbol-merger'
import type { MergeTable } from '../../src/tokenizer/symbol-merger'

/** Symbols are numbers below 8; a pair's merge is numbered by the pair. Several may share a priority. */
function tableOf(results: readonly number[], priorities: readonly number[]): MergeTable {
  return {
    find: (left, right) => (results[left * 8 + right]! < 0 ? -1 : left * 8 + right),
    priority: (merge) => priorities[merge]!,
    result: (merge) => results[merge]!,
  }
}

/** The definition: again and again the best pair, leftmost among equals. */
function mergeByDefinition(table: MergeTable, word: readonly number[]): number[] {
  const symbols = [...word]
  for (;;) {
    let best = -1
    let bestPriority = Infinity
    for (let index = 0; index + 1 < symbols.length; index++) {
      const merge = table.find(symbols[index]!, symbols[index + 1]!)
      if (merge >= 0 && table.priority(merge) < bestPriority) {
        best = index
        bestPriority = table.priority(merge)
      }
    }
    if (best < 0) return symbols
    symbols.splice(best, 2, table.result(table.find(symbols[best]!, symbols[best + 1]!)))
  }
}

function mergeWith(merger: SymbolMerger, word: readonly number[]): number[] {
  const symbols = merger.symbols(word.length)
  symbols.set(word)
  return [...symbols.subarray(0, merger.run(word.length))]
}

const pairs = fc.array(fc.integer({ min: -6, max: 7 }), { minLength: 64, maxLength: 64 })
const priorities = fc.array(fc.integer({ min: -3, max: 9 }), { minLength: 64, maxLength: 64 })

describe('SymbolMerger', () => {
  it('merges as the definition says, in short and in long words', () => {
    fc.assert(
      fc.property(
        pairs,
        priorities,
        fc.array(fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 80 }), { maxLength: 4 }),
        (results, order, words) => {
          const table = tableOf(results, order)
          const merger = new SymbolMerger(table)
          for (const word of words) expect(mergeWith(merger, word)).toEqual(mergeByDefinition(table, word))
        },
      ),
      { numRuns: 400 },
    )
  })

  it('looks at each pair of a long word a few times at most', () => {
    let found = 0
    const table: MergeTable = {
      // Symbols are lengths: equal powers of two merge, shortest first.
      find: (left, right) => {
        found++
        return left === right ? left : -1
      },
      priority: (merge) => merge,
      result: (merge) => merge * 2,
    }
    const length = 2 ** 20
    const word = Array.from({ length }, () => 1)
    expect(mergeWith(new SymbolMerger(table), word)).toEqual([length])
    expect(found).toBeLessThan(4 * length)
  })

  it('works for short words again after a long one', () => {
    const merger = new SymbolMerger({ find: () => -1, priority: () => 0, result: () => 0 })
    const long = Array.from({ length: 100_000 }, (_, index) => index)
    expect(mergeWith(merger, long)).toEqual(long)
    expect(mergeWith(merger, [3, 1])).toEqual([3, 1])
    expect(mergeWith(merger, [])).toEqual([])
  })
})

describe('StringIndex', () => {
  it('finds first positions as indexOf does', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 3 })),
        fc.array(fc.string({ maxLength: 3 })),
        (list, asked) => {
          const index = new StringIndex(list)
          for (const text of [...list, ...asked]) expect(index.find(text)).toBe(list.indexOf(text))
        },
      ),
    )
  })

  it('refuses strings that were made to collide instead of hanging', () => {
    // 'Aa' and 'BB' give the same sum: so do all texts of them.
    let alike = ['']
    for (let step = 0; step < 12; step++) alike = alike.flatMap((text) => [`${text}Aa`, `${text}BB`])
    expect(() => new StringIndex(alike)).toThrow(expect.objectContaining({ code: 'invalid-model' }))
  })
})
