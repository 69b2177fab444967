/**
 * Grouped-query attention over a KV cache of 8-bit or 16-bit integers.
 *
 * A key or value vector of one head is kept as codes, i8 or i16 (Cache.codeBytes), with one f32 scale. They need little
 * or no conversion (i8 is widened by the load itself): products are i32x4.dot_i16x8_s, eight a instruction, exact. So
 * scores do not depend on the order of sums, and a position's result is the same to the bit however tokens are grouped.
 *
 * For 8 bits, queries, keys and values go through a Walsh–Hadamard transform (hadamard.ts), which keeps their products:
 * a few large elements would else cost all others their precision. Results come back through its inverse.
 *
 * A sequence's cache is a table of pages of PAGE tokens, so that it grows with its text. A page holds chunks of 64 tokens,
 * (layer, chunk, kvHead), keys then values, so that a layer is read as one stream, then all scales: a chunk's own behind
 * it broke the stream and made attention to 1,024 tokens take twice as long. Both are panels, steps × 8 lanes × 2 codes:
 *   keys    8 panels of 8 tokens; a step holds dimensions (2s, 2s + 1) of the 8; multiplied with a query's codes
 *   values  headDim / 8 panels of 8 dimensions; a step holds tokens (2s, 2s + 1); multiplied with probabilities as codes
 *
 * Bounds that keep i32 sums from overflowing: |query| ≤ queryLimit and |key| ≤ keyLimit with
 * queryLimit × keyLimit × headDim < 2^31; |value| ≤ 4095, |probability| ≤ 8191 over 64 tokens. Codes of 8 bits are
 * smaller: |key|, |value| ≤ 127 ≤ keyLimit.
 *
 * Scores are in units of log2, so that probabilities are powers of two (queryFactor).
 * Softmax is computed chunk by chunk and merged in ascending order (online softmax,
 * https://arxiv.org/abs/2112.05682), in one order on every path and for any number of threads.
 */
import { hadamard, hadamardSize } from './hadamard'
import { exp2Negative, exp2Negative4, horizontalMax, horizontalSum, LOG2_E, roundToInt, softcap4 } from './math'
import { Cache, Model } from './structs'

export const CHUNK: i32 = 64
/** Tokens of a page. */
export const PAGE: i32 = 256
/** Largest magnitude of a code of 8 bits. */
const BYTE_LIMIT: f32 = 127
const VALUE_LIMIT: f32 = 4095
const PROBABILITY_LIMIT: f32 = 8191
/** Codes of a step: 8 lanes × 2. */
const STEP_CODES: usize = 16
/** Steps of a value panel: pairs of tokens. */
const VALUE_STEPS: usize = 32

/** A chunk's result for one head: f32 output (headDim), unnormalised, then maximum (log2) and sum. */
// @ts-ignore: decorator
@inline
export function partialBytes(headDim: i32): usize {
  return <usize>(headDim + 4) * 4
}

/** What a query's integer products are multiplied with, for a query of scale 1. */
// @ts-ignore: decorator
@inline
function queryFactor(model: Model): f32 {
  return model.attentionSoftcap > 0 ? model.attentionScale : model.attentionScale * LOG2_E
}

// ---- quantised vectors ----

/** Largest magnitude of `count` floats (a multiple of 4). */
function largestMagnitude(values: usize, count: i32): f32 {
  let largest = f32x4.splat(0)
  for (let i = 0; i < count; i += 4) largest = f32x4.pmax(largest, f32x4.abs(v128.load(values + (<usize>i << 2))))
  return horizontalMax(largest)
}

/** Writes `count` (a multiple of 8) codes in order; returns the scale. */
function quantizeVector(values: usize, count: i32, limit: f32, codes: usize): f32 {
  const largest = largestMagnitude(values, count)
  const inverse = f32x4.splat(largest > 0 ? limit / largest : 0)
  for (let i = 0; i < count; i += 8) {
    const at = values + (<usize>i << 2)
    const low = roundToInt(f32x4.mul(v128.load(at), inverse))
    const high = roundToInt(f32x4.mul(v128.load(at, 16), inverse))
    v128.store(codes + (<usize>i << 1), i16x8.narrow_i32x4_s(low, high))
  }
  return largest / limit
}

