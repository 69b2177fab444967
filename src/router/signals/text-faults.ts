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
