import { isEngineError, type EngineErrorCode } from '../contract/error'
import { strings } from './strings'

export interface ErrorWords {
  /** What happened and what to do, in the visitor's language. */
  readonly title: string
  /** The technical message, always in English. */
  readonly detail: string
}

export function describeError(error: unknown, { errors } = strings()): ErrorWords {
  return { title: errors[codeOf(error)], detail: error instanceof Error ? error.message : String(error) }
}

/** What Chromium, Firefox and Safari say where a script that is loaded later does not come. */
const NO_SCRIPT = /dynamically imported module|Importing a module script failed/

function codeOf(error: unknown): EngineErrorCode {
  if (isEngineError(error)) return error.code
  return error instanceof TypeError && NO_SCRIPT.test(error.message) ? 'network' : 'internal'
}

/** What was wrong with what a user wrote. */
export function problemOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return isEngineError(error) ? message.replace(/^create\w+\(\): /, '') : message
}