/** Whether vectors are kept transformed. */
// @ts-ignore: decorator
@inline
function isTransformed(cache: Cache): bool {
  return cache.codeBytes == 1
}

/** Writes a query's codes (headDim i16) and returns its factor. Changes `values` (headDim floats). */
export function storeQuery(model: Model, cache: Cache, values: usize, codes: usize): f32 {
  const headDim = model.headDim
  // 1/n makes up for keys' and queries' transforms.
  if (isTransformed(cache)) hadamard(values, headDim, <f32>1 / <f32>hadamardSize(headDim))
  return quantizeVector(values, headDim, <f32>model.queryLimit, codes) * queryFactor(model)
}

/** Which of its page's chunks a position's is. */
// @ts-ignore: decorator
@inline
function slotOf(model: Model, layer: i32, head: i32, position: i32): usize {
  const chunk = layer * (PAGE / CHUNK) + (position & (PAGE - 1)) / CHUNK
  return <usize>(chunk * model.kvHeadCount + head)
}

/** Chunks of a page. */
// @ts-ignore: decorator
@inline
function slots(model: Model): usize {
  return <usize>(model.layerCount * (PAGE / CHUNK) * model.kvHeadCount)
}

/** Codes of a chunk's keys, and of its values. */
// @ts-ignore: decorator
@inline
function halfChunkCodes(headDim: i32): usize {
  return <usize>CHUNK * <usize>headDim
}

/** Bytes of a chunk's codes. */
// @ts-ignore: decorator
@inline
function chunkBytes(codeBytes: i32, headDim: i32): usize {
  return halfChunkCodes(headDim) * 2 * <usize>codeBytes
}

/** Bytes of a page's codes; its scales lie behind. */
// @ts-ignore: decorator
@inline
export function pageCodeBytes(model: Model, codeBytes: i32): usize {
  return slots(model) * chunkBytes(codeBytes, model.headDim)
}

/** Bytes of a page's scales, f32 (slot, 64), of keys or of values. */
// @ts-ignore: decorator
@inline
export function scalesBytes(model: Model): usize {
  return slots(model) * CHUNK * sizeof<f32>()
}

/** The page that a position is in. */
// @ts-ignore: decorator
@inline
function pageAt(cache: Cache, position: i32): usize {
  return load<u32>(cache.pages + (<usize>(position / PAGE) << 2))
}

// @ts-ignore: decorator
@inline
function chunkAt(cache: Cache, slot: usize, headDim: i32, position: i32): usize {
  return pageAt(cache, position) + slot * chunkBytes(cache.codeBytes, headDim)
}

// @ts-ignore: decorator
@inline
function keyScaleAt(model: Model, cache: Cache, slot: usize, position: i32): usize {
  const scale = slot * CHUNK + <usize>(position & (CHUNK - 1))
  return pageAt(cache, position) + pageCodeBytes(model, cache.codeBytes) + (scale << 2)
}

// @ts-ignore: decorator
@inline
function valueScaleAt(model: Model, cache: Cache, slot: usize, position: i32): usize {
  return keyScaleAt(model, cache, slot, position) + scalesBytes(model)
}

/** First pair of a position's key; the next ones are a step apart. */
// @ts-ignore: decorator
@inline
function keyAt(cache: Cache, slot: usize, headDim: i32, position: i32): usize {
  const within = position & (CHUNK - 1)
  const codes = <usize>(within >> 3) * (<usize>headDim >> 1) * STEP_CODES + (<usize>(within & 7) << 1)
  return chunkAt(cache, slot, headDim, position) + codes * <usize>cache.codeBytes
}

/** First element of a position's value; eight lie 2 codes apart, the next eight a panel later. */
// @ts-ignore: decorator
@inline
function valueAt(cache: Cache, slot: usize, headDim: i32, position: i32): usize {
  const within = position & (CHUNK - 1)
  const codes = halfChunkCodes(headDim) + <usize>(within >> 1) * STEP_CODES + <usize>(within & 1)
  return chunkAt(cache, slot, headDim, position) + codes * <usize>cache.codeBytes
}

// @ts-ignore: decorator
@inline
function loadCode(cache: Cache, at: usize): i32 {
  return cache.codeBytes == 1 ? <i32>load<i8>(at) : <i32>load<i16>(at)
}

