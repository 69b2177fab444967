import type { LoadProgress } from '../contract/engine'
import { strings } from '../widget/strings'

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
