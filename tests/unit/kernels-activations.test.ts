import { beforeAll, describe, expect, it } from 'vitest'
import { randomFloats, randomNumbers } from '../fixtures/random-weights'
import { f32Unit, firstMiss, KernelBench, nodeVariants } from './kernels-harness'
import { readRecord, recordBytesOf } from './kernels-records'

describe.each(nodeVariants)('activation kernels, %s', (variant) => {
  let bench: KernelBench
  beforeAll(async () => {
    bench = await KernelBench.open(variant)
  })

  // The squares are added in 8 lanes, all positive: columns / 8 + tail + 5 roundings at most, halved by the root;
  // mean, epsilon, root, inverse and two products round once each.
  it.each([8, 13, 31, 64, 576, 1000])('rmsNorm of %d columns', (columns) => {
    const random = randomNumbers(columns)
    const x = randomFloats(columns, 0.3, 2, random)
    const weight = randomFloats(columns, 1, 0.5, random)
    const epsilon = 1e-5
    const at = bench.put(x)
    const out = bench.room(columns * 4)
    bench.kernels.rmsNorm(at, bench.put(weight), columns, epsilon, out)
    const mean = x.reduce((sum, value) => sum + value * value, 0) / columns
    const want = Float64Array.from(x, (value, i) => (value / Math.sqrt(mean + epsilon)) * weight[i]!)
    const roundings = (columns / 8 + (columns % 8) + 5) / 2 + 6
    const got = bench.take(out, columns)
    expect(firstMiss(got, want, (i) => Math.abs(want[i]!) * roundings * f32Unit)).toBeNull()
    // In place.
    bench.kernels.rmsNorm(at, bench.put(weight), columns, epsilon, at)
    expect(bench.take(at, columns)).toEqual(got)
  })

  it('rmsNorm of zeros is zeros', () => {
    const at = bench.put(new Float32Array(24))
    bench.kernels.rmsNorm(at, bench.put(new Float32Array(24).fill(1)), 24, 1e-6, at)
    expect(bench.take(at, 24)).toEqual(new Float32Array(24))
  })

  describe('quantizeRecord', () => {
    it.each([32, 64, 576, 1536])('of %d columns', (columns) => {
      const random = randomNumbers(columns + 1)
      const values = randomFloats(columns, 0.1, 3, random)
      // A block of zeros, one of a single large value, one of the smallest numbers that matter.
      if (columns > 100) {
        values.fill(0, 32, 64)
        values.fill(1e-3, 64, 96)
        values[70] = -1000
        for (let i = 96; i < 128; i++) values[i]! *= 1e-20
      }
      const record = bench.room(recordBytesOf(columns))
      bench.kernels.quantizeRecord(bench.put(values), record, columns)
      const read = readRecord(bench, record, columns)
      expect(read.values).toEqual(values)
      for (let b = 0; b < columns / 32; b++) {
        const block = values.subarray(b * 32, b * 32 + 32)
        const codes = read.codes.subarray(b * 32, b * 32 + 32)
        const { scale, sum, integerSum, lowSum } = read.blocks[b]!
        const largest = Math.max(...block.map(Math.abs))
        const wantScale = largest / 127
        // 1/127 as f32, the product.
        expect(Math.abs(scale - wantScale)).toBeLessThanOrEqual(wantScale * 2 * f32Unit)
        // Half a step, and the roundings of 127 / largest and of the product with it.
        const want = block.map((value) => (largest === 0 ? 0 : (value / largest) * 127))
        expect(firstMiss(codes, want, () => 0.5 + 127 * 3 * f32Unit)).toBeNull()
        expect(Math.max(...codes.map(Math.abs))).toBe(largest === 0 ? 0 : 127)
        const total = codes.reduce((a, c) => a + c, 0)
        const low = codes.subarray(0, 16).reduce((a, c) => a + c, 0)
        expect(integerSum).toBe(total)
        expect(sum).toBe(Math.fround(scale * total))
        expect(lowSum).toBe(Math.fround(scale * low))
      }
    })

    it('in place gives the same record', () => {
      const values = randomFloats(96, 0, 1, randomNumbers(5))
      const apart = bench.room(recordBytesOf(96))
      bench.kernels.quantizeRecord(bench.put(values), apart, 96)
      const inPlace = bench.room(recordBytesOf(96))
      bench.floats(inPlace, 96).set(values)
      bench.kernels.quantizeRecord(inPlace, inPlace, 96)
      expect(bench.bytes(inPlace, recordBytesOf(96)).slice()).toEqual(
        bench.bytes(apart, recordBytesOf(96)).slice(),
      )
    })

    it('of columns that are no whole blocks keeps the values alone', () => {
      const values = randomFloats(40, 0, 1, randomNumbers(6))
      const record = bench.room(recordBytesOf(40))
      bench.kernels.quantizeRecord(bench.put(values), record, 40)
      expect(bench.take(record, 40)).toEqual(values)
      expect(bench.bytes(record + 160, 8).every((byte) => byte === 0xff)).toBe(true)
    })
  })

  // Two products and a sum round once each.
  it.each([
    ['pairs', 0, 64],
    ['halves', 1, 64],
    ['pairs', 0, 8],
    ['halves', 1, 256],
  ])('rotate in %s (style %d), %d dimensions', (_, style, dimensions) => {
    const random = randomNumbers(dimensions + style)
    const half = dimensions / 2
    // More than is rotated: the rest stays.
    const head = randomFloats(dimensions + 8, 0, 1, random)
    const angles = randomFloats(half, 0, 100, random)
    const table = Float32Array.from({ length: dimensions }, (__, i) =>
      i < half ? Math.cos(angles[i]!) : Math.sin(angles[i - half]!),
    )
    const at = bench.put(head)
    bench.kernels.rotate(at, bench.put(table), dimensions, style)
    const want = Float64Array.from(head)
    const size = new Float64Array(head.length)
    for (let i = 0; i < half; i++) {
      const [first, second] = style === 0 ? [2 * i, 2 * i + 1] : [i, i + half]
      const [a, b, cosine, sine] = [head[first]!, head[second]!, table[i]!, table[half + i]!]
      want[first] = a * cosine - b * sine
      want[second] = a * sine + b * cosine
      size[first] = Math.abs(a * cosine) + Math.abs(b * sine)
      size[second] = Math.abs(a * sine) + Math.abs(b * cosine)
    }
    const got = bench.take(at, head.length)
    expect(firstMiss(got, want, (i) => 2.01 * f32Unit * size[i]!)).toBeNull()
    expect(got.subarray(dimensions)).toEqual(head.subarray(dimensions))
  })
})
