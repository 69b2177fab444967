export interface Room {
  /** Bytes this origin uses, of all kinds. */
  readonly usedBytes: number
  /** Bytes it may use; the browser decides, and may be wrong. */
  readonly quotaBytes: number
  /** Whether the browser keeps it until somebody deletes it. */
  readonly isPersistent: boolean
}

/** What the browser says of its room; null where it says nothing. */
export async function roomHere(): Promise<Room | null> {
  // The types promise a navigator everywhere; Node 20 has none.
  const { navigator } = globalThis as { navigator?: { storage?: Partial<StorageManager> } }
  const estimated = await navigator?.storage?.estimate?.().catch(() => null)
  const { usage, quota } = estimated ?? {}
  if (usage === undefined || quota === undefined) return null
  const isPersistent = (await navigator?.storage?.persisted?.().catch(() => false)) ?? false
  return { usedBytes: usage, quotaBytes: quota, isPersistent }
}
