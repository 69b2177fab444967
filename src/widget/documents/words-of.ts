/** Words that say little of what a text is about, of the languages people here write most. */
const COMMON = new Set(
  (
    'a about after all also am an and any are as at be been before but by can could did do does for from had has have he ' +
    'her here his how i if in into is it its just me more most my no not of on one or our out over she should so some ' +
    'such than that the their them then there these they this those to under up us was we were what when where which ' +
    'who whom whose why will with would you your ' +
    'aber als am an auch auf aus bei bin bis da das dass dem den der des die dies diese dieser dieses doch du ein eine ' +
    'einem einen einer eines er es fur gibt hat haben ich ihr im ist ja kann kein keine man mehr mein mit nach nicht ' +
    'noch nur ob oder sein sich sie sind so uber um und uns von vor war was welche welcher welches wenn wer werden wie ' +
    'wir wird wo zu zum zur'
  ).split(' '),
)
const WIDE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u

/** Words as they are compared: lower case, without accents and endings; of scripts without blanks, pairs of letters. */
export function wordsOf(text: string): string[] {
  return rawWordsOf(text).map(stem)
}

/** Those that say what a text is about. */
export function tellingWordsOf(text: string): string[] {
  return rawWordsOf(text)
    .filter((word) => !COMMON.has(word))
    .map(stem)
}

function rawWordsOf(text: string): string[] {
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  const words: string[] = []
  for (const [word] of plain.matchAll(/[\p{L}\p{N}]+/gu)) {
    if (!WIDE.test(word)) words.push(word)
    else {
      const letters = Array.from(word)
      if (letters.length === 1) words.push(word)
      for (let i = 1; i < letters.length; i++) words.push(letters[i - 1]! + letters[i]!)
    }
  }
  return words
}

/** Harman's S-stemmer (https://doi.org/10.1002/(SICI)1097-4571(199101)42:1<7::AID-ASI2>3.0.CO;2-P), and English -ing and -ed. */
function stem(word: string): string {
  if (word.length < 4 || /\d/.test(word)) return word
  const single = word
    .replace(/(?<![ae])ies$/, 'y')
    .replace(/(?<![aeo])es$/, 'e')
    .replace(/(?<![us])s$/, '')
  const root = single.replace(/(?<=[aeiouy].*[^aeiou])(?:ing|ed)$/, '')
  return root.length >= 3 ? root : single
}
