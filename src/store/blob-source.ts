import type { ByteSource } from '../contract/bytes'
import { EngineError } from '../contract/error'
import { checkRange } from './read-range'

/** A Blob or a File (dropped, picked, or of OPFS); each read fetches its range only. */
export function blobSource(blob: Blob): ByteSource {
  return {
    sizeBytes: blob.size,
    async read(offset, length, { signal } = {}) {
      signal?.throwIfAborted()
      checkRange(offset, length, blob.size)
      let buffer: ArrayBuffer
      try {
        buffer = await blob.slice(offset, offset + length).arrayBuffer()
      } catch (cause) {
        throw new EngineError(
          'invalid-model',
          'The file can no longer be read. Was it moved or changed? Pick it again.',
          {
            cause,
          },
        )
      }
      signal?.throwIfAborted()
      if (buffer.byteLength !== length) checkRange(offset, length, offset + buffer.byteLength)
      return new Uint8Array(buffer)
    },
  }
}
