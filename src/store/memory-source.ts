import type { ByteSource } from '../contract/bytes'
import { checkRange } from './read-range'

/** A file that is in memory already. Reads are views, nothing is copied. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    sizeBytes: bytes.length,
    async read(offset, length, { signal } = {}) {
      signal?.throwIfAborted()
      checkRange(offset, length, bytes.length)
      return bytes.subarray(offset, offset + length)
    },
  }
}
