import type { LoadProgress } from '../contract/engine'
import { isEngineError } from '../contract/error'
import { ERROR_WORDS } from '../widget/error-words'
import { strings } from '../widget/strings'

export interface ErrorWords {
  title: string
  detail: string
}

export function describeError(error: unknown): ErrorWords {
  const detail = error instanceof Error ? error.message : String(error)
  return { title: isEngineError(error) ? ERROR_WORDS[error.code] : ERROR_WORDS.internal, detail }
}

export function describeProgress(progress: LoadProgress | null): string {
  const words = strings().loading
  if (progress === null) return words.starting
  const { phase, loadedBytes, totalBytes } = progress
  if (phase === 'ready') return words.ready
  const what = words[phase]
  return totalBytes === 0 ? what : words.ofMegabytes(what, megabytes(loadedBytes), megabytes(totalBytes))
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0)
}
