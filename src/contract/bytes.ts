/** Random access to a file of known size: a Blob, a URL, chunks, memory. */
export interface ByteSource {
  readonly sizeBytes: number
  /**
   * Exactly `length` bytes from `offset`. The array is only valid until the next read and must not be written to.
   * Rejects with 'invalid-model' where the range lies outside the file.
   */
  read(offset: number, length: number, options?: { signal?: AbortSignal | undefined }): Promise<Uint8Array>
}
