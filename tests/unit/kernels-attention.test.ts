import { beforeAll, describe, expect, it } from 'vitest'
import { cacheFields, modelFields } from '../../src/backend/wasm/records'
import type { KvCache } from '../../src/contract/engine'
import { randomFloats, randomNumbers } from '../fixtures/random-weights'
import { f32Unit, firstMiss, KernelBench, nodeVariants } from './kernels-harness'

const chunk = 64
/** Largest magnitude of a value's code. */
const valueLimits = { '8-bit': 127, '16-bit': 4095 }
const probabilityLimit = 8191
/** Not the first, so that offsets matter. */
const layer = 1
const kvHead = 1
/** As kernels/attention.ts has them. */
const pageTokens = 256

interface Shape {
  readonly headDim: number
  /** Query heads. */
  readonly group: number
  readonly softcap?: number
}

/** One KV head's cache and a query of each of its heads. */
interface Attention extends Shape {
  readonly model: number
  readonly cache: number
  readonly attentionScale: number
  readonly queryLimit: number
  readonly keyLimit: number
  /** i16 (group, headDim) and f32 (group), as attendChunk takes them. */
  readonly codes: number
  readonly factors: number
  /** The queries that the codes stand for. */
  readonly queries: Float64Array[]
}

/** n of hadamard.ts. */
const runLength = (count: number): number => count & -count

/** Whether an odd number of bits is set. */
const isOdd = (bits: number): boolean => bits !== 0 && !isOdd(bits & (bits - 1))

/** Error of a mean of n with signs, as a share of the largest: a rounding a stage, here and in the test. */
const transformBound = (n: number): number => (2 * Math.log2(n) + n) * f32Unit

/** As hadamard.ts does it; to the bit for floats of 32 bits and a scale of 1. */
function hadamard<Vector extends Float32Array | Float64Array>(values: Vector, scale = 1): Vector {
  const n = runLength(values.length)
  for (let half = 1; half < n; half *= 2) {
    for (let i = 0; i < values.length; i++) {
      if ((i & half) !== 0) continue
      const a = values[i]!
      const b = values[i + half]!
      values[i] = a + b
      values[i + half] = a - b
    }
  }
  for (let i = 0; i < values.length; i++) values[i]! *= scale
  return values
}

const kvCaches: readonly KvCache[] = ['16-bit', '8-bit']

/** A value as the kernel rounds it, so that a tie falls the same way. */
function quantizeValue(value: Float32Array, valueLimit: number): { scale: number; codes: Float32Array } {
  const largest = Math.max(...value.map(Math.abs))
  const inverse = Math.fround(valueLimit / largest)
  // Adding 1.5 × 2^23 in f32 rounds to whole numbers, ties to even.
  const codes = value.map((v) => Math.fround(Math.fround(v * inverse) + 12582912) - 12582912)
  return { scale: Math.fround(largest / valueLimit), codes }
}

