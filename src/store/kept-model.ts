import type { ByteSource } from '../contract/bytes'
import { isEngineError, type EngineError } from '../contract/error'
import { chunkSource } from './chunk-source'
import type { OnDownloadProgress } from './download-progress'
import { keptSource } from './kept-source'
import type { Manifest } from './manifest'
import { ModelDownload } from './model-download'
import type { PieceFile } from './model-storage'
import { urlChunks } from './model-url'
import { pieceSource } from './piece-source'
import type { Piece } from './pieces'

export interface KeptModelOptions {
  manifest: Manifest
  pieces: readonly Piece[]
  file: PieceFile
  /** Manifests, or whole files, in the order they are asked in. */
  urls: readonly URL[]
  signal: AbortSignal
  onProgress?: OnDownloadProgress | undefined
  /** Every piece is held now. */
  onComplete(): Promise<void>
  /** What was written so far is of no use: there is no room for all of it. */
  onFull(error: EngineError): void
  /** The file is closed and nothing runs any more. */
  onClosed(): Promise<void>
}

/** A model that lies on this device, or is about to. */
export class KeptModel {
  readonly manifest: Manifest
  readonly source: ByteSource
  readonly #options: KeptModelOptions
  readonly #stop = new AbortController()
  readonly #onAbort = (): void => this.#stop.abort(this.#options.signal.reason)
  #download: ModelDownload | null = null
  #direct: ByteSource | null = null
  /** Resolves when the download has ended, well or not, and that is written down. */
  #ended: Promise<void> = Promise.resolve()
  #isFull = false

  constructor(options: KeptModelOptions) {
    this.#options = options
    this.manifest = options.manifest
    options.signal.addEventListener('abort', this.#onAbort)
    const { pieces, file } = options
    this.source = keptSource({
      pieces,
      file,
      download: () => this.#download ?? this.download(),
      direct: () => (this.#direct ??= this.#openDirect()),
    })
  }

  /** Begins to get what is missing. */
  download(): ModelDownload {
    const { pieces, file, urls, onProgress } = this.#options
    const { signal } = this.#stop
    const download = new ModelDownload({ pieces, file, sources: urls.map(pieceSource), signal, onProgress })
    this.#download = download
    this.#ended = download.done
      .then(
        async () => {
          // What is damaged later is missing again.
          if (this.#download === download) this.#download = null
          await this.#options.onComplete()
        },
        (error: unknown) => {
          if (!isEngineError(error, 'storage-full') || this.#isFull) return
          this.#isFull = true
          this.#options.onFull(error)
        },
      )
      .catch(() => undefined)
    return download
  }

  /** Whether something is still to come. */
  get isIncomplete(): boolean {
    return this.#options.file.held.includes(0)
  }

  /** Gets all that is missing. Rejects as ModelDownload does. */
  async complete(): Promise<void> {
    if (this.isIncomplete) await (this.#download ?? this.download()).done
    await this.#ended
  }

  /** Stops what still runs, unless the engine is there: then the rest comes first. */
  async close({ isLoaded }: { isLoaded: boolean }): Promise<void> {
    if (!isLoaded) this.#stop.abort()
    await this.#ended
    this.#options.signal.removeEventListener('abort', this.#onAbort)
    this.#options.file.close()
    await this.#options.onClosed()
  }

  #openDirect(): ByteSource {
    const { manifest, urls } = this.#options
    return chunkSource(manifest, urlChunks(urls))
  }
}
