import type { EngineInfo, LoadProgress, Usage } from '../contract/engine'
import { isEngineError, type EngineErrorCode } from '../contract/error'

/** What happened and what to do, for people; the technical message is shown beside it. */
const ERROR_WORDS: Readonly<Record<EngineErrorCode, string>> = {
  aborted: 'This was stopped.',
  disposed: 'The model was closed.',
  'invalid-argument': 'The model was asked for something it cannot do.',
  unsupported: 'This browser or device cannot run this model.',
  'invalid-model': 'The model file is damaged or not a model.',
  integrity: 'The model arrived damaged. Trying again downloads the damaged part once more.',
  network: 'The connection failed. Check it and try again.',
  timeout: 'The remote model took too long.',
  unauthorized: 'The remote model refused the key. Check it in the settings.',
  'rate-limited': 'The remote model wants fewer questions. Try again in a while.',
  'quota-exceeded': 'The account at the remote model has nothing left to spend.',
  'content-policy': 'The remote model refuses to answer this.',
  unavailable: 'The remote model is out of order. Try again in a while.',
  'invalid-response': 'The remote model answered something that is no answer.',
  offline: 'There is no network. The question can be asked again when it is back.',
  forbidden: 'Nothing was sent: the settings, the budget or privacy do not allow it.',
  'out-of-memory': 'There is not enough memory for the model. Closing other tabs may help.',
  'context-overflow':
    'This conversation is longer than the model can read. Start a new one, or ask with fewer words.',
  'worker-lost': 'The model stopped unexpectedly. Trying again starts it anew.',
  'device-lost': 'The graphics card stopped. Trying again starts it anew.',
  internal: 'Something went wrong inside Minnow.',
}

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
