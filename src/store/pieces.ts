import { EngineError } from '../contract/error'
import type { Manifest, ManifestChunk } from './manifest'
import { sha256 } from './sha256'

/** What is verified at once: a chunk cut by the hashes that the manifest has of it. */
export interface Piece {
  /** In the file, from 0. */
  readonly index: number
  readonly chunk: ManifestChunk
  readonly chunkIndex: number
  /** Where it starts in the chunk, in bytes. */
  readonly from: number
  /** Where it starts in the file, in bytes. */
  readonly offset: number
  readonly sizeBytes: number
  /** Lower-case hex. */
  readonly sha256: string
}

/** All pieces of a model's file, in order. A chunk without hashes of pieces is one piece. */
export function piecesOf(manifest: Manifest): Piece[] {
  const pieces: Piece[] = []
  let chunkStart = 0
  for (const [chunkIndex, chunk] of manifest.chunks.entries()) {
    const { sizeBytes, sha256: hashes } = chunk.pieces ?? { ...chunk, sha256: [chunk.sha256] }
    for (const [at, hash] of hashes.entries()) {
      const from = at * sizeBytes
      pieces.push({
        index: pieces.length,
        chunk,
        chunkIndex,
        from,
        offset: chunkStart + from,
        sizeBytes: Math.min(sizeBytes, chunk.sizeBytes - from),
        sha256: hash,
      })
    }
    chunkStart += chunk.sizeBytes
  }
  return pieces
}

/** Whether these are the bytes that the manifest means. */
export async function isPiece(piece: Piece, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  return bytes.length === piece.sizeBytes && (await sha256(bytes)) === piece.sha256
}

/** @throws EngineError 'integrity' naming the chunk, where these are other bytes than the manifest means. */
export async function checkPiece(piece: Piece, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const got = await sha256(bytes)
  if (got === piece.sha256) return
  const { from } = piece
  const { file, sizeBytes } = piece.chunk
  const where = bytes.length === sizeBytes ? '' : `, bytes ${from} to ${from + bytes.length - 1},`
  throw new EngineError(
    'integrity',
    `Chunk ${file}${where} has the SHA-256 ${got}; the manifest says ${piece.sha256}. Get the model again.`,
    { details: { file, expected: piece.sha256, got } },
  )
}
