import { checkAnswer } from '../../src/widget/presets/check-answer'
import type { Preset, PresetValues } from '../../src/widget/presets/preset'
import type { PresetCase } from './cases'
import { EXTRACT_CASES } from './extracts'
import { EXPLAIN_CASES, TUTOR_CASES } from './lessons'
import { REPLY_CASES } from './letters'
import { SQL_CASES } from './queries'
import { REWRITE_CASES, SUMMARY_CASES, TRANSLATION_CASES } from './texts'
import { TRIAGE_CASES } from './tickets'

export interface PresetTest {
  readonly cases: readonly PresetCase[]
  /** What a score means, in words. */
  readonly meaning: string
  /** 0…1; `answer` is checked and laid out already. */
  score(answer: string, wanted: readonly string[], values: PresetValues): number
}

/** How each preset is judged, by its id. */
export const PRESET_TESTS: Readonly<Record<string, PresetTest>> = {
  summarise: { cases: SUMMARY_CASES, meaning: 'share of the main points named', score: named },
  rewrite: {
    cases: REWRITE_CASES,
    meaning: 'everything kept, and the style is the wanted one (shorter; says please; other words)',
    score: (answer, wanted, values) => (named(answer, wanted) === 1 && hasStyle(answer, values) ? 1 : 0),
  },
  reply: { cases: REPLY_CASES, meaning: 'share of the notes said', score: named },
  triage: {
    cases: TRIAGE_CASES,
    meaning: 'share of labels right (category, urgency)',
    score: (answer, wanted) => share(wanted, (line) => answer.split('\n').some((one) => one.trim() === line)),
  },
  extract: { cases: EXTRACT_CASES, meaning: 'share of values right, word for word', score: valuesRight },
  explain: { cases: EXPLAIN_CASES, meaning: 'share of the main points named', score: named },
  sql: {
    cases: SQL_CASES,
    meaning: 'the query wanted, but for layout and table names before columns',
    score: (answer, wanted) => (wanted.some((query) => plainSql(query) === plainSql(answer)) ? 1 : 0),
  },
  tutor: { cases: TUTOR_CASES, meaning: 'share of the main points named', score: named },
  translate: {
    cases: TRANSLATION_CASES,
    meaning: 'chrF',
    score: (answer, [wanted]) => chrF(answer, wanted!),
  },
}

/** What an answer of a preset is worth: nothing where its form is wrong. */
export function scoreAnswer(preset: Preset, answer: string, { values, wanted }: PresetCase): number {
  const { fault, text } = checkAnswer(preset.format, answer, values)
  return fault === null ? PRESET_TESTS[preset.id]!.score(text, wanted, values) : 0
}

function named(answer: string, wanted: readonly string[]): number {
  const text = answer.toLowerCase()
  return share(wanted, (point) =>
    point
      .toLowerCase()
      .split('|')
      .some((word) => text.includes(word)),
  )
}

function hasStyle(answer: string, { style, text }: PresetValues): boolean {
  if (style === 'shorter') return answer.length < 0.85 * text!.length
  if (style === 'more polite') return /please|could|would|may |thank|appreciate|kind|remind/i.test(answer)
  return !/hi |hey|guys|wanna|sorry,|pricey|mess|kindly|premises|beverage|remuneration|retain|insufficient/i.test(
    answer,
  )
}

function valuesRight(answer: string, wanted: readonly string[]): number {
  const values = JSON.parse(answer) as Record<string, unknown>
  return share(wanted, (pair) => {
    const [key, value] = pair.split('=') as [string, string]
    return plainValue(String(values[key])) === plainValue(value)
  })
}

function plainValue(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .replace(/\b(?:the|a|an) /g, '')
    .trim()
}

function plainSql(query: string): string {
  return query
    .toLowerCase()
    .replaceAll('"', "'")
    .replace(/\b\w+\.(?=\w)/g, '')
    .replace(/[\s;]+/g, ' ')
    .replace(/ ?([(),=<>]) ?/g, '$1')
    .trim()
}

function share<T>(all: readonly T[], holds: (one: T) => boolean): number {
  return all.filter(holds).length / all.length
}

/** Popović 2015 (https://aclanthology.org/W15-3049): F₂ of runs of 1…6 letters, blanks left out. */
export function chrF(answer: string, wanted: string): number {
  const scores: number[] = []
  for (let length = 1; length <= 6; length++) {
    const given = runsOf(answer, length)
    const goal = runsOf(wanted, length)
    if (goal.length === 0) continue
    const left = new Map<string, number>()
    for (const run of goal) left.set(run, (left.get(run) ?? 0) + 1)
    let shared = 0
    for (const run of given) {
      const count = left.get(run) ?? 0
      if (count > 0) {
        shared++
        left.set(run, count - 1)
      }
    }
    const precision = given.length === 0 ? 0 : shared / given.length
    const recall = shared / goal.length
    scores.push(shared === 0 ? 0 : (5 * precision * recall) / (4 * precision + recall))
  }
  return scores.reduce((sum, score) => sum + score, 0) / scores.length
}

function runsOf(text: string, length: number): string[] {
  const letters = Array.from(text.replace(/\s+/g, ''))
  return letters
    .slice(0, Math.max(0, letters.length - length + 1))
    .map((_, i) => letters.slice(i, i + length).join(''))
}
