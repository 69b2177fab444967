import type { EngineInfo, LoadProgress, Usage } from '../contract/engine'
import { isEngineError } from '../contract/error'
import { ERROR_WORDS } from '../widget/error-words'

export interface ErrorWords {
  title: string
  detail: string
}

export function describeError(error: unknown): ErrorWords {
  const detail = error instanceof Error ? error.message : String(error)
  return { title: isEngineError(error) ? ERROR_WORDS[error.code] : ERROR_WORDS.internal, detail }
}

export function describeProgress(progress: LoadProgress | null): string {
  if (progress === null) return 'Starting'
  const { phase, loadedBytes, totalBytes } = progress
  if (phase === 'ready') return 'Ready'
  const verb = phase === 'download' ? 'Downloading the model' : 'Preparing the model'
  return totalBytes === 0 ? verb : `${verb}: ${megabytes(loadedBytes)} of ${megabytes(totalBytes)} MB`
}

export interface Figure {
  label: string
  value: string
}

/** What an answer took and what ran it. */
export function describeFigures(usage: Usage | null, info: EngineInfo): Figure[] {
  const figures: Figure[] = []
  if (usage !== null) {
    const { decodeTokensPerSecond, timeToFirstTokenMs } = usage.minnow
    const cached = usage.prompt_tokens_details.cached_tokens
    figures.push(
      { label: 'Speed', value: `${decodeTokensPerSecond.toFixed(0)} tokens/s` },
      { label: 'First token', value: `${(timeToFirstTokenMs / 1000).toFixed(2)} s` },
      {
        label: 'Prompt',
        value: cached > 0 ? `${usage.prompt_tokens}, ${cached} kept` : String(usage.prompt_tokens),
      },
    )
  }
  figures.push(
    { label: 'Threads', value: String(info.threads) },
    { label: 'Backend', value: `${info.backend}, ${info.variant}` },
    { label: 'Memory', value: `${megabytes(info.memoryBytes)} MB` },
  )
  return figures
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0)
}
