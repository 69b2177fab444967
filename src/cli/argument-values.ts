import { EngineError } from '../contract/error'

/** A whole number above 0. */
export function count(name: string, value: string | undefined): number | null {
  const number = whole(name, value)
  if (number === 0) throw invalid(`${name} must be above 0, but is 0.`)
  return number
}

/** A whole number of at least 0. */
export function whole(name: string, value: string | undefined): number | null {
  if (value === undefined) return null
  if (!/^\d{1,15}$/.test(value))
    throw invalid(`${name} must be a whole number, but is ${JSON.stringify(value)}.`)
  return Number(value)
}

export function decimal(name: string, value: string | undefined, least: number, most: number): number | null {
  if (value === undefined) return null
  const number = value.trim() === '' ? Number.NaN : Number(value)
  if (!(number >= least && number <= most)) {
    throw invalid(`${name} must be a number from ${least} to ${most}, but is ${JSON.stringify(value)}.`)
  }
  return number
}

/** Bytes, also as 8M or 512K (of 1024). */
export function sizeInBytes(name: string, value: string | undefined): number | null {
  if (value === undefined) return null
  const [, digits, unit = ''] = /^(\d{1,15})([KMG]?)$/i.exec(value) ?? []
  if (digits === undefined) {
    throw invalid(
      `${name} must be a number of bytes, such as 8388608 or 8M, but is ${JSON.stringify(value)}.`,
    )
  }
  return Number(digits) * 1024 ** ' KMG'.indexOf(unit.toUpperCase() || ' ')
}

/** What `parse` gives; Node's errors, which name the argument, as ours. */
export function parsed<Result>(parse: () => Result): Result {
  try {
    return parse()
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error))
  }
}

export function invalid(message: string): EngineError {
  return new EngineError('invalid-argument', message)
}
