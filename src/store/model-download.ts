import { isEngineError } from '../contract/error'
import { checkChunkSize } from './chunk-source'
import { DownloadTally, type OnDownloadProgress } from './download-progress'
import { networkError } from './http'
import type { PieceFile } from './model-storage'
import type { PieceSource } from './piece-source'
import { checkPiece, type Piece } from './pieces'
import { pauseBefore, isPassing } from '../contract/retry-pause'
import type { StreamReader } from './stream-reader'

export interface ModelDownloadOptions {
  pieces: readonly Piece[]
  file: PieceFile
  /** In the order they are asked in. */
  sources: readonly PieceSource[]
  signal: AbortSignal
  onProgress?: OnDownloadProgress | undefined
}

interface Waiting {
  resolve(): void
  reject(error: unknown): void
}

/**
 * Gets all pieces of a file that are not held yet, in the file's order, each verified before it is written. A piece that
 * is damaged is asked for once more, then at the next source; where no source answers, all are asked again after pauses
 * that grow, until six in a row were in vain. Keeps one piece in memory.
 */
export class ModelDownload {
  /** Rejects with 'network', 'integrity', 'storage-full' or the signal's reason. */
  readonly done: Promise<void>
  readonly #options: ModelDownloadOptions
  readonly #tally: DownloadTally
  readonly #waiting = new Map<number, Waiting[]>()
  #buffer = new ArrayBuffer(0)
  #ahead: Begun | null = null
  /** Why it ended, where it did not end well. */
  #failure: { error: unknown } | null = null

  constructor(options: ModelDownloadOptions) {
    this.#options = options
    const { pieces, file } = options
    const sizes = pieces.map(({ sizeBytes }) => sizeBytes)
    this.#tally = new DownloadTally(sizes, options.onProgress)
    for (const { index, sizeBytes, chunk } of pieces) {
      if (file.held[index] === 1) this.#tally.report(index, sizeBytes, chunk.file)
    }
    this.done = this.#run()
    // Whoever waits for a piece sees it.
    this.done.catch(() => undefined)
  }

