import { isEngineError } from '../contract/error'
import { strings } from './strings'

export interface ErrorWords {
  /** What happened and what to do, in the visitor's language. */
  readonly title: string
  /** The technical message, always in English. */
  readonly detail: string
}

export function describeError(error: unknown, { errors } = strings()): ErrorWords {
  return {
    title: errors[isEngineError(error) ? error.code : 'internal'],
    detail: error instanceof Error ? error.message : String(error),
  }
}

/** What was wrong with what a user wrote. */
export function problemOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return isEngineError(error) ? message.replace(/^create\w+\(\): /, '') : message
}
