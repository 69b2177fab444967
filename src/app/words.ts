import type { EngineInfo, LoadProgress, Usage } from '../contract/engine'
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

export interface Figure {
  label: string
  value: string
}

/** What an answer took and what ran it. */
export function describeFigures(usage: Usage | null, info: EngineInfo): Figure[] {
  const words = strings().figures
  const figures: Figure[] = []
  if (usage !== null) {
    const { decodeTokensPerSecond, timeToFirstTokenMs } = usage.minnow
    const cached = usage.prompt_tokens_details.cached_tokens
    figures.push(
      { label: words.speed, value: words.tokensPerSecond(decodeTokensPerSecond.toFixed(0)) },
      { label: words.firstToken, value: `${(timeToFirstTokenMs / 1000).toFixed(2)} s` },
      { label: words.prompt, value: words.kept(usage.prompt_tokens, cached) },
    )
  }
  figures.push(
    { label: words.threads, value: String(info.threads) },
    { label: words.backend, value: `${info.backend}, ${info.variant}` },
    { label: words.memory, value: `${megabytes(info.memoryBytes)} MB` },
  )
  return figures
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0)
}
