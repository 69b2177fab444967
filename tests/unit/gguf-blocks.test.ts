import { describe, expect, it } from 'vitest'
import { blockLayouts, ggmlTypes, sizeInBytes } from '../../src/gguf/block-layout'
import { dequantize } from '../../src/gguf/blocks'
import { bfloatToFloat, floatToBfloat, floatToHalf, halfToFloat } from '../../src/gguf/half'
import { quantize, type QuantizableType } from '../../src/gguf/quantize'
import type { GgmlType } from '../../src/gguf/types'
import fixture from '../fixtures/blocks.json'

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(base64, 'base64'))
}

function floatsOf(base64: string): Float32Array {
  return new Float32Array(bytesOf(base64).buffer)
}

function isOneOf<T extends string>(all: readonly T[], name: string): name is T {
  return all.some((one) => one === name)
}

const quantizable: QuantizableType[] = ['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1']

describe('dequantize', () => {
  it('covers every type but F32 by the fixture', () => {
    const covered = Object.keys(fixture.dequantize)
    expect(ggmlTypes.filter((type) => !covered.includes(type))).toEqual(['F32'])
  })

  for (const [type, { bytes, floats }] of Object.entries(fixture.dequantize)) {
    it(`gives the floats of Python's gguf package for ${type}, to the last bit`, () => {
      if (!isOneOf<GgmlType>(ggmlTypes, type)) throw new Error(`${type} is no type`)
      const expected = floatsOf(floats)
      const got = new Float32Array(expected.length)
      dequantize(type, bytesOf(bytes), got)
      expect(got).toEqual(expected)
    })
  }

  it('reads bytes that are not aligned', () => {
    const shifted = new Uint8Array(9)
    new DataView(shifted.buffer).setFloat32(1, 1.5, true)
    new DataView(shifted.buffer).setFloat32(5, -2, true)
    const out = new Float32Array(2)
    dequantize('F32', shifted.subarray(1), out)
    expect([...out]).toEqual([1.5, -2])
  })

  it('refuses lengths that do not match', () => {
    const mismatches: [GgmlType, number, number][] = [
      ['Q4_0', 18, 64],
      ['Q4_0', 17, 32],
      ['Q6_K', 210, 32],
      ['F16', 3, 1],
    ]
    for (const [type, byteLength, length] of mismatches) {
      expect(() => dequantize(type, new Uint8Array(byteLength), new Float32Array(length))).toThrow(
        expect.objectContaining({ code: 'invalid-argument' }),
      )
    }
  })
})

describe('quantize', () => {
  for (const [type, { bytes, floats }] of Object.entries(fixture.quantize)) {
    it(`gives the bytes of Python's gguf package for ${type}`, () => {
      if (!isOneOf(quantizable, type)) throw new Error(`${type} can't be made`)
      expect(quantize(type, floatsOf(floats))).toEqual(bytesOf(bytes))
    })
  }

  it('stays within half a step of each weight', () => {
    const values = floatsOf(fixture.quantize.Q8_0.floats)
    for (const type of quantizable) {
      const bytes = quantize(type, values)
      expect(bytes.length).toBe(sizeInBytes(type, values.length))
      const back = new Float32Array(values.length)
      dequantize(type, bytes, back)
      const { blockSize, bytesPerBlock } = blockLayouts[type]
      for (let block = 0; block < values.length; block += blockSize) {
        const slice = values.subarray(block, block + blockSize)
        const largest = slice.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
        // The range in steps: 2 × largest over 2^bits − 1, plus the rounding of scale and minimum to f16, which is no finer than 2^-24.
        const bits = { F32: 24, F16: 11, BF16: 8, Q8_0: 8, Q4_0: 4, Q4_1: 4, Q5_0: 5, Q5_1: 5 }[type]
        // Symmetric types lose up to a whole step at the end opposite to the extreme.
        const steps = type === 'Q4_0' || type === 'Q5_0' ? 1.01 : 0.51
        const bound = (steps * 2 * largest) / (2 ** bits - 1) + largest * 2 ** -10 + 2 ** bits * 2 ** -24
        slice.forEach((value, j) => {
          expect(Math.abs(back[block + j]! - value), `${type} of ${bytesPerBlock} bytes`).toBeLessThanOrEqual(
            bound,
          )
        })
      }
    }
  })

  it('refuses a part of a block', () => {
    expect(() => quantize('Q8_0', new Float32Array(33))).toThrow(
      expect.objectContaining({ code: 'invalid-argument' }),
    )
  })
})

describe('16-bit floats', () => {
  it('come back from every binary16 and every bfloat16', () => {
    const all = Array.from({ length: 65_536 }, (_, bits) => bits)
    const changedHalves = all.filter((bits) => {
      const value = halfToFloat(bits)
      return !Number.isNaN(value) && floatToHalf(value) !== bits
    })
    const changedBfloats = all.filter((bits) => {
      const value = bfloatToFloat(bits)
      return !Number.isNaN(value) && floatToBfloat(value) !== bits
    })
    expect([...changedHalves, ...changedBfloats]).toEqual([])
  })

  it('round to nearest, ties to even', () => {
    expect(floatToHalf(1 + 2 ** -11)).toBe(0x3c00)
    expect(floatToHalf(1 + 3 * 2 ** -11)).toBe(0x3c02)
    expect(floatToHalf(65519)).toBe(0x7bff)
    expect(floatToHalf(65520)).toBe(0x7c00)
    expect(floatToHalf(2 ** -25)).toBe(0)
    expect(floatToHalf(1.5 * 2 ** -24)).toBe(2)
    expect(floatToHalf(-1e-30)).toBe(0x8000)
    expect(floatToBfloat(1 + 2 ** -8)).toBe(0x3f80)
    expect(floatToBfloat(1 + 3 * 2 ** -8)).toBe(0x3f82)
  })

  it('keep NaN and infinity', () => {
    expect(halfToFloat(floatToHalf(Number.NaN))).toBeNaN()
    expect(bfloatToFloat(floatToBfloat(Number.NaN))).toBeNaN()
    expect(halfToFloat(floatToHalf(-Infinity))).toBe(-Infinity)
    expect(bfloatToFloat(floatToBfloat(Infinity))).toBe(Infinity)
  })
})