  /** Resolves when a piece is held, rejects when it can't be had. */
  async wait({ index }: Piece): Promise<void> {
    if (this.#options.file.held[index] === 1) return
    if (this.#failure !== null) throw this.#failure.error
    await new Promise<void>((resolve, reject) => {
      const waiting = this.#waiting.get(index) ?? []
      this.#waiting.set(index, [...waiting, { resolve, reject }])
    })
  }

  async #run(): Promise<void> {
    try {
      let failures = 0
      for (let run = this.#nextRun(); run !== null; run = this.#nextRun()) {
        try {
          await this.#fromAnySource(run)
          failures = 0
        } catch (error) {
          this.#options.signal.throwIfAborted()
          if (this.#options.file.held[run.first.index] === 1) failures = 0
          if (!isPassing(error)) throw error
          await pauseBefore(++failures, error, this.#options.signal)
        }
      }
    } catch (error) {
      this.#failure = { error }
      for (const { reject } of [...this.#waiting.values()].flat()) reject(error)
      this.#waiting.clear()
      throw error
    } finally {
      if (this.#ahead !== null) drop(this.#ahead)
      this.#ahead = null
      this.#buffer = new ArrayBuffer(0)
    }
  }

  /** The first pieces from `from` on that are missing, of one chunk and without gaps. */
  #nextRun(from = 0): Run | null {
    const { pieces, file } = this.#options
    const start = file.held.indexOf(0, from)
    if (start === -1) return null
    const first = pieces[start]!
    let last = first
    for (let index = start + 1; index < pieces.length; index++) {
      const next = pieces[index]!
      if (next.chunk !== first.chunk || file.held[index] === 1) break
      last = next
    }
    return { first, last }
  }

  async #fromAnySource(run: Run): Promise<void> {
    const { sources, signal } = this.#options
    let failure: unknown = null
    for (const source of sources) {
      try {
        return await this.#fromSource(source, run)
      } catch (error) {
        signal.throwIfAborted()
        if (!isEngineError(error, 'network') && !isEngineError(error, 'integrity')) throw error
        // What passes gives hope for another try.
        if (failure === null || !isPassing(failure)) failure = error
      }
    }
    throw failure
  }

  async #fromSource(source: PieceSource, run: Run): Promise<void> {
    try {
      await this.#read(source, run, false)
    } catch (error) {
      this.#options.signal.throwIfAborted()
      if (!isEngineError(error, 'integrity')) throw error
      await this.#read(source, run, true)
    }
  }

  /** Reads on from the first piece of the run that is still missing. */
  async #read(source: PieceSource, { first, last }: Run, fresh: boolean): Promise<void> {
    const { pieces, file, signal } = this.#options
    let next = first.index
    while (next <= last.index && file.held[next] === 1) next++
    if (next > last.index) return
    const begun = fresh ? null : this.#takeAhead(source, pieces[next]!)
    const { stall, opened } = begun ?? this.#begin(source, { first: pieces[next]!, last }, fresh)
    const half = next + Math.ceil((last.index + 1 - next) / 2)
    stall.restart()
    try {
      const reader = await opened
      for (; next <= last.index; next++) {
        const piece = pieces[next]!
        if (next === half) this.#lookAhead(source, last)
        await this.#readPiece(piece, reader, () => stall.restart())
        this.#wake(piece)
      }
    } catch (cause) {
      signal.throwIfAborted()
      if (isEngineError(cause) && !stall.signal.aborted) throw cause
      const problem = stall.signal.aborted ? 'nothing came for half a minute' : 'the connection broke'
      throw networkError(source.url, `${problem} in ${first.chunk.file}`, cause)
    } finally {
      drop({ stall, opened })
    }
  }

  #begin(source: PieceSource, { first, last }: Run, fresh: boolean): Begun {
    const stall = new StallWatch(this.#options.signal)
    const opened = source.open(first, last, { signal: stall.signal, fresh })
    // Of one that is never read nobody wants to know.
    opened.catch(() => undefined)
    return { source, first, stall, opened }
  }

  /** Asks for what comes after a chunk of which the second half still comes: a slow answer then costs no time. */
  #lookAhead(source: PieceSource, { index }: Piece): void {
    const run = this.#nextRun(index + 1)
    // A chunk from a mirror may be the only one that the first source lacks.
    if (run === null || this.#ahead !== null || source !== this.#options.sources[0]) return
    this.#ahead = this.#begin(source, run, false)
  }

  /** What was begun before, if it is this. */
  #takeAhead(source: PieceSource, first: Piece): Begun | null {
    const ahead = this.#ahead
    // The rest of a chunk comes before.
    if (ahead === null || first.index < ahead.first.index) return null
    this.#ahead = null
    if (ahead.source === source && ahead.first === first) return ahead
    drop(ahead)
    return null
  }

  async #readPiece(piece: Piece, reader: StreamReader, onBytes: () => void): Promise<void> {
    const { file, pieces } = this.#options
    const { index, sizeBytes, chunk } = piece
    if (this.#buffer.byteLength < sizeBytes) {
      this.#buffer = new ArrayBuffer(pieces.reduce((most, each) => Math.max(most, each.sizeBytes), 0))
    }
    let got = 0
    const bytes = await reader.read(this.#buffer, sizeBytes, (count) => {
      onBytes()
      this.#tally.report(index, (got += count), chunk.file)
    })
    this.#buffer = bytes.buffer
    if (bytes.length < sizeBytes) checkChunkSize(chunk, piece.from + bytes.length)
    await checkPiece(piece, bytes)
    await file.write(piece, bytes)
  }

  #wake({ index }: Piece): void {
    for (const { resolve } of this.#waiting.get(index) ?? []) resolve()
    this.#waiting.delete(index)
  }
}

interface Run {
  readonly first: Piece
  readonly last: Piece
}

/** A run that was asked for. */
interface Begun {
  readonly source: PieceSource
  readonly first: Piece
  readonly stall: StallWatch
  readonly opened: Promise<StreamReader>
}

function drop({ stall, opened }: Pick<Begun, 'stall' | 'opened'>): void {
  stall.end()
  opened.then((reader) => reader.cancel()).catch(() => undefined)
}

const STALL_MS = 30_000

/** Fires where nothing happens for half a minute after `restart`, or when the caller's signal does. */
class StallWatch {
  readonly #controller = new AbortController()
  readonly #outer: AbortSignal
  readonly #onAbort = (): void => this.#controller.abort(this.#outer.reason)
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(outer: AbortSignal) {
    this.#outer = outer
    outer.addEventListener('abort', this.#onAbort)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  restart(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#controller.abort(), STALL_MS)
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#outer.removeEventListener('abort', this.#onAbort)
    // What is still under way is not wanted any more.
    this.#controller.abort()
  }
}
