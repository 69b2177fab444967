import type { PromptReading } from '../../contract/signals'
import type { PromptSignal, TaskKind } from './types'

/** What is known of a prompt before it is answered. */
export function readPrompt(text: string, reading: PromptReading | null): PromptSignal {
  return {
    hidden: reading?.hidden ?? null,
    tokens: reading?.tokens ?? 0,
    text,
    task: taskOf(text),
    language: languageOf(text),
  }
}

/** In order: the first that fits names the task. */
const TASK_RULES: readonly (readonly [TaskKind, RegExp])[] = [
  [
    'code',
    /```|\b(?:function|class|regex|sql|python|javascript|typescript|compile|refactor|stack trace)\b|=>|\bdef \w+\(/i,
  ],
  [
    'classification',
    /\b(?:classify|categori[sz]e|sentiment|positive or negative|spam or|true or false|yes or no)\b/i,
  ],
  [
    'choice',
    /(?:^|\n)\s*(?:\(?[A-D1-4][.)]|[-•*]) \S.*\n\s*(?:\(?[A-D1-4][.)]|[-•*]) \S|\bwhich of (?:the following|these)\b/i,
  ],
  [
    'reading',
    /^(?:passage|text|article|context)\s*:|\b(?:according to|based on) the (?:passage|text|article)\b/i,
  ],
  ['completion', /\b(?:complete|finish|continue) (?:the|this|my)\b|\bfill in the blank|_{3,}/i],
  [
    'math',
    /\d\s*[-+*/×÷=^]\s*\d|\bhow (?:many|much)\b.*\d|\d.*\bhow (?:many|much)\b|\b(?:solve|calculate|compute|equation|percent)\b/is,
  ],
  ['writing', /\b(?:write|compose|draft|rewrite|rephrase|summari[sz]e|translate|improve|edit)\b/i],
  [
    'question',
    /\?\s*$|^(?:who|what|when|where|which|why|how|is|are|was|were|does|do|did|can|name|tell me)\b/i,
  ],
]

/** The kind of work a prompt asks for, told from its words; 'chat' where none is plain. */
export function taskOf(text: string): TaskKind {
  const trimmed = text.trim()
  return TASK_RULES.find(([, rule]) => rule.test(trimmed))?.[0] ?? 'chat'
}

/** Scripts that nearly name their language. Kana comes before Han, which Japanese uses too. */
const SCRIPTS: readonly (readonly [string, RegExp])[] = [
  ['ja', /[\p{Script=Hiragana}\p{Script=Katakana}]/gu],
  ['zh', /\p{Script=Han}/gu],
  ['ko', /\p{Script=Hangul}/gu],
  ['ru', /\p{Script=Cyrillic}/gu],
  ['ar', /\p{Script=Arabic}/gu],
  ['he', /\p{Script=Hebrew}/gu],
  ['el', /\p{Script=Greek}/gu],
  ['hi', /\p{Script=Devanagari}/gu],
  ['th', /\p{Script=Thai}/gu],
]

/** Words that are frequent in one language and rare in the others. */
const WORDS: Readonly<Record<string, string>> = {
  en: 'the and of to is what you that how which are in with for was who when where this it a an my i do does',
  de: 'der die das und ist nicht wie ein eine ich was zu den mit auf für von dem im sie wer wo warum sind',
  fr: 'le la les des et est que une pour dans qui pas sur avec je vous quel quelle du au ce comment pourquoi',
  es: 'el los las una por qué que con para cómo está del es en y cuál quién dónde mi son se',
  it: 'il gli che di è per una con non come sono della nel chi cosa dove quale perché mi',
  pt: 'o os uma não como para que do da em é com você qual quem onde são por mais',
  nl: 'het een van en niet is wat dat de hoe zijn voor met ik waar wie je op te',
}

/** ISO 639-1 code by script, then by frequent words; 'und' where neither tells. */
export function languageOf(text: string): string {
  const letters = text.match(/\p{L}/gu)?.length ?? 0
  if (letters === 0) return 'und'
  for (const [language, script] of SCRIPTS) {
    if ((text.match(script)?.length ?? 0) > letters * 0.2) return language
  }
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? []
  let best = 'und'
  let most = 0
  for (const [language, list] of Object.entries(WORDS)) {
    const known = new Set(list.split(' '))
    const count = words.filter((word) => known.has(word)).length
    if (count > most) {
      best = language
      most = count
    }
  }
  return best
}

/** Names of `promptFeatures`, in their order. */
export const PROMPT_FEATURES = [
  'logPromptTokens',
  'logCharacters',
  'digitShare',
  'capitalShare',
  'sentences',
  'isQuestion',
] as const

/** Plain measures of a prompt that need no model but for its length in tokens. */
export function promptFeatures({ tokens, text }: PromptSignal): number[] {
  const count = (pattern: RegExp): number => text.match(pattern)?.length ?? 0
  const length = Math.max(1, text.length)
  return [
    Math.log(Math.max(1, tokens)),
    Math.log(length),
    count(/\d/g) / length,
    count(/\p{Lu}/gu) / length,
    Math.log(1 + count(/[.!?]+(?:\s|$)/g)),
    /\?\s*$/.test(text) ? 1 : 0,
  ]
}
