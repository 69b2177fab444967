import type { Candidates } from './candidates'

/**
 * Takes the k largest logits, most likely first, the lower id first among equals (fewer where the row is shorter).
 * A heap of k over one pass: nearly every logit costs one comparison.
 */
export function selectTopK(logits: Float32Array, k: number, out: Candidates): void {
  const size = Math.min(k, logits.length)
  out.count = size
  if (size === 0) return
  out.reserve(size)
  for (let id = 0; id < size; id++) {
    out.ids[id] = id
    out.logits[id] = logits[id]!
  }
  for (let i = (size >>> 1) - 1; i >= 0; i--) sink(out, i, size)
  let id = nextAbove(logits, size, out.logits[0]!)
  while (id >= 0) {
    out.ids[0] = id
    out.logits[0] = logits[id]!
    sink(out, 0, size)
    id = nextAbove(logits, id + 1, out.logits[0])
  }
  for (let end = size - 1; end > 0; end--) {
    out.swap(0, end)
    sink(out, 0, end)
  }
}

/**
 * The first token from `from` on whose logit is above `worst`, or −1. Among equals the one already in the heap has the
 * lower id and stays. A loop without calls: within the loop above V8 takes four times as long over it.
 */
function nextAbove(logits: Float32Array, from: number, worst: number): number {
  for (let id = from; id < logits.length; id++) if (logits[id]! > worst) return id
  return -1
}

/** Restores the heap (the worst candidate on top) below `start`. Leaves the weights alone: they are not set yet. */
function sink(heap: Candidates, start: number, size: number): void {
  const { ids, logits } = heap
  const id = ids[start]!
  const logit = logits[start]!
  let i = start
  for (let child = 2 * i + 1; child < size; child = 2 * i + 1) {
    if (child + 1 < size && heap.before(child, child + 1)) child++
    const childLogit = logits[child]!
    const childId = ids[child]!
    // The worst candidate has the smallest logit and, among equals, the largest id.
    if (childLogit > logit || (childLogit === logit && childId < id)) break
    ids[i] = childId
    logits[i] = childLogit
    i = child
  }
  ids[i] = id
  logits[i] = logit
}
