import { EngineError } from '../contract/error'

/** What a failed write means: 'storage-full' where the browser gives no more room. */
export function writeFailure(cause: unknown, wantedBytes: number): unknown {
  if (!(cause instanceof Error) || cause.name !== 'QuotaExceededError') return cause
  return storageFull(`no room for ${wantedBytes} more bytes`, { wantedBytes }, cause)
}

export function storageFull(
  problem: string,
  details: Record<string, number | string>,
  cause?: unknown,
): EngineError {
  return new EngineError(
    'storage-full',
    `The browser has ${problem}. Delete models that are not needed, or free space on the device.`,
    { details, cause },
  )
}
