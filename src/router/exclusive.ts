/** What is needed of the browser's lock manager. */
interface Locks {
  request<T>(name: string, options: { signal: AbortSignal }, run: () => Promise<T>): Promise<T>
}

/**
 * Runs one after the other what must not run at once: within all tabs and workers of the origin where there are Web Locks,
 * else within this router.
 * @throws the signal's reason, while it waits
 */
export type Exclusive = <T>(run: () => Promise<T>, signal: AbortSignal) => Promise<T>

/** @param name those of one name exclude each other. */
export function createExclusive(name: string): Exclusive {
  const locks = (globalThis as { navigator?: { locks?: Locks } }).navigator?.locks
  if (locks !== undefined) return (run, signal) => locks.request(`minnow-${name}`, { signal }, run)
  let turn: Promise<unknown> = Promise.resolve()
  return (run, signal) => {
    const before = turn
    const own = (async () => {
      await settledOrAborted(before, signal)
      return run()
    })()
    turn = Promise.allSettled([before, own])
    return own
  }
}

async function settledOrAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const over = new AbortController()
  try {
    await Promise.race([
      promise,
      new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error), { signal: over.signal })
      }),
    ])
  } finally {
    over.abort()
  }
}
