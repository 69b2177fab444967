/**
 * Batches stream parts by time: the first goes out at once, and so does every part that comes `intervalMs` or
 * more after the last message; faster ones wait for the rest of the interval and go together. So a message is
 * sent at most once an interval, and no part is held longer than one.
 */
export interface PartBatcher<Part> {
  push(part: Part): void
  /** Sends what waits and stops the timer. */
  flush(): void
}

export interface PartBatcherOptions {
  /** Default 16, one frame at 60 Hz. */
  intervalMs?: number
  /** A monotone clock in milliseconds. Default `performance.now`. */
  now?: () => number
}

export function createPartBatcher<Part>(
  send: (parts: Part[]) => void,
  { intervalMs = 16, now = () => performance.now() }: PartBatcherOptions = {},
): PartBatcher<Part> {
  let waiting: Part[] = []
  let lastSentMs = Number.NEGATIVE_INFINITY
  let timer: ReturnType<typeof setTimeout> | undefined

  const flush = (): void => {
    if (timer !== undefined) clearTimeout(timer)
    timer = undefined
    if (waiting.length === 0) return
    const parts = waiting
    waiting = []
    lastSentMs = now()
    send(parts)
  }

  return {
    push(part) {
      waiting.push(part)
      const elapsedMs = now() - lastSentMs
      // Checked on every push too: a timer alone would starve behind decode steps that don't yield to it.
      if (elapsedMs >= intervalMs) flush()
      else timer ??= setTimeout(flush, intervalMs - elapsedMs)
    },
    flush,
  }
}
