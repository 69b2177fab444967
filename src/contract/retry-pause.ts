import { isEngineError } from './error'

const FIRST_MS = 500
const MOST_MS = 15_000
/** Together about half a minute: longer than a server takes to start again. */
const MOST_TRIES = 6

/** Whether the same request may go well a little later: broken connections, busy or broken servers. */
export function isPassing(error: unknown): boolean {
  if (!isEngineError(error, 'network')) return false
  const { status } = error.details
  return typeof status !== 'number' || status >= 500 || [408, 425, 429].includes(status)
}

/**
 * Waits after a failure, longer after each ("equal jitter"), and no longer than until the network is back.
 * @param failure 1 after the first
 * @throws `error`, where there were too many; the signal's reason
 */
export async function pauseBefore(failure: number, error: unknown, signal: AbortSignal): Promise<void> {
  if (failure > MOST_TRIES) throw error
  signal.throwIfAborted()
  const most = Math.min(MOST_MS, FIRST_MS * 2 ** (failure - 1))
  const listening = new AbortController()
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, most * (0.5 + Math.random() / 2))
    const end = (): void => {
      clearTimeout(timer)
      resolve()
    }
    signal.addEventListener('abort', end, { signal: listening.signal })
    // Pages and workers have these events, Node has not.
    const target = globalThis as Partial<EventTarget>
    target.addEventListener?.('online', end, { signal: listening.signal })
  })
  listening.abort()
  signal.throwIfAborted()
}
