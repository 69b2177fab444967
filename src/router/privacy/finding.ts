/** Kinds of personal data; they name the placeholders, too. */
export type PersonalDataKind =
  | 'email'
  | 'phone'
  | 'card'
  | 'iban'
  | 'ssn'
  | 'ip'
  | 'url'
  | 'secret'
  | 'id'
  | 'person'
  | 'address'
  | 'postcode'
  | 'date'
  | 'age'
  | 'place'
  | 'number'

/** A stretch of a text that is or may be personal data. Offsets are UTF-16 units; `end` is excluded. */
export interface Finding {
  readonly kind: PersonalDataKind
  readonly start: number
  readonly end: number
}

/** Finds all of its kinds in a text. Every pattern is linear in the text: bounded repetitions, no nesting of unbounded ones. */
export type Detector = (text: string) => Finding[]

/** A detector of what a pattern matches: the group `value` where the pattern has one, else the whole match. */
export function pattern(
  kind: PersonalDataKind,
  expression: RegExp,
  accept: (value: string) => boolean = () => true,
): Detector {
  const flags = new Set(`${expression.flags}gd`)
  const all = new RegExp(expression.source, [...flags].join(''))
  return (text) => {
    const found: Finding[] = []
    for (const match of text.matchAll(all)) {
      const [start, end] = match.indices?.groups?.['value'] ?? [match.index, match.index + match[0].length]
      if (end > start && accept(text.slice(start, end))) found.push({ kind, start, end })
    }
    return found
  }
}

/** In order of the text, overlapping ones as one: the kind of the one that came first in the list wins. */
export function mergeFindings(findings: readonly Finding[]): Finding[] {
  const rank = new Map(findings.map((finding, index) => [finding, index]))
  const merged: { kind: PersonalDataKind; start: number; end: number; rank: number }[] = []
  for (const finding of findings.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const own = rank.get(finding) ?? Infinity
    const last = merged.at(-1)
    if (last === undefined || finding.start >= last.end) {
      merged.push({ kind: finding.kind, start: finding.start, end: finding.end, rank: own })
      continue
    }
    last.end = Math.max(last.end, finding.end)
    if (own < last.rank) {
      last.rank = own
      last.kind = finding.kind
    }
  }
  return merged.map(({ kind, start, end }) => ({ kind, start, end }))
}
