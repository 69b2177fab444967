/**
 * Takes all of a generator without holding up the page: after each 8 ms of work others have a turn.
 * @throws `signal.reason`
 */
export async function collectInTurns<T>(source: Iterable<T>, signal?: AbortSignal): Promise<T[]> {
  const all: T[] = []
  let since = performance.now()
  for (const item of source) {
    all.push(item)
    if (performance.now() - since < 8) continue
    await nextTurn()
    signal?.throwIfAborted()
    since = performance.now()
  }
  signal?.throwIfAborted()
  return all
}

/** A macrotask: input and frames come before it. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0)
  })
}
