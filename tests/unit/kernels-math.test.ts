import { beforeAll, describe, expect, it } from 'vitest'
import { floatToHalf, halfToFloat } from '../../src/gguf/half'
import { f32Unit, firstMiss, KernelBench, nodeVariants, type TestingKernels } from './kernels-harness'

/** As kernels/math.ts promises. */
const expError = 2.7e-7
/** Results of the clamped exponentials far out: e^−87. */
const vanishing = 1.7e-38

const grid = (from: number, to: number, count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1))

describe.each(nodeVariants)('math kernels, %s', (variant) => {
  let bench: KernelBench
  beforeAll(async () => {
    bench = await KernelBench.open(variant)
  })

  /** `run` in place over a multiple of 4 values. */
  const map = (values: Float32Array, run: (kernels: TestingKernels, at: number) => void): Float32Array => {
    const at = bench.put(values)
    run(bench.kernels, at)
    const out = bench.take(at, values.length)
    bench.arena.release(at)
    return out
  }

  it('exp4 is within 2.7e-7 of e^x from −87 to 88', () => {
    const x = grid(-87, 88, 400_000)
    const got = map(x, (kernels, at) => kernels.expAll(at, x.length))
    const want = Float64Array.from(x, Math.exp)
    expect(firstMiss(got, want, (i) => want[i]! * expError)).toBeNull()
  })

  it('exp4 gives exactly 0 below −87 and does not overflow above 88', () => {
    const x = Float32Array.of(-87.01, -100, -1e30, -Infinity, 88, 89, 1e30, Infinity)
    const got = map(x, (kernels, at) => kernels.expAll(at, x.length))
    expect([...got.subarray(0, 4)]).toEqual([0, 0, 0, 0])
    expect(got.subarray(4).every((value) => value > 1e38 && Number.isFinite(value))).toBe(true)
    expect(bench.kernels.exp1(-Infinity)).toBe(0)
    expect(bench.kernels.exp1(1)).toBeCloseTo(Math.E, 6)
  })

  it('exp2Negative4 is within 4e-6 of 2^x from −126 to 0, and stays at 2^−126 below', () => {
    const x = grid(-126, 0, 400_000)
    const got = map(x, (kernels, at) => kernels.exp2NegativeAll(at, x.length))
    const want = Float64Array.from(x, (v) => 2 ** v)
    expect(firstMiss(got, want, (i) => want[i]! * 4e-6)).toBeNull()
    const far = map(Float32Array.of(-127, -1e4, -1e30, -Infinity), (kernels, at) =>
      kernels.exp2NegativeAll(at, 4),
    )
    expect(firstMiss(far, [0, 0, 0, 0], () => 1.01 * 2 ** -126)).toBeNull()
  })

  // x / (1 + e): the exponential's error enters the sum by its share of it; sum and quotient round once each.
  it('silu4 is x / (1 + e^−x)', () => {
    const x = grid(-120, 120, 200_000)
    const got = map(x, (kernels, at) => kernels.siluAll(at, x.length))
    const want = Float64Array.from(x, (v) => v / (1 + Math.exp(-v)))
    // Below −88 the exponential is clamped, so that the result goes to −x e^−88.
    const bound = (i: number): number =>
      Math.abs(want[i]!) * (expError + 2 * f32Unit) + Math.abs(x[i]!) * vanishing
    expect(firstMiss(got, want, bound)).toBeNull()
  })

  // The exponent −2y is off by 6 roundings of its own size, which changes e by that many times itself.
  it("gelu4 is GELU's tanh form", () => {
    const x = grid(-20, 20, 200_000)
    const got = map(x, (kernels, at) => kernels.geluAll(at, x.length))
    const exponent = Float64Array.from(x, (v) => -2 * 0.7978845608028654 * (v + 0.044715 * v ** 3))
    const want = Float64Array.from(x, (v, i) => v / (1 + Math.exp(exponent[i]!)))
    const bound = (i: number): number =>
      Math.abs(want[i]!) * (expError + (2 + 6 * Math.abs(exponent[i]!)) * f32Unit) +
      Math.abs(x[i]!) * vanishing
    expect(firstMiss(got, want, bound)).toBeNull()
  })

  // 1 − 2 / (e + 1): e's relative error weighs at most 1/2, its argument's two roundings 2 × 0.45, and the
  // sum, the quotient (at most 2 each), the difference and the product round once: 7 roundings.
  it.each([1, 15, 30, 50])('softcap4 is cap × tanh(x / cap) with cap %d', (cap) => {
    const x = grid(-60 * cap, 60 * cap, 100_000)
    const got = map(x, (kernels, at) => kernels.softcapAll(at, x.length, cap))
    const want = Float64Array.from(x, (v) => cap * Math.tanh(v / cap))
    expect(firstMiss(got, want, () => cap * (expError / 2 + 7 * f32Unit))).toBeNull()
  })

  it('reads every finite f16 exactly and writes each back to itself', () => {
    const { kernels } = bench
    for (let bits = 0; bits < 0x10000; bits++) {
      if ((bits & 0x7c00) === 0x7c00) continue
      const value = kernels.halfToFloat(bits)
      if (!Object.is(value, halfToFloat(bits)) || kernels.floatToHalf(value) !== bits) {
        expect({ bits, value, back: kernels.floatToHalf(value) }).toEqual({
          bits,
          value: halfToFloat(bits),
          back: bits,
        })
      }
    }
    expect(kernels.halfToFloat(0x3c01)).toBe(1 + 2 ** -10)
  })

  it('rounds to the nearest f16, ties to even, and caps what is too large', () => {
    const { kernels } = bench
    const buffer = new DataView(new ArrayBuffer(4))
    let compared = 0
    // Every 997th f32 from 2^−27 to 65504, either sign.
    for (let bits = 0x32000000; bits < 0x477fe000; bits += 997) {
      for (const sign of [0, 0x80000000]) {
        buffer.setUint32(0, (bits | sign) >>> 0)
        const value = buffer.getFloat32(0)
        compared++
        const got = kernels.floatToHalf(value)
        if (got !== floatToHalf(value)) expect({ value, got }).toEqual({ value, got: floatToHalf(value) })
      }
    }
    expect(compared).toBeGreaterThan(500_000)
    // Ties.
    expect(kernels.floatToHalf(1 + 2 ** -11)).toBe(0x3c00)
    expect(kernels.floatToHalf(1 + 3 * 2 ** -11)).toBe(0x3c02)
    expect(kernels.floatToHalf(2 ** -25)).toBe(0)
    expect(kernels.floatToHalf(3 * 2 ** -25)).toBe(2)
    expect(kernels.floatToHalf(1e9)).toBe(0x7bff)
    expect(kernels.floatToHalf(-1e9)).toBe(0xfbff)
  })
})
