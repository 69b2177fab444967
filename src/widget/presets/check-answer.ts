import { checkSql } from './check-sql'
import { listOf, type PresetFormat, type PresetValues } from './preset'

/** What is wrong with an answer's form. */
export type FormatFault =
  | 'empty'
  | 'too-long' // longer than the text allows
  | 'unchanged' // the text again
  | 'new-numbers' // numbers that are not in the text
  | 'no-question'
  | 'not-a-label' // a line is missing, or names none of the labels
  | 'not-json'
  | 'missing-keys'
  | 'not-in-text' // a value does not stand in the text
  | 'not-sql'
  | 'unknown-name' // a table or column that the schema lacks

export interface CheckedAnswer {
  /** null: the answer is as it should be. */
  readonly fault: FormatFault | null
  /** The answer as it is to be shown: without what is around it, laid out anew. */
  readonly text: string
}

/** Holds an answer against its format. Says nothing of whether it is right. */
export function checkAnswer(format: PresetFormat, answer: string, values: PresetValues): CheckedAnswer {
  const text = answer.trim()
  if (text === '') return { fault: 'empty', text }
  switch (format.type) {
    case 'text':
      return { fault: textFault(format, text, (values[format.source] ?? '').trim()), text }
    case 'labels':
      return checkLabels(format, text, values)
    case 'json':
      return checkJson(text, listOf(values[format.keys] ?? ''), values[format.source] ?? '')
    case 'sql':
      return checkSql(text, values[format.schema] ?? '')
  }
}

function textFault(
  format: Extract<PresetFormat, { type: 'text' }>,
  text: string,
  source: string,
): FormatFault | null {
  if (format.mostShare !== undefined && text.length > Math.max(40, source.length * format.mostShare)) {
    return 'too-long'
  }
  if (format.differs === true && plain(text) === plain(source)) return 'unchanged'
  if (format.keepsNumbers === true) {
    const known = new Set(numbersOf(source))
    if (numbersOf(text).some((number) => !known.has(number))) return 'new-numbers'
  }
  if (format.asks === true && !text.includes('?')) return 'no-question'
  return null
}

function checkLabels(
  format: Extract<PresetFormat, { type: 'labels' }>,
  text: string,
  values: PresetValues,
): CheckedAnswer {
  const lines = format.lines.map(({ name, labels }) => {
    const allowed = typeof labels === 'string' ? listOf(values[labels] ?? '') : labels
    const said = new RegExp(`^\\W*${name}\\W*:\\s*(.+)$`, 'im').exec(text)?.[1]
    const label = allowed.find((one) => plain(one) === plain(said ?? ''))
    return label === undefined ? null : `${name}: ${label}`
  })
  return lines.includes(null) ? { fault: 'not-a-label', text } : { fault: null, text: lines.join('\n') }
}

function checkJson(text: string, keys: readonly string[], source: string): CheckedAnswer {
  const value = firstObject(text)
  if (value === null) return { fault: 'not-json', text }
  const chosen: Record<string, unknown> = {}
  for (const key of keys) if (key in value) chosen[key] = value[key]
  const shown = JSON.stringify(chosen, null, 2)
  if (keys.some((key) => !(key in value))) return { fault: 'missing-keys', text: shown }
  const known = plain(source)
  const isInText = Object.values(chosen).every(
    (one) =>
      one === null ||
      ((typeof one === 'string' || typeof one === 'number') && known.includes(plain(String(one)))),
  )
  return { fault: isInText ? null : 'not-in-text', text: shown }
}

/** What stands between the first brace and the last, if that is an object. */
function firstObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

/** Lower-case words without signs around them. */
function plain(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}

function numbersOf(text: string): string[] {
  return (text.match(/\d+(?:[.,:]\d+)*/g) ?? []).map((number) => number.replace(/[.,:]/g, ''))
}