// @ts-ignore: decorator
@inline
function storeCode(cache: Cache, at: usize, code: i32): void {
  if (cache.codeBytes == 1) store<i8>(at, <i8>code)
  else store<i16>(at, <i16>code)
}

/** Stores a key. Changes `values` (headDim floats); `codes` is room for headDim i16. */
export function storeKey(model: Model, cache: Cache, layer: i32, head: i32, position: i32, values: usize, codes: usize): void {
  const headDim = model.headDim
  const slot = slotOf(model, layer, head, position)
  const isBytes = cache.codeBytes == 1
  if (isBytes) hadamard(values, headDim, 1)
  const scale = quantizeVector(values, headDim, isBytes ? BYTE_LIMIT : <f32>model.keyLimit, codes)
  store<f32>(keyScaleAt(model, cache, slot, position), scale)
  const at = keyAt(cache, slot, headDim, position)
  if (isBytes) scatterKey<i8>(codes, headDim, at)
  else scatterKey<i16>(codes, headDim, at)
}

/** Pairs of codes go a step apart. */
// @ts-ignore: decorator
@inline
function scatterKey<Code>(codes: usize, headDim: i32, at: usize): void {
  for (const end = codes + (<usize>headDim << 1); codes < end; codes += 4) {
    if (sizeof<Code>() == 2) {
      store<u32>(at, load<u32>(codes))
    } else {
      store<i8>(at, <i8>load<i16>(codes))
      store<i8>(at, <i8>load<i16>(codes, 2), 1)
    }
    at += STEP_CODES * sizeof<Code>()
  }
}

/** Stores a value. Changes `values` (headDim floats); `codes` is room for headDim i16. */
export function storeValue(model: Model, cache: Cache, layer: i32, head: i32, position: i32, values: usize, codes: usize): void {
  const headDim = model.headDim
  const slot = slotOf(model, layer, head, position)
  const isBytes = cache.codeBytes == 1
  if (isBytes) hadamard(values, headDim, 1)
  const scale = quantizeVector(values, headDim, isBytes ? BYTE_LIMIT : VALUE_LIMIT, codes)
  store<f32>(valueScaleAt(model, cache, slot, position), scale)
  const at = valueAt(cache, slot, headDim, position)
  if (isBytes) scatterValue<i8>(codes, headDim, at)
  else scatterValue<i16>(codes, headDim, at)
}

/** Eight codes go two apart, the next eight a panel later. */
// @ts-ignore: decorator
@inline
function scatterValue<Code>(codes: usize, headDim: i32, at: usize): void {
  for (const end = codes + (<usize>headDim << 1); codes < end; codes += 16) {
    for (let i: usize = 0; i < 8; i++) {
      store<Code>(at + i * 2 * sizeof<Code>(), <Code>load<i16>(codes + (i << 1)))
    }
    at += VALUE_STEPS * STEP_CODES * sizeof<Code>()
  }
}

/** Reads a key back as floats. */
export function loadKey(model: Model, cache: Cache, layer: i32, head: i32, position: i32, out: usize): void {
  const headDim = model.headDim
  const slot = slotOf(model, layer, head, position)
  const codeBytes = <usize>cache.codeBytes
  const scale = load<f32>(keyScaleAt(model, cache, slot, position))
  let at = keyAt(cache, slot, headDim, position)
  for (let s = 0; s < headDim >> 1; s++) {
    store<f32>(out + (<usize>s << 3), scale * <f32>loadCode(cache, at))
    store<f32>(out + (<usize>s << 3), scale * <f32>loadCode(cache, at + codeBytes), 4)
    at += STEP_CODES * codeBytes
  }
  if (isTransformed(cache)) hadamard(out, headDim, <f32>1 / <f32>hadamardSize(headDim))
}

