/**
 * Waits for a Web Lock, which all tabs of the origin share. Where there are none (pages over plain http), nobody waits:
 * then tabs may do the same work twice, and no more than that.
 * @returns what gives the lock back; whatever ends the worker does so too
 */
export async function takeLock(name: string, signal: AbortSignal): Promise<() => void> {
  signal.throwIfAborted()
  const locks = locksHere()
  if (locks === undefined) return () => undefined
  return new Promise((resolve, reject) => {
    locks
      .request(name, { signal }, () => new Promise<void>((giveBack) => resolve(() => giveBack())))
      .catch(reject)
  })
}

/** The lock if it is free, else null. */
export async function takeFreeLock(name: string): Promise<(() => void) | null> {
  const locks = locksHere()
  if (locks === undefined) return () => undefined
  return new Promise((resolve, reject) => {
    locks
      .request(name, { ifAvailable: true }, (lock) => {
        if (lock === null) return resolve(null)
        return new Promise<void>((giveBack) => resolve(() => giveBack()))
      })
      .catch(reject)
  })
}

/** Held while a model comes to this device. */
export function lockOf(key: string): string {
  return `minnow-model-${key}`
}

function locksHere(): LockManager | undefined {
  // The types promise a navigator everywhere; Node 20 has none.
  return (globalThis as { navigator?: { locks?: LockManager } }).navigator?.locks
}
