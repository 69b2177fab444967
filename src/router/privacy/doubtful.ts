import { pattern, type Detector, type Finding } from './finding'

/**
 * For the level 'strict': whatever may be someone's. Capitalised words that are not plain English at the start of a
 * sentence, numbers, dates, URLs, names of countries and of peoples. It hides much that is harmless, by intent.
 */

const COMMON =
  'a about above account action actually add address after again all also although always am amazing an and another any are as ask at away awarded back be because been before best better between big billing birthday both but by call came can capitalized card carry change check click come concert could country credit currently customer date days dear did do does don down driver due each either else email energetic enough even ever every example excuse experience explain expensive explained far few find first follow for from get give given go god going good got great had happy has have have having he hello help her here hers hey hi him his home hope how however i if in increase increased inbound into is it its just keep know last late later least less let letter life like list listen little live long look lost lot made make makes many may maybe me mean means meet message might mine missing money more most move much must my name need never new next nice no none not nothing now number of off office often oh old on once one only open or other our out over own part payment people phone please possible post price problem put question quite rather reach really record right said same saw say see send sent set several shall she should show since so some someone something sometimes song soon sorry still stop such support sure take tell than thank thanks that the their them then there these they thing think this those though three through time to today together too try turn two under unlike until up update us use used using usually very was way we well went were what when where which while who whose why will with within without won work working would written wrong year years yes yesterday yet you young your'
const common = new Set(COMMON.split(' '))
const plain = (word: string): boolean => common.has(word.toLowerCase().replace(/['’].*$/, ''))

const RUN =
  /(?<![\p{L}\p{N}])\p{Lu}[\p{L}\p{M}\p{N}'’.&-]{0,60}(?:[ ,&]{1,2}(?:\p{Ll}{1,4} ){0,2}\p{Lu}[\p{L}\p{M}\p{N}'’.&-]{0,60}){0,8}/gu
const WORD = /[\p{L}\p{M}\p{N}'’.&-]+/gu

/** Runs of capitalised words with one among them that is not plain English; in a text without capitals, all words that are not. */
const capitals: Detector = (text) => {
  const unknown = (words: string): boolean =>
    (words.match(WORD) ?? []).some((word) => !plain(word.replace(/[.'’]+$/, '')))
  const runs = /\p{Lu}/u.test(text) ? RUN : /(?<![\p{L}\p{N}])\p{L}[\p{L}\p{M}'’-]{2,60}/gu
  return [...text.matchAll(runs)]
    .filter(([words]) => unknown(words))
    .map(({ index, 0: words }) => ({ kind: 'person', start: index, end: index + words.length }))
}

/** Words of other letters than Latin have no capitals that tell, and letters beyond ASCII are names more often than not. */
const beyondAscii = pattern(
  'person',
  /(?<![\p{L}\p{N}])(?=[\p{L}\p{M}'’-]{0,40}[^\p{ASCII}’])[\p{L}\p{M}'’-]{2,60}/u,
)

/** Names of countries and languages as the platform has them, and words made from them. */
function worldWords(): Set<string> {
  const words = new Set<string>()
  const regions = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' })
  const languages = new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' })
  const letters = 'abcdefghijklmnopqrstuvwxyz'.split('')
  for (const a of letters) {
    for (const b of letters) {
      const names = [regions.of((a + b).toUpperCase()), languages.of(a + b)]
      for (const name of names) {
        for (const word of name?.toLowerCase().match(/\p{L}{4,}/gu) ?? []) if (!plain(word)) words.add(word)
      }
    }
  }
  return words
}

let world: Set<string> | null = null
const places: Detector = (text) => {
  world ??= worldWords()
  const found: Finding[] = []
  for (const match of text.matchAll(/\p{L}{4,40}/gu)) {
    const word = match[0].toLowerCase()
    const stem = word.replace(/(?:ians?|eans?|ans?|ese|eses|er|ers|is|ish|i|s)$/, '')
    const known =
      world.has(word) ||
      world.has(stem) ||
      world.has(`${stem}a`) ||
      world.has(`${stem}e`) ||
      world.has(`${stem}ia`)
    if (known && stem.length >= 4)
      found.push({ kind: 'place', start: match.index, end: match.index + match[0].length })
  }
  return found
}

export const DOUBTFUL_DETECTORS: readonly Detector[] = [
  pattern(
    'url',
    /\b(?:https?:\/\/|www\.)[^\s<>"']{3,2000}|\b(?:[\p{L}\p{N}-]{1,63}\.){1,4}(?:com|org|net|edu|gov|io|de|fr|uk|eu|info|biz)\b/iu,
  ),
  pattern('date', /\b(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)s?\b/i),
  pattern('date', /(?<![\w.])\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}(?:[ T]\d{1,2}:\d{2}(?::\d{2})?)?(?![\w])/),
  places,
  capitals,
  beyondAscii,
  pattern('number', /(?<![\p{L}\d])[#A-Z]?\d[\p{L}\d]*(?:[ .,:/-]\d+)*/u),
]