/** Copies a value from one position to another. */
export function moveValue(model: Model, cache: Cache, layer: i32, head: i32, from: i32, to: i32): void {
  const headDim = model.headDim
  const fromSlot = slotOf(model, layer, head, from)
  const toSlot = slotOf(model, layer, head, to)
  const codeBytes = <usize>cache.codeBytes
  store<f32>(valueScaleAt(model, cache, toSlot, to), load<f32>(valueScaleAt(model, cache, fromSlot, from)))
  let source = valueAt(cache, fromSlot, headDim, from)
  let target = valueAt(cache, toSlot, headDim, to)
  for (let d = 0; d < headDim; d += 8) {
    for (let i: usize = 0; i < 8; i++) {
      storeCode(cache, target + i * 2 * codeBytes, loadCode(cache, source + i * 2 * codeBytes))
    }
    source += VALUE_STEPS * STEP_CODES * codeBytes
    target += VALUE_STEPS * STEP_CODES * codeBytes
  }
}

// ---- panel products ----

/** Eight codes as i16. */
// @ts-ignore: decorator
@inline
function loadCodes<Code>(at: usize): v128 {
  return sizeof<Code>() == 1 ? v128.load8x8_s(at) : v128.load(at)
}

/**
 * For `rows` (1…4) vectors of codes, `stride` bytes apart: 8 sums each over a panel's steps, as f32 times the row's
 * factor, and, of keys (`laneScales` ≠ 0), times each lane's scale, into `out` (rows, 8), `outStride` bytes a row.
 */
// @ts-ignore: decorator
@inline
function panelDot<Code>(rows: i32, panel: usize, steps: i32, codes: usize, stride: usize, factors: usize, laneScales: usize, out: usize, outStride: usize): void {
  let a0 = i32x4.splat(0), a1 = i32x4.splat(0)
  let b0 = i32x4.splat(0), b1 = i32x4.splat(0)
  let c0 = i32x4.splat(0), c1 = i32x4.splat(0)
  let d0 = i32x4.splat(0), d1 = i32x4.splat(0)
  const end = panel + <usize>steps * STEP_CODES * sizeof<Code>()
  while (panel < end) {
    const p0 = loadCodes<Code>(panel)
    const p1 = loadCodes<Code>(panel + (STEP_CODES >> 1) * sizeof<Code>())
    let pair = v128.load32_splat(codes)
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p0, pair))
    a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p1, pair))
    if (rows > 1) {
      pair = v128.load32_splat(codes + stride)
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(p0, pair))
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(p1, pair))
    }
    if (rows > 2) {
      pair = v128.load32_splat(codes + stride * 2)
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(p0, pair))
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(p1, pair))
    }
    if (rows > 3) {
      pair = v128.load32_splat(codes + stride * 3)
      d0 = i32x4.add(d0, i32x4.dot_i16x8_s(p0, pair))
      d1 = i32x4.add(d1, i32x4.dot_i16x8_s(p1, pair))
    }
    panel += STEP_CODES * sizeof<Code>()
    codes += 4
  }
  let scale0 = f32x4.splat(1), scale1 = f32x4.splat(1)
  if (laneScales != 0) {
    scale0 = v128.load(laneScales)
    scale1 = v128.load(laneScales, 16)
  }
  storeSums(out, a0, a1, v128.load32_splat(factors), laneScales, scale0, scale1)
  if (rows > 1) storeSums(out + outStride, b0, b1, v128.load32_splat(factors, 4), laneScales, scale0, scale1)
  if (rows > 2) storeSums(out + outStride * 2, c0, c1, v128.load32_splat(factors, 8), laneScales, scale0, scale1)
  if (rows > 3) storeSums(out + outStride * 3, d0, d1, v128.load32_splat(factors, 12), laneScales, scale0, scale1)
}

// @ts-ignore: decorator
@inline
function storeSums(out: usize, low: v128, high: v128, factor: v128, laneScales: usize, scale0: v128, scale1: v128): void {
  let a = f32x4.mul(f32x4.convert_i32x4_s(low), factor)
  let b = f32x4.mul(f32x4.convert_i32x4_s(high), factor)
  if (laneScales != 0) {
    a = f32x4.mul(a, scale0)
    b = f32x4.mul(b, scale1)
  }
  v128.store(out, a)
  v128.store(out, b, 16)
}

// ---- one chunk ----

/**
 * Scores of `rows` queries of one KV head with the tokens of [chunkStart, last], then their partial results.
 * `codes`: (rows, headDim) i16. `factors`: f32 (rows), query scale × queryFactor. `first`: oldest token seen.
 * `work`: this thread's room, ATTENTION_WORK_BYTES. Results: `partials`, `partialStride` bytes a row.
 */
