export interface DownloadProgress {
  /** The file, or chunk, worked on. */
  file: string
  /** Of the whole model, each byte counted once; never decreases. */
  loadedBytes: number
  totalBytes: number
}

export type OnDownloadProgress = (progress: DownloadProgress) => void

/** Adds up what has come of a file's parts, whatever their order and however often they are read again. */
export class DownloadTally {
  readonly #partSizes: readonly number[]
  readonly #totalBytes: number
  readonly #onProgress: OnDownloadProgress | undefined
  /** (parts) Most bytes seen of each. */
  readonly #loadedBytes: Float64Array
  #loadedTotal = 0

  constructor(partSizes: readonly number[], onProgress: OnDownloadProgress | undefined) {
    this.#partSizes = partSizes
    this.#totalBytes = partSizes.reduce((sum, size) => sum + size, 0)
    this.#onProgress = onProgress
    this.#loadedBytes = new Float64Array(partSizes.length)
  }

  /** So many bytes of a part are here now. */
  report(part: number, loadedBytes: number, file: string): void {
    const news = Math.min(loadedBytes, this.#partSizes[part]!) - this.#loadedBytes[part]!
    if (news <= 0) return
    this.#loadedBytes[part]! += news
    this.#loadedTotal += news
    this.#onProgress?.({ file, loadedBytes: this.#loadedTotal, totalBytes: this.#totalBytes })
  }
}
