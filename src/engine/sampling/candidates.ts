import type { TopLogits } from '../../backend/backend'

/**
 * Tokens still in the running, in parallel arrays that grow and are then reused for every token.
 * Order is whatever the last stage left, unless it says otherwise.
 */
export class Candidates {
  ids: Int32Array // (capacity)
  logits: Float32Array // (capacity)
  /** exp((logit − largest) / temperature) once a stage has weighed them. */
  weights: Float64Array // (capacity)
  count = 0

  constructor(capacity = 1024) {
    this.ids = new Int32Array(capacity)
    this.logits = new Float32Array(capacity)
    this.weights = new Float64Array(capacity)
  }

  /** Takes the first `count` of tokens that are in order already. */
  fill({ ids, logits }: TopLogits, count: number): void {
    this.reserve(count)
    this.ids.set(ids.subarray(0, count))
    this.logits.set(logits.subarray(0, count))
    this.count = count
  }

  /** Makes room for `capacity` tokens; keeps what is there. */
  reserve(capacity: number): void {
    if (capacity <= this.ids.length) return
    const grown = Math.max(capacity, this.ids.length * 4)
    const { ids, logits } = this
    this.ids = new Int32Array(grown)
    this.ids.set(ids)
    this.logits = new Float32Array(grown)
    this.logits.set(logits)
    this.weights = new Float64Array(grown)
  }

  swap(i: number, j: number): void {
    const { ids, logits, weights } = this
    const id = ids[i]!
    ids[i] = ids[j]!
    ids[j] = id
    const logit = logits[i]!
    logits[i] = logits[j]!
    logits[j] = logit
    const weight = weights[i]!
    weights[i] = weights[j]!
    weights[j] = weight
  }

  /** Whether i comes before j: the larger logit first, the lower id among equals. */
  before(i: number, j: number): boolean {
    const a = this.logits[i]!
    const b = this.logits[j]!
    return a > b || (a === b && this.ids[i]! < this.ids[j]!)
  }
}

/** Takes every token whose logit is at least `threshold`, in order of id. */
export function gatherAbove(logits: Float32Array, threshold: number, out: Candidates): void {
  let count = 0
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id]!
    if (logit >= threshold) {
      if (count === out.ids.length) out.reserve(count + 1)
      out.ids[count] = id
      out.logits[count] = logit
      count++
    }
  }
  out.count = count
}

/**
 * Reorders the candidates so that those before the returned position are the more likely ones, and the running
 * weight, taken from the most likely down, first reaches `target` at that position. The last position where it
 * never does. A quickselect over weights: linear on average, no sort.
 */
export function selectByWeight(candidates: Candidates, target: number): number {
  let low = 0
  let high = candidates.count
  let before = 0
  while (high - low > 16) {
    const split = partition(candidates, low, high)
    const { weights } = candidates
    let mass = 0
    for (let i = low; i < split; i++) mass += weights[i]!
    if (split > low && before + mass >= target) {
      high = split
    } else {
      before += mass + weights[split]!
      if (before >= target) return split
      low = split + 1
    }
  }
  sortRange(candidates, low, high)
  for (let i = low; i < high; i++) {
    before += candidates.weights[i]!
    if (before >= target) return i
  }
  return high - 1
}

/** Moves a median of three to its place among [low, high); gives that place. */
function partition(candidates: Candidates, low: number, high: number): number {
  const middle = (low + high) >>> 1
  const last = high - 1
  if (candidates.before(middle, low)) candidates.swap(middle, low)
  if (candidates.before(last, low)) candidates.swap(last, low)
  if (candidates.before(middle, last)) candidates.swap(middle, last)
  // The median now lies last.
  const { ids, logits } = candidates
  const pivot = logits[last]!
  const pivotId = ids[last]!
  let place = low
  for (let i = low; i < last; i++) {
    const logit = logits[i]!
    if (logit > pivot || (logit === pivot && ids[i]! < pivotId)) candidates.swap(i, place++)
  }
  candidates.swap(place, last)
  return place
}

/** Puts [low, high) in order; quick where little is out of order. */
export function sortRange(candidates: Candidates, low: number, high: number): void {
  for (let i = low + 1; i < high; i++) {
    for (let j = i; j > low && candidates.before(j, j - 1); j--) candidates.swap(j, j - 1)
  }
}
