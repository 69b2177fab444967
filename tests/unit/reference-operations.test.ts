import { describe, expect, it } from 'vitest'
import {
  add,
  gelu,
  linear,
  rmsNorm,
  rotate,
  silu,
  softcap,
  softmax,
} from '../../src/backend/reference/operations'
import type { Rope } from '../../src/model/definition'

describe('reference operations', () => {
  it('multiplies by weights given row after row', () => {
    const weights = Float32Array.of(1, 2, 3, 4, 5, -1, 0, 1, 0, 2) // (2, 5)
    const x = Float64Array.of(1, 1, 1, 1, 1, 0, 1, 0, 0, 10) // (2, 5)
    const out = new Float64Array(4)
    linear(out, weights, x, 2, 5, 2)
    expect([...out]).toEqual([15, 2, 52, 20])
  })

  it('adds a row to each row', () => {
    const x = Float64Array.of(1, 2, 3, 4)
    add(x, Float32Array.of(10, 20))
    expect([...x]).toEqual([11, 22, 13, 24])
  })

  it('norms each row by its root mean square', () => {
    const x = Float64Array.of(3, 4, 0, 0, 1, 1, 1, 1)
    rmsNorm(x, x, Float32Array.of(1, 1, 1, 2), 0)
    expect([...x].map((value) => Number(value.toFixed(6)))).toEqual([1.2, 1.6, 0, 0, 1, 1, 1, 2])
    const zeros = new Float64Array(4)
    rmsNorm(zeros, zeros, Float32Array.of(1, 1, 1, 1), 1e-5)
    expect([...zeros]).toEqual([0, 0, 0, 0])
  })

  it.each([
    // Two heads of six dimensions, of which four turn: by a quarter at position 1.
    ['interleaved', [1, 0, 2, 0, 5, 6, 0, 1, 0, 2, 5, 6], [0, 1, 0, 2, 5, 6, -1, 0, -2, 0, 5, 6]],
    ['half', [1, 2, 0, 0, 5, 6, 0, 0, 1, 2, 5, 6], [0, 0, 1, 2, 5, 6, -1, -2, 0, 0, 5, 6]],
  ] as const)('rotates %s pairs of each head and leaves the rest', (style, x, wanted) => {
    const rope: Rope = { dimensionCount: 4, style, frequencies: Float32Array.of(Math.PI / 2, Math.PI / 2) }
    const out = new Float64Array(12)
    rotate(out, Float64Array.from(x), 6, 1, rope)
    expect([...out].map((value) => Math.round(value * 1e6) / 1e6 + 0)).toEqual(wanted)
  })

  it('keeps products of rotated vectors a matter of distance', () => {
    const rope: Rope = { dimensionCount: 4, style: 'half', frequencies: Float32Array.of(1, 0.1) }
    const product = (a: number, b: number): number => {
      const query = new Float64Array(4)
      const key = new Float64Array(4)
      rotate(query, Float64Array.of(1, 2, 3, 4), 4, a, rope)
      rotate(key, Float64Array.of(-1, 0.5, 2, 1), 4, b, rope)
      return query.reduce((sum, value, i) => sum + value * key[i]!, 0)
    }
    expect(product(9, 4)).toBeCloseTo(product(105, 100), 10)
    expect(product(9, 4)).not.toBeCloseTo(product(9, 5), 2)
  })

  it('turns scores into shares, also huge ones', () => {
    const x = Float64Array.of(1000, 1000 + Math.log(3), 77)
    softmax(x, 2)
    expect(x[0]).toBeCloseTo(0.25, 10)
    expect(x[1]).toBeCloseTo(0.75, 10)
    expect(x[2]).toBe(77)
  })

  it('knows its activations', () => {
    expect(silu(0)).toBe(0)
    expect(silu(1)).toBeCloseTo(0.731_058_578_6, 9)
    expect(silu(-1000)).toBeCloseTo(0, 12)
    expect(gelu(1)).toBeCloseTo(0.841_191_990_6, 9)
    expect(gelu(-3)).toBeCloseTo(-0.003_637_392, 8)
    expect(softcap(3, null)).toBe(3)
    expect(softcap(1e9, 30)).toBe(30)
    expect(softcap(0.3, 30)).toBeCloseTo(0.3, 4)
  })
})
