export interface Room {
  /** Bytes this origin uses, of all kinds. */
  readonly usedBytes: number
  /** Bytes it may use; the browser decides, and may be wrong. */
  readonly quotaBytes: number
}

/** What the browser says of its room; null where it says nothing. */
export async function roomHere(): Promise<Room | null> {
  // The types promise a navigator everywhere; Node 20 has none.
  const { navigator } = globalThis as { navigator?: { storage?: Partial<StorageManager> } }
  const estimated = await navigator?.storage?.estimate?.().catch(() => null)
  const { usage, quota } = estimated ?? {}
  return usage === undefined || quota === undefined ? null : { usedBytes: usage, quotaBytes: quota }
}
