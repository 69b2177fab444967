/** Whether a text ends in the same 8 to 80 characters four times over. */
export function repeatsItself(text: string): boolean {
  const tail = text.slice(-400)
  for (let period = 8; period <= 80 && period * 4 <= tail.length; period++) {
    const end = tail.slice(-period)
    if (end.trim() !== '' && tail.endsWith(end.repeat(4))) return true
  }
  return false
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** What may be missing where a text stops within a string, an escape in it, a number, or a word. */
const TOKEN_ENDS = ['', ...'" n" 0" 00" 000" 0000" 0 rue ue e alse lse se ull ll l'.split(' ')]
/** What may be missing where it stops before a value, a colon, or a key. */
const PART_ENDS = ['', '0', ':0', '"":0']
const CLOSERS: Readonly<Record<string, string>> = { '{': '}', '[': ']' }

/** Whether something could be written behind a text that would make it JSON. */
export function mayBecomeJson(text: string): boolean {
  let closers = ''
  for (const [char] of text.replaceAll(/"[^"\\]*(?:\\.[^"\\]*)*"?/gs, '').matchAll(/[[\]{}]/g)) {
    closers = char in CLOSERS ? CLOSERS[char] + closers : closers.slice(1)
  }
  return TOKEN_ENDS.some((token) => PART_ENDS.some((part) => isJson(text + token + part + closers)))
}