// @ts-ignore: decorator
@inline
function chunkRows<Code>(
  rows: i32, model: Model, cache: Cache, slot: usize, chunkStart: i32, first: i32, last: i32,
  codes: usize, factors: usize, work: usize, partials: usize, partialStride: usize,
): void {
  const headDim = model.headDim
  const vectorBytes = <usize>headDim * 2
  const count = last - chunkStart + 1 // 1…64
  const scores = work // f32 (rows, 64)
  const probabilities = work + 4 * CHUNK * 4 // i16 (rows, 64)
  const outFactors = probabilities + 4 * CHUNK * 2 // f32 (rows)
  const keys = chunkAt(cache, slot, headDim, chunkStart)
  const keyScales = keyScaleAt(model, cache, slot, chunkStart)
  const valueScales = valueScaleAt(model, cache, slot, chunkStart)
  const padded = (count + 7) & ~7

  for (let t = 0; t < count; t += 8) {
    panelDot<Code>(
      rows, keys + <usize>t * <usize>headDim * sizeof<Code>(), headDim >> 1, codes, vectorBytes, factors,
      keyScales + (<usize>t << 2), scores + (<usize>t << 2), CHUNK * 4,
    )
  }

  // Probabilities times their token's value scale become integers; the largest value scale bounds them.
  // Only of tokens seen: later ones of the same batch may be there already.
  let largestScale = f32x4.splat(0)
  let seen = 0
  for (; seen + 4 <= count; seen += 4) {
    largestScale = f32x4.pmax(largestScale, v128.load(valueScales + (<usize>seen << 2)))
  }
  let valueScale = horizontalMax(largestScale)
  for (; seen < count; seen++) valueScale = max(valueScale, load<f32>(valueScales + (<usize>seen << 2)))
  const inverse = f32x4.splat(valueScale > 0 ? PROBABILITY_LIMIT / valueScale : 0)
  for (let r = 0; r < rows; r++) {
    const score = scores + <usize>r * CHUNK * 4
    if (model.attentionSoftcap > 0) {
      for (let t = 0; t < padded; t += 4) {
        const at = score + (<usize>t << 2)
        v128.store(at, f32x4.mul(softcap4(v128.load(at), model.attentionSoftcap), f32x4.splat(LOG2_E)))
      }
    }
    for (let t = count; t < padded; t++) store<f32>(score + (<usize>t << 2), -Infinity)
    for (let t = chunkStart; t < first; t++) store<f32>(score + (<usize>(t - chunkStart) << 2), -Infinity)
    let largest = f32x4.splat(-Infinity)
    for (let t = 0; t < padded; t += 4) largest = f32x4.pmax(largest, v128.load(score + (<usize>t << 2)))
    const maximum = horizontalMax(largest)
    const maximum4 = f32x4.splat(maximum)
    const out = probabilities + <usize>r * CHUNK * 2
    let sum0 = f32x4.splat(0), sum1 = f32x4.splat(0)
    for (let t = 0; t < padded; t += 8) {
      const at = <usize>t << 2
      const p0 = exp2Negative4(f32x4.sub(v128.load(score + at), maximum4))
      const p1 = exp2Negative4(f32x4.sub(v128.load(score + at, 16), maximum4))
      sum0 = f32x4.add(sum0, p0)
      sum1 = f32x4.add(sum1, p1)
      const low = roundToInt(f32x4.mul(p0, f32x4.mul(v128.load(valueScales + at), inverse)))
      const high = roundToInt(f32x4.mul(p1, f32x4.mul(v128.load(valueScales + at, 16), inverse)))
      v128.store(out + (<usize>t << 1), i16x8.narrow_i32x4_s(low, high))
    }
    store<f32>(outFactors + (<usize>r << 2), valueScale / PROBABILITY_LIMIT)
    const tail = partials + <usize>r * partialStride + (<usize>headDim << 2)
    store<f32>(tail, maximum)
    store<f32>(tail, horizontalSum(f32x4.add(sum0, sum1)), 4)
  }

  const values = keys + halfChunkCodes(headDim) * sizeof<Code>()
  for (let d = 0; d < headDim; d += 8) {
    panelDot<Code>(
      rows, values + <usize>(d >> 3) * VALUE_STEPS * STEP_CODES * sizeof<Code>(), (count + 1) >> 1, probabilities, CHUNK * 2,
      outFactors, 0, partials + (<usize>d << 2), partialStride,
    )
  }
}

