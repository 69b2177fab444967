import { EngineError } from '../../contract/error'

/** Readers of single values, with errors that name the parameter and what was got. */

/** null where the parameter is absent. */
export function number(
  given: Record<string, unknown>,
  name: string,
  range: { least: number; most: number; integer?: boolean },
): number | null {
  const value = given[name]
  if (isAbsent(value)) return null
  const fits =
    typeof value === 'number' &&
    value >= range.least &&
    value <= range.most &&
    (range.integer !== true || Number.isInteger(value))
  if (!fits) {
    const kind = range.integer === true ? 'a whole number' : 'a number'
    const bounds =
      range.most === Number.MAX_SAFE_INTEGER
        ? range.least === Number.MIN_SAFE_INTEGER
          ? ' within ±(2^53 − 1)'
          : ` of at least ${range.least}`
        : ` from ${range.least} to ${range.most}`
    throw invalid(name, kind + bounds, value)
  }
  return value
}

export function flag(given: Record<string, unknown>, name: string, fallback: boolean, prefix = ''): boolean {
  const value = given[name]
  if (isAbsent(value)) return fallback
  if (typeof value !== 'boolean') throw invalid(prefix + name, 'true or false', value)
  return value
}

export function record(
  given: Record<string, unknown>,
  name: string,
  fields: readonly string[],
): Record<string, unknown> {
  const value = given[name]
  if (isAbsent(value)) return {}
  if (!isRecord(value)) throw invalid(name, 'an object', value)
  for (const field of Object.keys(value)) {
    if (!fields.includes(field) && !isAbsent(value[field])) {
      throw invalid(`${name}.${field}`, `nothing by that name (known: ${fields.join(', ')})`, value[field])
    }
  }
  return value
}

export function optional(
  value: unknown,
  name: string,
  expected: string,
  check: (value: unknown) => boolean,
): void {
  if (!isAbsent(value) && !check(value)) throw invalid(name, expected, value)
}

export function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function invalid(name: string, expected: string, got: unknown): EngineError {
  return new EngineError('invalid-argument', `'${name}' must be ${expected}; got ${describe(got)}.`, {
    details: { parameter: name, got: describe(got) },
  })
}

/** A value as a short piece of text for a message. */
export function describe(value: unknown): string {
  let text: string
  if (typeof value === 'string') text = JSON.stringify(value)
  else if (Array.isArray(value)) text = `a list of ${value.length}`
  else if (typeof value === 'function') text = 'a function'
  else if (typeof value === 'object' && value !== null) text = 'an object'
  else text = String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
