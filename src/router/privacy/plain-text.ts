/** A text as it looks, and where in the original each of its UTF-16 units comes from. */
export interface PlainText {
  readonly text: string
  /** Offsets of the original character that a unit was made of; `end` is excluded. */
  sourceOf(unit: number): { readonly start: number; readonly end: number }
}

/** What is not seen: zero-width blanks, soft hyphens, marks of direction. */
const HIDDEN = /\p{Default_Ignorable_Code_Point}/u

/**
 * The text without characters that are not seen, and each other one in its plain form (Unicode's NFKC): full-width
 * letters and digits, no-break blanks, ligatures. null where it is plain already.
 */
export function plainText(original: string): PlainText | null {
  if (/^\p{ASCII}*$/u.test(original)) return null
  const starts: number[] = []
  const ends: number[] = []
  let text = ''
  let at = 0
  for (const character of original) {
    const plain = HIDDEN.test(character) ? '' : plainForm(character)
    for (let unit = 0; unit < plain.length; unit++) {
      starts.push(at)
      ends.push(at + character.length)
    }
    text += plain
    at += character.length
  }
  return text === original ? null : { text, sourceOf: (unit) => ({ start: starts[unit]!, end: ends[unit]! }) }
}

/** Accents that stand alone stay, as they would become a blank and an accent. */
function plainForm(character: string): string {
  const plain = character.normalize('NFKC')
  return plain.length > 1 && plain.startsWith(' ') ? character : plain
}
