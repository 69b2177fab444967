/**
 * What the sampler and the confidence signals need most of a row of logits, found where the row lies: the best token, the
 * second logit, and the parts of the log-sum-exp and of the entropy.
 */
import { exp1, exp4, horizontalMax, horizontalSum, softcap4 } from './math'
import { Model, Scratch } from './structs'
import { barrier, threadCount, threadIndex } from './threads'

const CHUNK_ROWS: i32 = 256
/** f32 maximum, f32 Σ e^(x − maximum), i32 index of the maximum, f32 second, f32 Σ e^(x − maximum) (x − maximum). */
const CHUNK_BYTES: usize = 32
/** A row's result: i32 argmax, f32 maximum, f32 Σ e^(x − maximum), f32 second, f32 Σ e^(x − maximum) (x − maximum). */
const RESULT_BYTES: usize = 32
/** Differences below it count as it: their exponential is 0, and 0 × −Infinity would be no number. */
const NEGLIGIBLE: f32 = -88

/** Waits for all rows, summarises chunks shared by threads, then merges them in order; scratch.results has the answer. */
export function summarizeLogits(model: Model, scratch: Scratch, outputs: i32): void {
  barrier() // a chunk's rows may come from two threads
  const vocabulary = model.vocabulary
  const chunks = (vocabulary + CHUNK_ROWS - 1) / CHUNK_ROWS
  const items = chunks * outputs
  for (let item = threadIndex; item < items; item += threadCount) {
    const row = scratch.logits + <usize>(item / chunks) * (<usize>scratch.vocabularyStride << 2)
    const from = (item % chunks) * CHUNK_ROWS
    summarizeChunk(
      row, from, min(from + CHUNK_ROWS, vocabulary), model.logitSoftcap,
      scratch.statistics + <usize>item * CHUNK_BYTES,
    )
  }
  barrier()
  if (threadIndex != 0) return
  for (let o = 0; o < outputs; o++) {
    const statistics = scratch.statistics + <usize>(o * chunks) * CHUNK_BYTES
    let maximum = load<f32>(statistics)
    let best = load<i32>(statistics, 8)
    let second = load<f32>(statistics, 12)
    for (let c = 1; c < chunks; c++) {
      const at = statistics + <usize>c * CHUNK_BYTES
      const value = load<f32>(at)
      second = max(second, min(value, maximum))
      if (value > maximum) {
        maximum = value
        best = load<i32>(at, 8)
        second = max(second, load<f32>(at, 12))
      }
    }
    let sum: f32 = 0
    let moment: f32 = 0
    for (let c = 0; c < chunks; c++) {
      const at = statistics + <usize>c * CHUNK_BYTES
      const below = max(NEGLIGIBLE, load<f32>(at) - maximum)
      const share = exp1(below)
      sum += load<f32>(at, 4) * share
      moment += (load<f32>(at, 16) + load<f32>(at, 4) * below) * share
    }
    const result = scratch.results + <usize>o * RESULT_BYTES
    store<i32>(result, best)
    store<f32>(result, maximum, 4)
    store<f32>(result, sum, 8)
    store<f32>(result, second, 12)
    store<f32>(result, moment, 16)
  }
}

function summarizeChunk(row: usize, from: i32, to: i32, cap: f32, out: usize): void {
  let i = from
  let top = f32x4.splat(-Infinity)
  let runnerUp = f32x4.splat(-Infinity)
  // Rows are padded to a multiple of 8; what is behind the vocabulary is made to vanish.
  for (let p = to; p & 3; p++) store<f32>(row + (<usize>p << 2), -Infinity)
  for (; i < to; i += 4) {
    const at = row + (<usize>i << 2)
    let v = v128.load(at)
    if (cap > 0) {
      v = softcap4(v, cap)
      v128.store(at, v)
    }
    runnerUp = f32x4.pmax(runnerUp, f32x4.pmin(top, v))
    top = f32x4.pmax(top, v)
  }
  const maximum = horizontalMax(top)
  let sum = f32x4.splat(0)
  let moment = f32x4.splat(0)
  const top4 = f32x4.splat(maximum)
  const negligible = f32x4.splat(NEGLIGIBLE)
  for (i = from; i < to; i += 4) {
    const below = f32x4.pmax(negligible, f32x4.sub(v128.load(row + (<usize>i << 2)), top4))
    const e = exp4(below)
    sum = f32x4.add(sum, e)
    moment = f32x4.add(moment, f32x4.mul(e, below))
  }
  let best = from
  while (best < to - 1 && load<f32>(row + (<usize>best << 2)) != maximum) best++
  store<f32>(out, maximum)
  store<f32>(out, horizontalSum(sum), 4)
  store<i32>(out, best, 8)
  store<f32>(out, secondOf(top, runnerUp), 12)
  store<f32>(out, horizontalSum(moment), 16)
}

/** The second largest of what four lanes saw, given each lane's two largest. */
function secondOf(largest: v128, second: v128): f32 {
  // Pairs of lanes, then the pairs: (a, b) with seconds leaves max(min(a, b), seconds).
  const swapped = i8x16.shuffle(largest, largest, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)
  const rest = f32x4.pmax(second, f32x4.pmin(largest, swapped))
  const pairs = f32x4.pmax(largest, swapped)
  return max(
    min(f32x4.extract_lane(pairs, 0), f32x4.extract_lane(pairs, 1)),
    horizontalMax(rest),
  )
}
