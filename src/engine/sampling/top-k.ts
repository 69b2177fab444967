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
  let worst = out.logits[0]!
  for (let id = size; id < logits.length; id++) {
    const logit = logits[id]!
    // Among equals the one already in has the lower id and stays.
    if (logit > worst) {
      out.ids[0] = id
      out.logits[0] = logit
      sink(out, 0, size)
      worst = out.logits[0]!
    }
  }
  for (let end = size - 1; end > 0; end--) {
    out.swap(0, end)
    sink(out, 0, end)
  }
}

/** Restores the heap (the worst candidate on top) below i. */
function sink(heap: Candidates, i: number, size: number): void {
  for (;;) {
    let worst = i
    const left = 2 * i + 1
    const right = left + 1
    if (left < size && heap.before(worst, left)) worst = left
    if (right < size && heap.before(worst, right)) worst = right
    if (worst === i) return
    heap.swap(i, worst)
    i = worst
  }
}
