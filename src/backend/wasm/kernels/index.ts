/** What the host calls. Kernels keep no state beyond globals of one instance; all data lies where the host puts it. */
import { loadKey, moveValue, PAGE, pageCodeBytes, scalesBytes, storeKey } from './attention'
import { forward } from './forward'
import { rotate } from './rope'
import { Cache, Layer, Model, Scratch } from './structs'
import { nextJob, setThread, startJob } from './threads'

export { matrixKind, groupBytes, repack } from './repack'
export { setThread } from './threads'

/** Sizes of the records, for the host to check its own against. */
export function modelBytes(): i32 {
  return offsetof<Model>()
}
export function layerBytes(): i32 {
  return offsetof<Layer>()
}
export function scratchBytes(): i32 {
  return offsetof<Scratch>()
}
export function cacheBytes(): i32 {
  return offsetof<Cache>()
}

/** Tokens of a page of a KV cache. */
export function pageTokens(): i32 {
  return PAGE
}
export function pageBytes(model: usize, codeBytes: i32): usize {
  return pageCodeBytes(changetype<Model>(model), codeBytes) + pageScaleBytes(model)
}
export function pageScaleBytes(model: usize): usize {
  return 2 * scalesBytes(changetype<Model>(model))
}

// The job, written by the first thread before it wakes the others.
const JOB_ARGUMENTS: usize = 1024 + 384

/** First thread: evaluates tokens with all threads (forward.ts). */
export function run(model: usize, scratch: usize, count: i32, outputs: i32): void {
  store<u32>(JOB_ARGUMENTS, <u32>model)
  store<u32>(JOB_ARGUMENTS, <u32>scratch, 4)
  store<i32>(JOB_ARGUMENTS, count, 8)
  store<i32>(JOB_ARGUMENTS, outputs, 12)
  startJob()
  forward(model, scratch, count, outputs)
}

/** Other threads: take part in jobs until their worker is terminated. */
export function serve(index: i32, count: i32): void {
  setThread(index, count)
  for (let done: i32 = 0; ; done++) {
    nextJob(done)
    forward(
      load<u32>(JOB_ARGUMENTS), load<u32>(JOB_ARGUMENTS, 4), load<i32>(JOB_ARGUMENTS, 8), load<i32>(JOB_ARGUMENTS, 12),
    )
  }
}

/**
 * Moves cached tokens [from, from + count) down to `to`, rotating keys by `rotation` (the angle of to − from).
 * `work`: room for headDim × 6 bytes.
 */
export function shiftLayer(
  modelPointer: usize, cachePointer: usize, layer: i32, from: i32, to: i32, count: i32, rotation: usize, work: usize,
): void {
  const model = changetype<Model>(modelPointer)
  const cache = changetype<Cache>(cachePointer)
  for (let head = 0; head < model.kvHeadCount; head++) {
    for (let i = 0; i < count; i++) {
      loadKey(model, cache, layer, head, from + i, work)
      rotate(work, rotation, model.ropeDimensions, model.ropeStyle)
      storeKey(model, cache, layer, head, to + i, work, work + (<usize>model.headDim << 2))
      moveValue(model, cache, layer, head, from + i, to + i)
    }
  }
}
