import { EngineError, isEngineError, type EngineErrorData } from '../contract/error'

/** Any thrown value as data for the other side. What is no `EngineError` is a bug, except a fired signal. */
export function errorToData(error: unknown): EngineErrorData {
  if (isEngineError(error)) return error.toData()
  const message = error instanceof Error ? error.message : String(error)
  const isAbort = error instanceof Error && error.name === 'AbortError'
  const data = new EngineError(isAbort ? 'aborted' : 'internal', message).toData()
  if (error instanceof Error && error.stack !== undefined) data.stack = error.stack
  return data
}