describe.each(nodeVariants.flatMap((variant) => kvCaches.map((kvCache) => ({ variant, kvCache }))))(
  'attention kernels, $variant, $kvCache',
  ({ variant, kvCache }) => {
    const isTransformed = kvCache === '8-bit'
    const valueLimit = valueLimits[kvCache]
    /** As it is kept. */
    const kept = (vector: Float32Array): Float32Array => (isTransformed ? hadamard(vector.slice()) : vector)
    /** Largest magnitude of what is kept. */
    const largestKept = (vector: Float32Array): number => Math.max(...kept(vector).map(Math.abs))
    /** A transform's largest error, as a share of the sum of magnitudes it adds up: a rounding a stage. */
    const transformError = (headDim: number): number =>
      isTransformed ? (Math.log2(runLength(headDim)) + 2) * f32Unit : 0

    let bench: KernelBench
    beforeAll(async () => {
      bench = await KernelBench.open(variant)
    })

    /** Codes as far as 31 bits allow, as the host chooses them; memory that no token has written holds `stale`. */
    const prepare = (shape: Shape, queries: readonly Float32Array[], stale = 0): Attention => {
      const { headDim, group, softcap = 0 } = shape
      const bits = Math.floor(31 - Math.log2(headDim))
      const keyLimit = 2 ** Math.floor(bits / 2) - 1
      const queryLimit = 2 ** (bits - Math.floor(bits / 2)) - 1
      expect(queryLimit * keyLimit * headDim).toBeLessThan(2 ** 31)
      const attentionScale = Math.fround(1 / Math.sqrt(headDim))
      const zeros = Object.fromEntries(Object.keys(modelFields).map((field) => [field, 0])) as {
        [field in keyof typeof modelFields]: number
      }
      const model = bench.putRecord(modelFields, {
        ...zeros,
        layerCount: 2,
        headCount: 2 * group,
        kvHeadCount: 2,
        headDim,
        attentionScale,
        attentionSoftcap: softcap,
        queryLimit,
        keyLimit,
      })
      // Two layers of two heads; the second page lies before the first. Enough for both kinds of codes.
      const pageBytes = 2 * 2 * (pageTokens / chunk) * (chunk * headDim * 4 + chunk * 8)
      const pages = bench.room(2 * pageBytes)
      bench.bytes(pages, 2 * pageBytes).fill(stale)
      const cache = bench.putRecord(cacheFields, {
        pages: bench.putBytes(new Uint8Array(Uint32Array.of(pages + pageBytes, pages).buffer)),
        codeBytes: isTransformed ? 1 : 2,
      })
      const codes = bench.room(group * headDim * 2)
      const factors = bench.room(group * 4 + 16)
      const read = queries.map((query, g) => {
        const at = codes + g * headDim * 2
        const factor = bench.kernels.storeQuery(model, cache, bench.put(query), at)
        bench.floats(factors, group)[g] = factor
        const scale = factor / attentionScale / (softcap > 0 ? 1 : Math.LOG2E)
        const kept64 = Float64Array.from(
          new Int16Array(bench.arena.buffer, at, headDim),
          (code) => code * scale,
        )
        return isTransformed ? hadamard(kept64) : kept64
      })
      return { ...shape, model, cache, attentionScale, queryLimit, keyLimit, codes, factors, queries: read }
    }

    const store = (
      { model, cache, headDim }: Attention,
      position: number,
      key: Float32Array,
      value: Float32Array,
    ): void => {
      const room = bench.room(headDim * 2)
      bench.kernels.storeKey(model, cache, layer, kvHead, position, bench.put(key), room)
      bench.kernels.storeValue(model, cache, layer, kvHead, position, bench.put(value), room)
    }

    /** What each head's query makes of tokens [first, last]. (group × headDim) */
    const attend = (attention: Attention, first: number, last: number): Float32Array => {
      const { kernels } = bench
      const { model, cache, codes, factors, headDim, group } = attention
      const stride = (headDim + 4) * 4
      const work = bench.room(4 * 64 * 4 + 4 * 64 * 2 + 16)
      const partials = bench.room(group * stride)
      const results = bench.room(group * stride)
      const out = bench.room(group * headDim * 4)
      for (let g = 0; g < group; g++) kernels.clearResult(results + g * stride, headDim)
      for (let start = first - (first % chunk); start <= last; start += chunk) {
        kernels.attendChunk(
          model,
          cache,
          layer,
          kvHead,
          start,
          first,
          last,
          codes,
          factors,
          group,
          work,
          partials,
          stride,
        )
        for (let g = 0; g < group; g++) {
          kernels.mergePartial(results + g * stride, partials + g * stride, headDim)
        }
      }
      for (let g = 0; g < group; g++) {
        kernels.finishResult(cache, results + g * stride, headDim, out + g * headDim * 4)
      }
      return bench.take(out, group * headDim)
    }

    const loadKey = ({ model, cache, headDim }: Attention, position: number): Float32Array => {
      const out = bench.room(headDim * 4)
      bench.kernels.loadKey(model, cache, layer, kvHead, position, out)
      return bench.take(out, headDim)
    }

    const vectors = (count: number, length: number, seed: number, deviation = 1): Float32Array[] => {
      const random = randomNumbers(seed)
      return Array.from({ length: count }, () => randomFloats(length, 0.1, deviation, random))
    }

    it.each([8, 24, 64, 96, 256])('transforms %i dimensions by sums and differences of runs', (count) => {
      const [vector] = vectors(1, count, 12) as [Float32Array]
      const at = bench.put(vector)
      const n = runLength(count)
      bench.kernels.hadamard(at, count, 1 / n)
      const want = vector.map((_, i) => {
        const run = vector.subarray(i - (i % n), i - (i % n) + n)
        return run.reduce((sum, v, j) => sum + (isOdd(i & j & (n - 1)) ? -v : v), 0) / n
      })
      const bound = transformBound(n) * Math.max(...vector.map(Math.abs))
      expect(firstMiss(bench.take(at, count), want, () => bound)).toBeNull()
      bench.kernels.hadamard(at, count, 1)
      expect(firstMiss(bench.take(at, count), vector, () => 2 * n * bound)).toBeNull()
    })

    it.each([8, 64, 128, 256])('a stored key is read back within half a step, %d dimensions', (headDim) => {
      const attention = prepare({ headDim, group: 1 }, vectors(1, headDim, 1))
      const keys = vectors(70, headDim, 2)
      keys[3]!.fill(0)
      keys.forEach((key, position) => store(attention, position, key, key))
      keys.forEach((key, position) => {
        const largest = largestKept(key)
        // Half a step, and the roundings of the inverse, of the product, of the scale and of what it is multiplied with.
        // A transform there and one back, which takes means.
        const bound =
          (0.5 * largest) / (isTransformed ? 127 : attention.keyLimit) +
          4 * largest * f32Unit +
          2 * transformError(headDim) * key.reduce((sum, k) => sum + Math.abs(k), 0)
        expect(firstMiss(loadKey(attention, position), key, () => bound)).toBeNull()
      })
    })

    it.each([8, 64, 256])('one token gives its own value within half a step, %d dimensions', (headDim) => {
      const attention = prepare({ headDim, group: 2 }, vectors(2, headDim, 3))
      const values = vectors(130, headDim, 4)
      values.forEach((value, position) => store(attention, position, value, value))
      for (const position of [0, 1, 62, 63, 64, 101, 129]) {
        const value = values[position]!
        const largest = largestKept(value)
        // As for keys; the probability is 1 but for 4e-6 of its exponential, once above and once below the line. Others
        // of the chunk may have larger scales: half a step of 8191 of the largest.
        const chunkScale = Math.max(...values.slice(position & ~63, position + 1).map(largestKept))
        const bound =
          (0.5 * largest) / valueLimit +
          1.6e-5 * largest +
          (0.502 * chunkScale) / probabilityLimit +
          2 * transformError(headDim) * value.reduce((sum, v) => sum + Math.abs(v), 0)
        const got = attend(attention, position, position)
        expect(firstMiss(got, [...value, ...value], () => bound)).toBeNull()
      }
    })

    it('moves a value with its scale', () => {
      const attention = prepare({ headDim: 64, group: 1 }, vectors(1, 64, 5))
      const values = vectors(100, 64, 6)
      values.forEach((value, position) => store(attention, position, value, value))
      const before = attend(attention, 99, 99)
      const other = prepare({ headDim: 64, group: 1 }, vectors(1, 64, 5))
      store(other, 64, values[99]!, values[99]!)
      bench.kernels.moveValue(attention.model, attention.cache, layer, kvHead, 99, 64)
      expect(attend(attention, 64, 64)).toEqual(attend(other, 64, 64))
      expect(attend(attention, 99, 99)).toEqual(before)
    })

    const shapes: readonly Shape[] = [
      { headDim: 64, group: 3 },
      { headDim: 8, group: 1 },
      { headDim: 24, group: 2 },
      { headDim: 128, group: 4 },
      { headDim: 256, group: 5 },
      { headDim: 64, group: 7 },
      { headDim: 64, group: 9 },
      { headDim: 64, group: 2, softcap: 5 },
    ]
    /** Tokens [first, last]: partial chunks, whole ones, several, windows. */
    const ranges: readonly (readonly [number, number])[] = [
      [0, 0],
      [0, 6],
      [0, 7],
      [0, 8],
      [0, 62],
      [0, 63],
      [0, 64],
      [0, 150],
      [5, 40],
      [63, 64],
      [70, 199],
      [64, 127],
      [110, 111],
      [200, 290],
      [255, 256],
      [256, 300],
    ]

    // Against softmax in float64 over the same codes. A score is an integer times three factors that were rounded five
    // times together, and softmax sees its distance from the largest: 16 units of the largest score at most, in nats, and
    // 4e-6 of the exponential itself; a cap adds 7 units of itself to each score. That share of each probability counts in
    // the sum and in its norm. Probabilities times scales are rounded to whole numbers of 8191: 0.502 steps of the chunk's
    // largest scale a token, times its code. Where vectors are kept transformed, all this holds for what is kept; results
    // come back as means of it, and the keys that the test reads back were transformed once more.
    describe.each(shapes)('headDim $headDim, $group query heads, cap $softcap', (shape) => {
      it.each(ranges)('tokens %d to %d', (first, last) => {
        const { headDim, group, softcap } = shape
        const attention = prepare(shape, vectors(group, headDim, 7, 2))
        const keys = vectors(last + 1, headDim, 8)
        const values = vectors(last + 1, headDim, 9)
        // Later tokens of the same batch may be in the cache already.
        for (const later of [last + 1, last + 2]) {
          store(attention, later, new Float32Array(headDim).fill(50), new Float32Array(headDim).fill(500))
        }
        keys.forEach((key, position) => store(attention, position, key, values[position]!))
        const read = keys.map((_, position) => loadKey(attention, position))
        const stored = values.map((value) => quantizeValue(kept(value), valueLimit))
        const valueScales = stored.map(({ scale }) => scale)
        const got = attend(attention, first, last)
        for (let g = 0; g < group; g++) {
          const query = attention.queries[g]!
          const scores = read.map((key) => {
            const score = attention.attentionScale * key.reduce((sum, k, d) => sum + k * query[d]!, 0)
            return softcap === undefined ? score : softcap * Math.tanh(score / softcap)
          })
          const seen = scores.slice(first)
          const maximum = Math.max(...seen)
          const probabilities = scores.map((score, t) => (t < first ? 0 : Math.exp(score - maximum)))
          const sum = probabilities.reduce((a, b) => a + b)
          const readError =
            transformError(headDim) *
            Math.max(...keys.map(largestKept)) *
            query.reduce((norm, q) => norm + Math.abs(q), 0) *
            attention.attentionScale
          const share =
            4e-6 +
            16 * f32Unit * Math.max(...seen.map(Math.abs)) +
            2 * 7 * f32Unit * (softcap ?? 0) +
            2 * readError
          const want = new Float64Array(headDim)
          const bound = new Float64Array(headDim)
          for (let t = first; t <= last; t++) {
            const chunkStart = t - (t % chunk)
            const end = Math.min(last + 1, chunkStart + chunk)
            const largestScale = Math.max(...valueScales.slice(chunkStart, end))
            // A chunk's partial result is weighed by its own maximum.
            const weight = Math.exp(Math.max(...scores.slice(Math.max(first, chunkStart), end)) - maximum)
            for (let d = 0; d < headDim; d++) {
              const code = stored[t]!.codes[d]!
              const value = code * valueScales[t]!
              want[d]! += (probabilities[t]! * value) / sum
              bound[d]! +=
                (probabilities[t]! * Math.abs(value) * (2 * share + 8 * f32Unit)) / sum +
                (((weight * 0.502) / probabilityLimit) * largestScale * Math.abs(code)) / sum
            }
          }
          if (isTransformed) {
            const n = runLength(headDim)
            for (let run = 0; run < headDim; run += n) {
              const mean = (all: Float64Array): number =>
                all.subarray(run, run + n).reduce((total, v) => total + Math.abs(v), 0) / n
              bound.fill(mean(bound) + transformError(headDim) * mean(want), run, run + n)
            }
            hadamard(want, 1 / n)
          }
          const out = got.subarray(g * headDim, (g + 1) * headDim)
          expect(firstMiss(out, want, (d) => bound[d]!)).toBeNull()
        }
      })
    })

    it('does not depend on what lies behind the last token', () => {
      for (const last of [0, 4, 9, 63, 64, 77, 127]) {
        const outs = [0, 0x55, 0xaa].map((stale) => {
          const attention = prepare({ headDim: 64, group: 3 }, vectors(3, 64, 10), stale)
          const keys = vectors(last + 1, 64, 11)
          keys.forEach((key, position) => store(attention, position, key, key.toReversed()))
          return attend(attention, 0, last)
        })
        expect(outs[1]).toEqual(outs[0])
        expect(outs[2]).toEqual(outs[0])
      }
    })

    it('does not overflow where every code is the largest', () => {
      for (const headDim of [8, 64, 96, 256]) {
        // What is kept has all elements alike.
        const even = kept(
          new Float32Array(headDim).fill(1 / Math.sqrt(isTransformed ? runLength(headDim) : 1)),
        )
        const times = (factor: number): Float32Array => even.map((v) => v * factor)
        const off = Math.max(...even) * 1e-5
        const attention = prepare({ headDim, group: 1 }, [even])
        for (let position = 0; position < chunk; position++) store(attention, position, even, times(-3))
        expect(firstMiss(attend(attention, 0, 63), times(-3), () => 3 * off)).toBeNull()
        // The score itself: a second token that fits worse by a known amount.
        store(attention, 64, times(0.5), even)
        store(attention, 65, even, times(-1))
        const want = times(Math.tanh(-Math.sqrt(headDim) / 4))
        expect(firstMiss(attend(attention, 64, 65), want, () => 100 * off)).toBeNull()
      }
    })
  },
)
