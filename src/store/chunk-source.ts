import type { ByteSource } from '../contract/bytes'
import { EngineError, isEngineError } from '../contract/error'
import { DownloadTally, type OnDownloadProgress } from './download-progress'
import type { Manifest, ManifestChunk } from './manifest'
import { sha256 } from './sha256'
import { WindowedSource, type LoadWindow, type TakeBuffer } from './windowed-source'

export interface ReadChunkOptions {
  signal?: AbortSignal | undefined
  /** True on the second attempt: go past caches, which may hold the damaged bytes. */
  fresh: boolean
  /** Gives the buffer for the bytes, which may take until those of the chunk before are used. */
  take: TakeBuffer
  /** Call with the bytes of this chunk that are here so far. */
  onBytes: (loadedBytes: number) => void
}

/** Gets the whole of one chunk, unverified, from wherever chunks are: a LoadWindow (WindowedSource). */
export type ReadChunk = (chunk: ManifestChunk, options: ReadChunkOptions) => Promise<Uint8Array<ArrayBuffer>>

/**
 * A model's file put together from its chunks. Each is verified against the manifest whenever it is read;
 * one that fails or is damaged is asked for once more. One chunk at a time is in memory (WindowedSource).
 * Reads reject with 'integrity' where size or hash differ, 'network' where the chunk can't be had; both name it.
 */
export function chunkSource(
  manifest: Manifest,
  readChunk: ReadChunk,
  options: { onProgress?: OnDownloadProgress | undefined } = {},
): ByteSource {
  const sizes = manifest.chunks.map((chunk) => chunk.sizeBytes)
  const tally = new DownloadTally(sizes, options.onProgress)

  const load: LoadWindow = async (index, take, signal) => {
    const chunk = manifest.chunks[index]!
    const onBytes = (loadedBytes: number): void => tally.report(index, loadedBytes, chunk.file)
    const attempt = async (fresh: boolean): Promise<Uint8Array<ArrayBuffer>> => {
      const bytes = await readNamed(readChunk, chunk, { signal, fresh, take, onBytes })
      signal?.throwIfAborted()
      await verify(chunk, bytes)
      onBytes(chunk.sizeBytes)
      return bytes
    }
    try {
      return await attempt(false)
    } catch (error) {
      signal?.throwIfAborted()
      if (isEngineError(error, 'aborted')) throw error
      return attempt(true)
    }
  }
  return new WindowedSource(sizes, load)
}

async function readNamed(
  readChunk: ReadChunk,
  chunk: ManifestChunk,
  options: ReadChunkOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await readChunk(chunk, options)
  } catch (cause) {
    options.signal?.throwIfAborted()
    if (isEngineError(cause)) throw cause
    throw new EngineError(
      'network',
      `Chunk ${chunk.file} could not be read: ${messageOf(cause)}. Try again.`,
      {
        details: { file: chunk.file },
        cause,
      },
    )
  }
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

async function verify(chunk: ManifestChunk, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const { file } = chunk
  checkChunkSize(chunk, bytes.length)
  const got = await sha256(bytes)
  if (got !== chunk.sha256) {
    throw new EngineError(
      'integrity',
      `Chunk ${file} has the SHA-256 ${got}; the manifest says ${chunk.sha256}. Get the model again.`,
      { details: { file, expected: chunk.sha256, got } },
    )
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
