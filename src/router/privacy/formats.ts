import { pattern, type Detector, type Finding } from './finding'

/** What has a format of its own, and a checksum where there is one. */

/** Luhn's checksum (ISO/IEC 7812-1, annex B) over a text of digits. */
export function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let index = 0; index < digits.length; index++) {
    const digit = Number(digits[digits.length - 1 - index])
    const doubled = index % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

/** The checksum of an IBAN (ISO 13616, by ISO 7064's MOD 97-10); letters of either case, without spaces. */
export function passesIban(iban: string): boolean {
  let remainder = 0
  for (const character of iban.slice(4) + iban.slice(0, 4)) {
    for (const digit of String(Number.parseInt(character, 36)))
      remainder = (remainder * 10 + Number(digit)) % 97
  }
  return remainder === 1
}

/** Stretches of a run of separated groups, longest first at each start, that pass; they do not overlap. */
function withinRuns(
  kind: Finding['kind'],
  runs: RegExp,
  lengths: { readonly least: number; readonly most: number },
  passes: (compact: string) => boolean,
): Detector {
  return (text) => {
    const found: Finding[] = []
    for (const run of text.matchAll(runs)) {
      const groups = [...run[0].matchAll(/[^ -]+/g)]
      for (let first = 0; first < groups.length; first++) {
        for (let last = groups.length - 1; last >= first; last--) {
          const compact = groups
            .slice(first, last + 1)
            .map(([group]) => group)
            .join('')
          if (compact.length < lengths.least || compact.length > lengths.most || !passes(compact)) continue
          const end = groups[last]!
          const start = run.index + groups[first]!.index
          found.push({ kind, start, end: run.index + end.index + end[0].length })
          first = last
          break
        }
      }
    }
    return found
  }
}

const card = withinRuns(
  'card',
  /(?<!\d)\d{1,19}(?:[ -]\d{1,19}){0,12}(?!\d)/g,
  { least: 12, most: 19 },
  passesLuhn,
)

/** Groups as they stand on cards, whatever keeps them apart: dots, dashes of any kind, ends of lines. */
const printedCards: readonly Detector[] = [
  [4, 4, 4, 4],
  [4, 4, 4, 4, 3],
  [4, 6, 5],
  [4, 6, 4],
].map((groups) => {
  const digits = groups.map((length) => String.raw`\d{${length}}`).join(String.raw`[\s.,_/\p{Pd}]{0,3}`)
  // Nothing is consumed: a card may begin within what looked like another.
  return pattern('card', new RegExp(String.raw`(?<!\d)(?=(?<value>${digits})(?!\d))`, 'u'), (value) =>
    passesLuhn(value.replaceAll(/\D/g, '')),
  )
})

const iban = withinRuns(
  'iban',
  /(?<![\p{L}\p{N}])[A-Z]{2}\d{2}[A-Z0-9]{0,30}(?: [A-Z0-9]{1,30}){0,9}(?![\p{L}\p{N}])/giu,
  { least: 15, most: 34 },
  (compact) => /^[a-z]{2}\d{2}/i.test(compact) && passesIban(compact),
)

const email = pattern(
  'email',
  /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}._%+'-]{1,64}@(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,24}/u,
)

/** Area, group and serial numbers that are never given out are excluded (SSA, "Social Security number verification"). */
const ssn = pattern('ssn', /(?<![\d-])(?!000|666|9)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\d-])/)

const ipv4 = pattern('ip', /(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d]|\.\d)/, (value) =>
  value.split('.').every((part) => Number(part) <= 255),
)
const ipv6 = pattern('ip', /(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])/i, (value) => {
  const groups = value.split(':').filter((part) => part !== '')
  const gaps = value.match(/::/g)?.length ?? 0
  return value.includes(':::') || gaps > 1
    ? false
    : gaps === 1
      ? groups.length > 0 && groups.length < 8
      : groups.length === 8
})

