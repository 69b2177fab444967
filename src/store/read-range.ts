import { EngineError } from '../contract/error'

/** @throws EngineError 'invalid-model' where [offset, offset + length) does not lie in a file of `sizeBytes`. */
export function checkRange(offset: number, length: number, sizeBytes: number): void {
  if (Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0) {
    if (offset + length <= sizeBytes) return
  }
  throw new EngineError(
    'invalid-model',
    `${length} bytes from byte ${offset} were asked for, but the file has ${sizeBytes} bytes. It is truncated; get it again.`,
    { details: { offset, length, sizeBytes } },
  )
}
