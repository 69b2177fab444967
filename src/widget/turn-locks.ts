/**
 * Tells other tabs whether a turn is still being answered: by Web Locks, which the browser gives back when the tab that
 * holds them is closed. Where there are none, nobody is told.
 */
export class TurnLocks {
  readonly #held = new Map<string, () => void>()

  /** From now until `release`, or until this tab is closed. */
  hold(id: string): void {
    if (this.#held.has(id)) return
    const released = new Promise<void>((resolve) => {
      this.#held.set(id, resolve)
    })
    void lockManager()?.request(nameOf(id), () => released)
  }

  release(id: string): void {
    this.#held.get(id)?.()
    this.#held.delete(id)
  }

  /** Resolves when no tab holds it: true; at once where that cannot be known: false. */
  async released(id: string): Promise<boolean> {
    const locks = lockManager()
    await locks?.request(nameOf(id), { mode: 'shared' }, () => undefined)
    return locks !== undefined
  }
}

function nameOf(id: string): string {
  return `minnow-turn ${id}`
}

/** The types promise it everywhere; Node and plain http pages lack it. */
function lockManager(): LockManager | undefined {
  return (globalThis as { navigator?: { locks?: LockManager } }).navigator?.locks
}