/** URLs that carry a user, a password or what looks like a token. */
const urlWithSecret = pattern('url', /\b[a-z][a-z0-9+.-]{1,15}:\/\/[^\s<>"']{3,2000}/i, (value) =>
  /^[^/]+\/\/[^/]*@|[?&#](?:access_?token|token|api_?key|key|sig(?:nature)?|auth|password|pwd|secret|session(?:id)?|code)=/i.test(
    value,
  ),
)

/** Keys by the prefixes their makers publish, private keys, and long runs that only machines write. */
const secrets: readonly Detector[] = [
  pattern(
    'secret',
    /\b(?:sk|pk|rk)[-_](?:[a-z]{2,8}[-_])?[A-Za-z0-9_-]{16,200}|\b(?:gh[pousr]_|github_pat_|glpat-|hf_|npm_|xox[abeprs]-)[A-Za-z0-9_-]{10,255}|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[0-9A-Za-z_-]{35}/,
  ),
  pattern('secret', /\beyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{8,4000}(?:\.[A-Za-z0-9_-]{0,2000})?/),
  pattern(
    'secret',
    /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[A-Za-z0-9+/=\s]{1,8000}(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?/,
  ),
  pattern('secret', /(?<![\w-])(?=[\w-]{0,200}\d)(?=[\w-]{0,200}[A-Za-z])[\w-]{32,4000}/),
  pattern(
    'secret',
    /\b(?:pass(?:word|wd|phrase|code)|pin(?: code)?|api[ _-]?key|secret|(?:access |bearer )?token|bearer)(?:\s{1,3}(?:is|was)\s{1,3}|\s{0,3}[:=]\s{0,3}|\s(?=\S{0,60}\d))(?<value>[^\s,;[\]]{4,500})/i,
  ),
]

/** Digit groups as people write phone numbers; 7 to 15 digits (E.164 has at most 15). */
const phone = pattern(
  'phone',
  /(?<![\p{L}\d.,/:-])(?:\+|00)?(?:\(\d{1,4}\)|\d{1,15})(?:(?:[ .-]|[ .-]?\(0\)[ .-]?| ?\(\d{1,4}\) ?)\d{1,10}|\) ?\d{1,10}){0,7}(?![\p{L}\d]|[.,:/]\d)/u,
  (value) => {
    const digits = value.replaceAll(/\D/g, '').length
    if (digits < 7 || digits > 15) return false
    if (/^(?:\+|00|\()/.test(value)) return true
    if (!/[ .()-]/.test(value)) return false
    const years = /^(?:(?:1\d|20)\d\d[ -]?)+$/.test(value)
    const date = /^\d{4}[.-]\d{1,2}[.-]\d{1,2}(?: \d{1,2})?$|^\d{1,2}[.-]\d{1,2}[.-]\d{4}$/.test(value)
    const thousands = /^\d{1,3}(?:\.\d{3})+$/.test(value)
    return !years && !date && !thousands
  },
)

/** Numbers that words say are someone's. `value` is the number. */
const numbersByWords: readonly Detector[] = [
  pattern(
    'phone',
    /\b(?:call(?:ing)?|phone|mobile|cell|tele?(?:phone)?|fax|text(?:ing)?|whatsapp|desk|reach me|contact me|registered|answering)\b[^\d\n]{0,30}(?<value>\+?\d{6,15})(?!\d)/i,
  ),
  pattern('card', /\bcards?\b[^\d\n]{0,40}(?<value>\d(?:[ -]?\d){11,18})(?!\d)/i),
  pattern('iban', /\biban\b[^\n\d]{0,20}\b(?<value>[a-z]{2}\d{2}[a-z0-9 ]{8,36}\b)/i),
  pattern(
    'id',
    /\b(?:licen[cs]e|passport|identity card|id (?:card|number)|national id|insurance|account|customer|patient|employee|student|tax|vat|routing|member(?:ship)?|policy|case)\b[^\d\n]{0,25}?(?<value>\b(?=[A-Z0-9-]{0,12}\d)[A-Z]{0,3}\d[A-Z0-9-]{3,24})/i,
  ),
  pattern('ssn', /\b(?:ssn|social security)\b[^\d\n]{0,25}(?<value>\d[\d -]{6,12}\d)/i),
  pattern(
    'postcode',
    /\b(?:zip|post(?:al)?[ -]?code)\b[^\d\n]{0,20}?(?<value>\b[A-Z]{0,2}\d[A-Z0-9]{0,5}(?:[ -]\d?[A-Z0-9]{2,4})?\b)/i,
  ),
  pattern('age', /\b(?:aged?|turn(?:ed|s|ing)?|age of|age is|age:)\s{1,3}(?<value>\d{1,3})\b/i),
  pattern('age', /\b(?<value>\d{1,3})[ -]?(?:years?[ -]?olds?|y\/?o\b|yrs?\b|years? of age)/i),
  pattern(
    'age',
    /\b(?:i am|i'm|he is|he's|she is|she's|he was|she was|they were|i was|when (?:he|she|i|they) (?:was|were))\s{1,3}(?<value>\d{1,3})\b(?!\s?(?:%|percent|times|[a-z]{1,3}\b))/i,
  ),
  pattern(
    'date',
    /\b(?:born|birth(?:day|date)?|d\.?o\.?b\.?)\b[^\n]{0,40}?(?<value>\b\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}\b|\b(?:\d{1,2}(?:st|nd|rd|th)? )?\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\b\.?(?: \d{1,2}(?:st|nd|rd|th)?\b)?(?:,? \d{4})?|\b(?:19|20)\d\d\b)/i,
  ),
]

/** All detectors of formats, the surest first. */
export const FORMAT_DETECTORS: readonly Detector[] = [
  ...secrets,
  urlWithSecret,
  email,
  iban,
  card,
  ...printedCards,
  ssn,
  ipv6,
  ipv4,
  phone,
  ...numbersByWords,
]