/** Bytes that attendChunk needs as `work`. */
export const ATTENTION_WORK_BYTES: usize = 4 * 64 * 4 + 4 * 64 * 2 + 16

/**
 * Partial results of one chunk for all `group` query heads that share a KV head: `codes` i16 (group, headDim),
 * `factors` f32 (group), results at `partials`.
 */
export function attendChunk(
  model: Model, cache: Cache, layer: i32, kvHead: i32, chunkStart: i32, first: i32, last: i32,
  codes: usize, factors: usize, group: i32, work: usize, partials: usize, partialStride: usize,
): void {
  const slot = slotOf(model, layer, kvHead, chunkStart)
  last = min(last, chunkStart + CHUNK - 1)
  if (cache.codeBytes == 1) {
    chunkGroup<i8>(model, cache, slot, chunkStart, first, last, codes, factors, group, work, partials, partialStride)
  } else {
    chunkGroup<i16>(model, cache, slot, chunkStart, first, last, codes, factors, group, work, partials, partialStride)
  }
}

function chunkGroup<Code>(
  model: Model, cache: Cache, slot: usize, chunkStart: i32, first: i32, last: i32,
  codes: usize, factors: usize, group: i32, work: usize, partials: usize, partialStride: usize,
): void {
  const vectorBytes = <usize>model.headDim * 2
  while (group >= 4) {
    chunkRows<Code>(4, model, cache, slot, chunkStart, first, last, codes, factors, work, partials, partialStride)
    codes += vectorBytes * 4
    factors += 16
    partials += partialStride * 4
    group -= 4
  }
  if (group == 3) chunkRows<Code>(3, model, cache, slot, chunkStart, first, last, codes, factors, work, partials, partialStride)
  else if (group == 2) chunkRows<Code>(2, model, cache, slot, chunkStart, first, last, codes, factors, work, partials, partialStride)
  else if (group == 1) chunkRows<Code>(1, model, cache, slot, chunkStart, first, last, codes, factors, work, partials, partialStride)
}

// ---- merging chunks ----

/** Starts a head's running result: output (headDim), maximum, sum. */
export function clearResult(result: usize, headDim: i32): void {
  memory.fill(result, 0, <usize>headDim << 2)
  store<f32>(result + (<usize>headDim << 2), -Infinity)
  store<f32>(result + (<usize>headDim << 2), 0, 4)
}

/** Adds a chunk's partial result to the running one. */
export function mergePartial(result: usize, partial: usize, headDim: i32): void {
  const tail = <usize>headDim << 2
  const oldMaximum = load<f32>(result + tail)
  const maximum = max(oldMaximum, load<f32>(partial + tail))
  const keep = exp2Negative(oldMaximum - maximum)
  const take = exp2Negative(load<f32>(partial + tail) - maximum)
  const keep4 = f32x4.splat(keep)
  const take4 = f32x4.splat(take)
  for (let d: usize = 0; d < tail; d += 16) {
    const sum = f32x4.add(
      f32x4.mul(v128.load(result + d), keep4),
      f32x4.mul(v128.load(partial + d), take4),
    )
    v128.store(result + d, sum)
  }
  store<f32>(result + tail, maximum)
  store<f32>(result + tail, load<f32>(result + tail, 4) * keep + load<f32>(partial + tail, 4) * take, 4)
}

/** Writes the normalised output (headDim floats). */
export function finishResult(cache: Cache, result: usize, headDim: i32, out: usize): void {
  const tail = <usize>headDim << 2
  const inverse = f32x4.splat(<f32>1 / load<f32>(result + tail, 4))
  for (let d: usize = 0; d < tail; d += 16) v128.store(out + d, f32x4.mul(v128.load(result + d), inverse))
  if (isTransformed(cache)) hadamard(out, headDim, <f32>1 / <f32>hadamardSize(headDim))
}
