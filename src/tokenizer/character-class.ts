/**
 * What pre-tokenisers need to know of a code point, from the Unicode tables the JavaScript engine already carries.
 * Classified 256 at a time, when first met: no table is downloaded and none is built at start.
 */
export const characterClass = { other: 0, letter: 1, number: 2, space: 3, mark: 4, punctuation: 5 } as const

export type CharacterClass = (typeof characterClass)[keyof typeof characterClass]

/** By code point >> 8. */
const blocks: (Uint8Array | undefined)[] = []

/** Class of a code point; `other` for unpaired surrogates, unassigned ones and symbols. */
export function classOf(codePoint: number): CharacterClass {
  const block = blocks[codePoint >> 8] ?? classifyBlock(codePoint >> 8)
  return block[codePoint & 255] as CharacterClass
}

function classifyBlock(index: number): Uint8Array {
  const block = new Uint8Array(256)
  for (let low = 0; low < 256; low++) block[low] = classify(String.fromCodePoint((index << 8) | low))
  blocks[index] = block
  return block
}

function classify(character: string): CharacterClass {
  if (/\p{L}/u.test(character)) return characterClass.letter
  if (/\p{N}/u.test(character)) return characterClass.number
  // Not \s: that has U+FEFF and lacks U+0085.
  if (/\p{White_Space}/u.test(character)) return characterClass.space
  if (/\p{M}/u.test(character)) return characterClass.mark
  if (/\p{P}/u.test(character)) return characterClass.punctuation
  return characterClass.other
}
