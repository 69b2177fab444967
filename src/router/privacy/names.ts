import { pattern, type Detector, type Finding } from './finding'

/** Names of people, where the words around them say that they are names. Measured in docs/decisions/0005-personal-data.md. */

const PART = String.raw`(?:\p{Lu}[\p{L}\p{M}'’-]{1,40}|\p{Lu}\.|\p{Lu}(?![\p{L}\p{M}]))`
const PARTICLE = String.raw`(?:van|von|der|den|de|del|della|di|da|das|do|dos|du|la|le|el|al|bin|ibn|ten|ter|zu|y|z|ó)`
/** 'Magda K. Björklund', 'Willemine ten Pas'; a name never goes past its line. */
const NAME = String.raw`${PART}(?: (?:${PARTICLE} ){0,2}${PART}){0,4}`
/** Where a text is written without capitals: up to three words. */
const LOWER = String.raw`\p{Ll}[\p{L}\p{M}'’-]{1,40}(?: \p{Ll}[\p{L}\p{M}'’-]{1,40}){0,2}`

const LEFT = String.raw`(?<![\p{L}\p{M}\p{N}])`

const BEFORE = [
  String.raw`(?:first|last|maiden|middle|full|given|family|sur|nick|user|my|his|her|their|your|the|[\p{L}]{1,20}['’]s)[ -]?name(?:(?: on [^.?!\n]{1,30})?[?:]|['’]s| is| was|,)? ?(?:\p{Lu}\p{Ll}{1,10}: )?`,
  String.raw`name: {0,8}`,
  String.raw`name appears [^\n]{0,80}? to `,
  String.raw`(?:account|statement|card|name) [^.\n]{0,40}? (?:correct|change) it to `,
  String.raw`(?:called|named|call me|calls me|call (?:him|her|them)|named (?:him|her|them)|people call me|know me as) `,
  String.raw`(?:i am|i['’]m|this is|it['’]s|here is) `,
  String.raw`(?:dear|hi|hello|hey|signed,?|sincerely,?|regards,?|yours,?|thanks,?|cheers,?)[ \n]{1,2}`,
  String.raw`my (?:\p{Ll}{1,12} )?(?:wife|husband|spouse|son|daughter|kid|child|baby|partner|brother|sister|mother|mom|mum|father|dad|friend|boss|manager|colleague|neighbou?r|aunt|uncle|cousin|niece|nephew|grand\p{Ll}{3,8}|girlfriend|boyfriend|doctor|teacher|client|patient|student|roommate|landlord)(?: is|,)? `,
  String.raw`(?:add|remove|contact|follow up with|speak (?:to|with)|talk to|meet(?: with)?|email|ask for|written by|songwriter|producer|singer|player|commenter|directed by:?|starring|sung by|says|said|patient|client|customer|employee|author) {1,4}`,
]

const stopWords =
  /^(?:I|A|An|The|This|That|It|Is|In|On|At|My|Your|We|He|She|They|You|And|But|Or|Not|No|Yes|Ok|Please|Thanks?|Hello|Hi|Dear|Sir|Madam|There|Team|All|Everyone|Customer|Support|What|When|Where|Why|Who|How|Can|Could|If|For|To|Of|English|French|German|Spanish|American|British)$/u

const notLower =
  /^(?:not|a|an|the|in|on|at|to|of|so|very|just|my|your|from|for|going|looking|trying|sorry|sure|fine|ok|okay|happy|glad|here|there|this|that|it|is|was|and|but|or|if|no|yes|please|will|can|could|would|should|have|has|had|been|being|with|about|like|also|still|now|currently|interested|writing|unable|having|getting|using|working|moving|unemployed|in|what|who|how|when|where|why|i|we|you|he|she|they|me|him|her|us|them|correct|incorrect|wrong|misspelled|missing|also|appears|appearing|only|your|their|our|its|really|all|one|as|by|up|out|new|some|any)(?: |$)/u

const byWords = (kindOfName: string): RegExp =>
  // Only the words before may be in any case: the name itself tells by its capitals.
  new RegExp(`${LEFT}(?:${BEFORE.map(anyCase).join('|')})(?:${TITLE} )?(?<value>${kindOfName})`, 'u')

