import { pattern, type Detector, type Finding } from './finding'

/** Postal addresses, by the words and numbers they are made of. */

const WORD = String.raw`[\p{L}\p{M}'’.-]{1,40}`
const CAPITAL = String.raw`[\p{Lu}Đ][\p{L}\p{M}'’./-]{0,40}`
const NUMBER = String.raw`\d{1,6}[A-Za-z]?`
const STREET = String.raw`(?:street|st|avenue|ave|road|rd|lane|ln|drive|boulevard|blvd|square|sq|court|terrace|crescent|parkway|highway|hwy|close|place|way|alley)`
const STREET_CAPITAL = STREET.slice(3, -1).replaceAll(/(?<=^|\|)[a-z]/g, (letter) => letter.toUpperCase())
const COMPOUND = String.raw`\p{L}{2,30}(?:straße|strasse|stra(?:ss)?e|straat|laan|gatan|gata|vägen|veien|vegen|vejen|vej|katu|kuja|polku|tie|utca|weg|gasse|plein|vegur|väg|gränd)`
const STREET_FIRST = String.raw`(?:rue|av|avda\.?|avenida|rua|via|viale|calle|c\/|ul\.?|ulica|quadra|strada|plaza|piazza|praça|largo|rúa|carrer|paseo|travessa|chemin|allée|impasse|route|λεωφόρος|οδός)`
const UNIT = String.raw`(?:apt|apartment|suite|ste|unit|flat|floor|room)\.? ?#?\d{1,6}[a-z]?`
const BOX = String.raw`(?:p\.? ?o\.? ?box \d{1,6}|(?:psc|unit|cmr) \d{1,6},? box \d{1,6})`
const MILITARY = String.raw`(?:apo|fpo|dpo),? a[aep] \d{5}`

/** Four digits that are rather a year. */
const YEAR = String.raw`(?:1[5-9]|20)\d\d(?!\d)`
const PARTICLE = String.raw`(?:de|da|do|dos|del|della|di|du|la|le|el|al|van|von|der|den|e|y|z|ze|i|w|na|u)`
const LEFT = String.raw`(?<![\p{L}\p{N}])`
const RIGHT = String.raw`(?![\p{L}\p{N}])`
const insensitive = (source: string): Detector =>
  pattern('address', new RegExp(`${LEFT}(?:${source})${RIGHT}`, 'iu'))

const parts: readonly Detector[] = [
  insensitive(`\\d{3,6} (?:${NUMBER} )?(?:${WORD} ){1,4}${STREET}`),
  pattern(
    'address',
    new RegExp(`${LEFT}(?:${NUMBER} ){1,2}(?:${CAPITAL} ){1,4}(?:${STREET_CAPITAL})${RIGHT}`, 'u'),
  ),
  insensitive(`(?:${NUMBER} ){0,2}${STREET_FIRST} (?:${WORD} ){0,5}${WORD} ${NUMBER}`),
  insensitive(`(?:${NUMBER} ){1,2}${STREET_FIRST} (?:${WORD} ){0,3}${WORD}`),
  insensitive(`(?:${NUMBER} ){0,2}(?:${WORD} ){0,2}${COMPOUND} ${NUMBER}`),
  insensitive(`(?:${NUMBER} ){1,2}(?:${WORD} ){0,2}${COMPOUND}`),
  insensitive(BOX),
  insensitive(MILITARY),
  insensitive(UNIT),
  // '654 Rua Ana Caciola 1159', '17031 2202 Rissik St'; without capitals only with five digits before.
  pattern(
    'address',
    new RegExp(
      `${LEFT}(?!${YEAR})\\d{2,6} (?:${NUMBER} )?${CAPITAL}(?: ${CAPITAL}| ${PARTICLE}){0,5} (?!${YEAR})${NUMBER}${RIGHT}`,
      'u',
    ),
  ),
  pattern(
    'address',
    new RegExp(
      `${LEFT}(?!${YEAR})\\d{4,6} (?:\\p{L}[\\p{L}\\p{M}'’-]{1,40} ){1,4}(?!${YEAR})${NUMBER}${RIGHT}`,
      'u',
    ),
  ),
  pattern('address', new RegExp(`${LEFT}\\d{3,6} \\d{1,5} ${CAPITAL}(?: ${CAPITAL}){0,3}`, 'u')),
  // After words that lead to one.
  pattern(
    'address',
    new RegExp(
      String.raw`\b(?:address(?:es)?(?: is|:| here:)?|lives? (?:at|on|in)|lived (?:at|on|in)|located (?:at|on)|office is at|is (?:at|on)|meet(?:ing)? (?:me|you)? ?at|off at|sent? to|taxi to|enter on|north side of|south side of|east side of|west side of|stop at|return to|refers to)\s{1,8}(?<value>${CAPITAL}(?: ${WORD}){0,4} ${NUMBER})${RIGHT}`,
      'u',
    ),
  ),
  pattern(
    'address',
    new RegExp(
      `\\bcorner of (?<value>${CAPITAL}(?: ${WORD}){0,5}(?: \\d{1,4})? and ${CAPITAL}(?: ${CAPITAL}){0,3}(?: \\d{1,4})?)`,
      'iu',
    ),
  ),
]

/** What goes on with an address: parts after a comma or a line's end, of capitals or a postcode. */
const CONTINUATION = new RegExp(
  String.raw`^[ \t]*(?:[,\n>?][\s>?,]{0,12}|(?= ))(?: ?(?:${UNIT}|${MILITARY}))?(?: ?(?:${CAPITAL}|nan|\([\p{L} ]{1,30}\)|\d{2,3} ?\d{2}|\d{4,6}(?:-\d{3,4})?)(?=[\s,.?!;)]|$)(?: ?(?:de|da|do|del|la|el|u|z|upon|on)(?= ))?){0,5}`,
  'u',
)
const AFTER_COMMA = /^[ \t]*[,\n]/

function extend(text: string, finding: Finding): Finding {
  let { end } = finding
  for (let steps = 0; steps < 6; steps++) {
    const rest = text.slice(end, end + 200)
    const match = CONTINUATION.exec(rest)?.[0] ?? ''
    const kept = match.trimEnd().replace(/[,>?\s]+$/, '')
    if (kept === '' || (!AFTER_COMMA.test(rest) && !/\d/.test(kept))) break
    end += kept.length
  }
  return { ...finding, end }
}

/** @returns addresses with the lines and postcodes that belong to them. */
export const detectAddresses: Detector = (text) =>
  parts.flatMap((detect) => detect(text)).map((finding) => extend(text, finding))
