/**
 * What the sampler needs most of a row of logits, found where the row lies: the best token and the parts of the log-sum-exp.
 */
import { exp1, exp4, horizontalMax, horizontalSum, softcap4 } from './math'
import { Model, Scratch } from './structs'
import { barrier, threadCount, threadIndex } from './threads'

const CHUNK_ROWS: i32 = 256
/** f32 maximum, f32 Σ e^(x − maximum), i32 index of the maximum. */
const CHUNK_BYTES: usize = 16
/** A row's result: i32 argmax, f32 maximum, f32 Σ e^(x − maximum). */
const RESULT_BYTES: usize = 16

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
    for (let c = 1; c < chunks; c++) {
      const value = load<f32>(statistics + <usize>c * CHUNK_BYTES)
      if (value > maximum) {
        maximum = value
        best = load<i32>(statistics + <usize>c * CHUNK_BYTES, 8)
      }
    }
    let sum: f32 = 0
    for (let c = 0; c < chunks; c++) {
      const at = statistics + <usize>c * CHUNK_BYTES
      sum += load<f32>(at, 4) * exp1(load<f32>(at) - maximum)
    }
    const result = scratch.results + <usize>o * RESULT_BYTES
    store<i32>(result, best)
    store<f32>(result, maximum, 4)
    store<f32>(result, sum, 8)
  }
}

function summarizeChunk(row: usize, from: i32, to: i32, cap: f32, out: usize): void {
  let i = from
  let top = f32x4.splat(-Infinity)
  // Rows are padded to a multiple of 8; what is behind the vocabulary is made to vanish.
  for (let p = to; p & 3; p++) store<f32>(row + (<usize>p << 2), -Infinity)
  for (; i < to; i += 4) {
    const at = row + (<usize>i << 2)
    let v = v128.load(at)
    if (cap > 0) {
      v = softcap4(v, cap)
      v128.store(at, v)
    }
    top = f32x4.pmax(top, v)
  }
  const maximum = horizontalMax(top)
  let sum = f32x4.splat(0)
  const top4 = f32x4.splat(maximum)
  for (i = from; i < to; i += 4) sum = f32x4.add(sum, exp4(f32x4.sub(v128.load(row + (<usize>i << 2)), top4)))
  let best = from
  while (best < to - 1 && load<f32>(row + (<usize>best << 2)) != maximum) best++
  store<f32>(out, maximum)
  store<f32>(out, horizontalSum(sum), 4)
  store<i32>(out, best, 8)
}
