/**
 * A text that is still being written, as it will read once its open marks are closed: `**bold` is bold already, and a link
 * is its text until its address is complete. Marks that only may become some are left out.
 */
export function closeMarks(text: string): string {
  const body = text.trimEnd().replace(/(?:[*_`~]+|!?\[)$/, '')
  const withoutCode = body.replaceAll(/`[^`\n]*`/g, (code) => ' '.repeat(code.length))
  if (withoutCode.includes('`')) return `${body}\``
  const link = /!?\[([^\]\n]*)(?:\]\([^)\n]*|\])?$/.exec(withoutCode)
  if (link !== null)
    return closeMarks(body.slice(0, link.index) + body.slice(link.index).replace(/^!?\[|\].*$/g, ''))
  const open: string[] = []
  // Between words only; a star and a blank begin an item of a list.
  for (const [mark] of withoutCode.matchAll(/(?<!\\)(?:\*\*|\*(?!\s)|(?<=\S)\*|~~)/g)) {
    if (open.includes(mark)) open.splice(open.indexOf(mark))
    else open.push(mark)
  }
  return body + open.reverse().join('')
}
