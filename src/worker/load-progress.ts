import type { LoadProgress } from '../contract/engine'
import type { EngineError } from '../contract/error'
import type { DownloadProgress } from '../store/download-progress'

export interface Progress {
  downloaded(progress: DownloadProgress): void
  loaded(loadedBytes: number, totalBytes: number): void
  /** Said with all that follows. */
  notKept(error: EngineError): void
  ready(): void
}

/** How much of the bar the download takes, where there is one: most of the time goes there. */
const DOWNLOAD_SHARE = 0.95

/**
 * One line of progress from two counters: bytes fetched and bytes loaded by the backend, which reads while they
 * arrive. Where nothing is fetched, loading has the whole bar. `fraction` never decreases and ends at 1.
 */
export function createProgress(report: (progress: LoadProgress) => void): Progress {
  let fraction = 0
  let downloads = false
  let downloadFraction = 0
  let loadFraction = 0
  let last: LoadProgress = { phase: 'load', file: null, loadedBytes: 0, totalBytes: 0, fraction: 0 }

  let notKept: Pick<LoadProgress, 'notKept'> = {}

  const send = (progress: Omit<LoadProgress, 'fraction' | 'notKept'>): void => {
    const now = downloads
      ? DOWNLOAD_SHARE * downloadFraction + (1 - DOWNLOAD_SHARE) * loadFraction
      : loadFraction
    fraction = Math.max(fraction, now)
    last = { ...progress, fraction, ...notKept }
    report(last)
  }

  return {
    downloaded({ file, loadedBytes, totalBytes }) {
      downloads = true
      downloadFraction = totalBytes === 0 ? 0 : Math.min(1, loadedBytes / totalBytes)
      send({ phase: 'download', file, loadedBytes, totalBytes })
    },
    loaded(loadedBytes, totalBytes) {
      loadFraction = totalBytes === 0 ? 0 : Math.min(1, loadedBytes / totalBytes)
      // While the download runs it is what one waits for.
      if (!downloads || downloadFraction === 1) send({ phase: 'load', file: null, loadedBytes, totalBytes })
    },
    notKept(error) {
      notKept = { notKept: error.toData() }
    },
    ready() {
      downloadFraction = 1
      loadFraction = 1
      const { loadedBytes, totalBytes } = last
      send({ phase: 'ready', file: null, loadedBytes: Math.max(loadedBytes, totalBytes), totalBytes })
    },
  }
}
