/** How much a new measurement counts. */
const NEWEST_SHARE = 0.3
/** An older one is forgotten, so that who was slow once is tried again. */
const LIFETIME_MS = 300_000

/** How long a remote lately took to its first text. Times are milliseconds of one clock. */
export interface Latency {
  note(latencyMs: number, now: number): void
  /** Smoothed; null where it was not measured lately. */
  known(now: number): number | null
}

export function createLatency(): Latency {
  let smoothedMs = 0
  let measuredAt = -Infinity
  const known = (now: number): number | null => (now - measuredAt > LIFETIME_MS ? null : smoothedMs)
  return {
    known,
    note(latencyMs, now) {
      const before = known(now) ?? latencyMs
      smoothedMs = before + NEWEST_SHARE * (latencyMs - before)
      measuredAt = now
    },
  }
}
