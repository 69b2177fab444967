/** A text as counts of hashed words and word pairs, for linear routers that need no model at all. */

/** Columns; a power of two. */
export const WORD_COLUMNS = 2 ** 17

/**
 * [column, value] of each word and pair that occurs, at most one entry a column. Values are 1 + ln(count), scaled to
 * length 1 over the text, so that long prompts do not weigh more for being long.
 */
export function wordFeatures(text: string): [column: number, value: number][] {
  const words = text.toLowerCase().match(/\p{L}+|\p{N}+|[^\s\p{L}\p{N}]/gu) ?? []
  const counts = new Map<number, number>()
  const count = (key: string): void => {
    const column = hash(key) & (WORD_COLUMNS - 1)
    counts.set(column, (counts.get(column) ?? 0) + 1)
  }
  words.forEach((word, index) => {
    // Which number it is says little; how long it is may say something.
    const shown = /^\p{N}/u.test(word) ? `#${word.length}` : word
    words[index] = shown
    count(shown)
    if (index > 0) count(`${words[index - 1]!} ${shown}`)
  })
  const entries = Array.from(counts, ([column, times]): [number, number] => [column, 1 + Math.log(times)])
  const length = Math.sqrt(entries.reduce((sum, [, value]) => sum + value * value, 0))
  return entries.map(([column, value]) => [column, value / length])
}

/** FNV-1a over UTF-16 units, its high bits mixed into the low ones. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return (value ^ (value >>> 15)) >>> 0
}
