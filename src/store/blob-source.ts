import type { ByteSource } from '../contract/bytes'
import { EngineError } from '../contract/error'
import { checkRange } from './read-range'
import { readStream } from './stream-reader'

/** A Blob or a File (dropped, picked, or of OPFS); each read fetches its range only, into the buffer of the last. */
export function blobSource(blob: Blob): ByteSource {
  let spare: ArrayBuffer | null = null
  return {
    sizeBytes: blob.size,
    async read(offset, length, { signal } = {}) {
      signal?.throwIfAborted()
      checkRange(offset, length, blob.size)
      const into = spare !== null && spare.byteLength >= length ? spare : new ArrayBuffer(length)
      spare = null
      let bytes: Uint8Array<ArrayBuffer> | null
      try {
        bytes = await readStream(blob.slice(offset, offset + length).stream(), into, length)
      } catch (cause) {
        throw new EngineError(
          'invalid-model',
          'The file can no longer be read. Was it moved or changed? Pick it again.',
          { cause },
        )
      }
      signal?.throwIfAborted()
      if (bytes?.length !== length) {
        const got = bytes?.length ?? length
        throw new EngineError(
          'invalid-model',
          `The file gave ${got} bytes from byte ${offset}, not ${length}. Was it changed? Pick it again.`,
          { details: { offset, length, got } },
        )
      }
      spare = bytes.buffer
      return bytes
    },
  }
}
