import type { ByteSource } from '../contract/bytes'
import { isEngineError } from '../contract/error'
import type { ModelDownload } from './model-download'
import type { PieceFile } from './model-storage'
import { isPiece, type Piece } from './pieces'
import { WindowedSource, type LoadWindow, type TakeBuffer } from './windowed-source'

export interface KeptSourceOptions {
  pieces: readonly Piece[]
  file: PieceFile
  /** The download that runs, or else begins one, for pieces that are missing or were damaged on this device. */
  download(): ModelDownload
  /** The same file from the network, for when nothing more can be kept. */
  direct(): ByteSource
}

/**
 * A model's file as it lies on the device, read while it still arrives. What lay there before is verified again as it
 * is read, and what is damaged is fetched anew. One piece is in memory.
 */
export function keptSource({ pieces, file, download, direct }: KeptSourceOptions): ByteSource {
  /** (pieces) 1 where the bytes on the device were seen to be right. */
  const seen = new Uint8Array(pieces.length)

  const read = async (piece: Piece, take: TakeBuffer): Promise<Uint8Array<ArrayBuffer> | null> => {
    const isSeen = seen[piece.index] === 1
    const bytes = await file.read(piece, await take()).catch(() => null)
    if (bytes === null || !(isSeen ? bytes.length === piece.sizeBytes : await isPiece(piece, bytes))) {
      seen[piece.index] = 0
      return null
    }
    seen[piece.index] = 1
    return bytes
  }

  const load: LoadWindow = async (index, take, signal) => {
    const piece = pieces[index]!
    if (file.held[index] === 1) {
      const bytes = await read(piece, take)
      if (bytes !== null) return bytes
      signal?.throwIfAborted()
      await file.forget(piece)
    }
    try {
      await download().wait(piece)
      signal?.throwIfAborted()
      // Verified as it came.
      seen[index] = 1
      const bytes = await read(piece, take)
      if (bytes !== null) return bytes
    } catch (error) {
      if (!isStorageFault(error)) throw error
    }
    // The storage takes no more, or does not give back what it took.
    const bytes = await direct().read(piece.offset, piece.sizeBytes, { signal })
    const copy = new Uint8Array(await take(), 0, piece.sizeBytes)
    copy.set(bytes)
    return copy
  }

  return new WindowedSource(
    pieces.map(({ sizeBytes }) => sizeBytes),
    load,
  )
}

/** Whatever is not about the network: errors of storages are the browser's own. */
function isStorageFault(error: unknown): boolean {
  return (
    isEngineError(error, 'storage-full') ||
    isEngineError(error, 'storage-busy') ||
    (error instanceof DOMException && error.name !== 'AbortError')
  )
}
