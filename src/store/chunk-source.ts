import type { ByteSource } from '../contract/bytes'
import { EngineError, isEngineError } from '../contract/error'
import { DownloadTally, type OnDownloadProgress } from './download-progress'
import type { Manifest, ManifestChunk } from './manifest'
import { checkPiece, piecesOf, type Piece } from './pieces'
import { StreamReader } from './stream-reader'
import { WindowedSource, type LoadWindow, type TakeBuffer } from './windowed-source'

export interface OpenChunkOptions {
  signal?: AbortSignal | undefined
  /** True on the second attempt: go past caches, which may hold the damaged bytes. */
  fresh: boolean
}

/** Begins to get one chunk, unverified, from wherever chunks are. A stream of type 'bytes' saves a copy. */
export type OpenChunk = (
  chunk: ManifestChunk,
  options: OpenChunkOptions,
) => Promise<ReadableStream<Uint8Array>>

/**
 * A model's file put together from its chunks. Each is read as one stream and verified piece by piece: only one
 * piece is in memory (WindowedSource), and no byte is given out before its piece's hash was right. A chunk that fails or is
 * damaged is asked for once more. Going back within a chunk gets it again, from its start.
 * Reads reject with 'integrity' where size or hash differ, 'network' where the chunk can't be had; both name it.
 */
export function chunkSource(
  manifest: Manifest,
  openChunk: OpenChunk,
  options: { onProgress?: OnDownloadProgress | undefined } = {},
): ByteSource {
  const chunkSizes = manifest.chunks.map(({ sizeBytes }) => sizeBytes)
  const tally = new DownloadTally(chunkSizes, options.onProgress)
  const pieces = piecesOf(manifest)
  /** A chunk read in part, for whoever wants what follows. */
  let waiting: ChunkInProgress | null = null

  const wait = (chunk: ChunkInProgress | null): void => {
    waiting?.cancel()
    waiting = chunk
  }

  const read = async (
    piece: Piece,
    fresh: boolean,
    take: TakeBuffer,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array<ArrayBuffer>> => {
    const { chunk } = piece
    let opened: ChunkInProgress
    if (!fresh && waiting?.leadsTo(piece, signal) === true) {
      opened = waiting
      waiting = null
    } else {
      wait(null)
      opened = new ChunkInProgress(chunk, signal, await openChunk(chunk, { signal, fresh }))
    }
    try {
      const bytes = await opened.read(piece, await take(), (loadedBytes) =>
        tally.report(piece.chunkIndex, loadedBytes, chunk.file),
      )
      signal?.throwIfAborted()
      await checkPiece(piece, bytes)
      if (opened.at === chunk.sizeBytes) await opened.end()
      else wait(opened)
      return bytes
    } catch (error) {
      opened.cancel()
      throw error
    }
  }

  const load: LoadWindow = async (index, take, signal) => {
    const piece = pieces[index]!
    const attempt = async (fresh: boolean): Promise<Uint8Array<ArrayBuffer>> => {
      try {
        return await read(piece, fresh, take, signal)
      } catch (error) {
        signal?.throwIfAborted()
        throw isEngineError(error) ? error : unreadable(piece.chunk, error)
      }
    }
    try {
      return await attempt(false)
    } catch (error) {
      signal?.throwIfAborted()
      if (isEngineError(error, 'aborted')) throw error
      return attempt(true)
    }
  }
  return new WindowedSource(
    pieces.map(({ sizeBytes }) => sizeBytes),
    load,
  )
}

/** The stream of a chunk, and how far it was read. */
class ChunkInProgress {
  at = 0
  readonly #chunk: ManifestChunk
  readonly #signal: AbortSignal | undefined
  readonly #reader: StreamReader

  constructor(chunk: ManifestChunk, signal: AbortSignal | undefined, stream: ReadableStream<Uint8Array>) {
    this.#chunk = chunk
    this.#signal = signal
    this.#reader = new StreamReader(stream)
  }

  /** Whether the piece still comes, for someone whom the same signal stops. */
  leadsTo(piece: Piece, signal: AbortSignal | undefined): boolean {
    return this.#chunk === piece.chunk && this.#signal === signal && this.at <= piece.from
  }

  /** @throws EngineError 'integrity' where the chunk ends before the piece does */
  async read(
    piece: Piece,
    into: ArrayBuffer,
    onBytes: (loadedBytes: number) => void,
  ): Promise<Uint8Array<ArrayBuffer>> {
    let buffer = into
    while (this.at < piece.from) {
      const count = Math.min(buffer.byteLength, piece.from - this.at)
      buffer = (await this.#next(buffer, count, () => undefined)).buffer
    }
    return this.#next(buffer, piece.sizeBytes, onBytes)
  }

  /** @throws EngineError 'integrity' where more follows */
  async end(): Promise<void> {
    if (await this.#reader.isAtEnd()) return
    const { file, sizeBytes } = this.#chunk
    throw new EngineError(
      'integrity',
      `Chunk ${file} has more than the ${sizeBytes} bytes that the manifest says. Get the model again.`,
      { details: { file, expected: sizeBytes } },
    )
  }

  cancel(): void {
    // Of a stream that broke already this says so once more.
    this.#reader.cancel().catch(() => undefined)
  }

  async #next(
    into: ArrayBuffer,
    sizeBytes: number,
    onBytes: (loadedBytes: number) => void,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const wanted = this.at + sizeBytes
    const bytes = await this.#reader.read(into, sizeBytes, (count) => onBytes((this.at += count)))
    if (this.at < wanted) checkChunkSize(this.#chunk, this.at)
    return bytes
  }
}

function unreadable({ file }: ManifestChunk, cause: unknown): EngineError {
  return new EngineError('network', `Chunk ${file} could not be read: ${messageOf(cause)}. Try again.`, {
    details: { file },
    cause,
  })
}

/** @throws EngineError 'integrity' where a chunk has not the size that the manifest says. */
export function checkChunkSize({ file, sizeBytes }: ManifestChunk, got: number): void {
  if (got === sizeBytes) return
  throw new EngineError(
    'integrity',
    `Chunk ${file} has ${got} bytes; the manifest says ${sizeBytes}. Get the model again.`,
    { details: { file, expected: sizeBytes, got } },
  )
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