const TITLE = String.raw`(?:[Mm](?:[Rr]|[Rr][Ss]|[Ss]|[Xx]|ISS|iss)|[Dd][Rr]|[Pp]rof(?:essor)?|[Ss]ir|[Mm]adam|[Ss]e[nñ]or[a]?|[Hh]err|[Ff]rau|[Mm]onsieur|[Mm]adame)\.?`

/** Letters outside of escapes and classes match in either case (ASCII). Stands in for `(?i:…)`, which not every browser knows. */
function anyCase(source: string): string {
  return source.replace(
    /\\p\{\w+\}|\\.|\[[^\]]*\]|\(\?[<:=!]+|([a-z])/g,
    (whole, letter: string | undefined) =>
      letter === undefined ? whole : `[${letter}${letter.toUpperCase()}]`,
  )
}

const isName = (value: string): boolean => !stopWords.test(value.split(' ')[0] ?? '')

const introduced = pattern('person', byWords(NAME), isName)
const titled = pattern('person', new RegExp(`${LEFT}${TITLE} (?<value>${NAME})`, 'u'))
/** 'Anna lives on …', 'Anna M. Example had given Bob his address'. */
const subject = pattern(
  'person',
  new RegExp(
    `${LEFT}(?<value>${NAME})(?=(?: lives| lived| is from| was born| had given| gave|, can i| is very| will be talking| is the (?:ceo|keynote)|['’]s (?:account|address|phone|number|daughter|son|wife|husband|birthday|house|email|killers)| (?:said|says|told)))`,
    'u',
  ),
  isName,
)
/** 'Anna: "Who are you?"' at the start of a line. */
const speaker = pattern(
  'person',
  new RegExp(`(?<=^|\\n)(?<value>${NAME})(?=: ?["“\\p{Lu}])`, 'u'),
  (value) =>
    !/^(?:Bot|User|Assistant|System|Note|Question|Answer|Q|A|Example|Title|Name|Address|Phone|Date|Context|Passage|Text|Warning|Hint|Step|Input|Output)$/.test(
      value,
    ) && isName(value),
)
const email = /[\w.+-]{1,64}@[\w.-]{1,100}|\b(?:phone|mobile|fax|address|apt|suite|zip)\b|\b\d{4,6}\b/i
/** A line of two to four capitalised words over an address or a number: a contact block. */
const contactLine = (text: string): Finding[] => {
  if (!text.includes('\n') || !email.test(text)) return []
  return pattern(
    'person',
    new RegExp(
      `(?<=(?:^|\\n)[>? ]{0,8})(?<value>${PART}(?: (?:${PARTICLE} )?${PART}){1,3})(?=[ ]*(?:\\n|$))`,
      'u',
    ),
    isName,
  )(text)
}

/** Names in a text without capitals, after the plainest of words. */
const lowerIntroduced = (text: string): Finding[] => {
  if (/\p{Lu}/u.test(text)) return []
  const before = String.raw`(?:name is|name['’]s|named|call me|calls me|my (?:wife|husband|son|daughter|kid|partner|boss|friend)(?: is)?|last name\?|name\?|follow up with|\b(?:mr|mrs|ms|miss|dr)\.?|change it to(?: mrs?\.)?|this is(?: mrs?\.| dr\.)?|i['’]m) `
  return pattern(
    'person',
    new RegExp(`${LEFT}${before}(?<value>${LOWER})`, 'u'),
    (value) => !notLower.test(value),
  )(text)
}

/** The same names where they come again, their parts included. */
function again(text: string, names: readonly Finding[]): Finding[] {
  const parts = new Set<string>()
  for (const { start, end } of names) {
    for (const part of text.slice(start, end).split(/[\s.]+/)) {
      if (part.length >= 3 && !stopWords.test(part)) parts.add(part.replace(/['’]s$/, ''))
    }
  }
  const found: Finding[] = []
  for (const part of [...parts].slice(0, 200)) {
    for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) {
      const end = at + part.length
      if (isEdge(text, at - 1) && isEdge(text, end)) found.push({ kind: 'person', start: at, end })
    }
  }
  return found
}

function isEdge(text: string, index: number): boolean {
  return !/[\p{L}\p{N}]/u.test(text.charAt(index))
}

/** @returns names of people that the text says are names, wherever they stand in it. */
export const detectNames: Detector = (text) => {
  const names = [introduced, titled, subject, speaker, contactLine, lowerIntroduced].flatMap((detect) =>
    detect(text),
  )
  return [...names, ...again(text, names)]
}
