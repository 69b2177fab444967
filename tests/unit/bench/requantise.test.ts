import { describe, expect, it } from 'vitest'
import { requantise } from '../../../bench/requantise'
import { dequantize } from '../../../src/gguf/blocks'
import { parseGguf } from '../../../src/gguf/parse'
import { quantize } from '../../../src/gguf/quantize'
import type { Gguf } from '../../../src/gguf/types'
import { memorySource } from '../../../src/store/memory-source'
import { writeGguf } from '../../fixtures/gguf-writer'
import { randomFloats, randomNumbers } from '../../fixtures/random-weights'

const floats = randomFloats(64 * 3, 0, 1, randomNumbers(1))
const norm = quantize('F32', Float32Array.of(1, 2, 3))
const original = writeGguf({
  metadata: { 'general.name': ['string', 'two.weight'], 'general.file_type': ['uint32', 3] },
  tensors: [
    { name: 'one.weight', type: 'F32', shape: [3], bytes: norm },
    { name: 'two.weight', type: 'Q4_1', shape: [64, 3], bytes: quantize('Q4_1', floats) },
    { name: 'three.weight', type: 'Q8_0', shape: [64, 3], bytes: quantize('Q8_0', floats) },
  ],
})

function weightsOf(file: Uint8Array, gguf: Gguf, name: string): Float32Array {
  const tensor = gguf.tensors.get(name)!
  const weights = new Float32Array(tensor.shape.reduce((product, length) => product * length, 1))
  dequantize(tensor.type, file.subarray(tensor.offsetBytes, tensor.offsetBytes + tensor.sizeBytes), weights)
  return weights
}

describe('requantise', () => {
  it.each(['Q4_0', 'Q8_0'] as const)('turns the Q4_1 matrices into %s and leaves the rest', async (type) => {
    const before = await parseGguf(memorySource(original))
    const file = await requantise(original, type)
    const after = await parseGguf(memorySource(file))
    expect([...after.metadata]).toEqual([...before.metadata])
    expect([...after.tensors.values()].map((tensor) => tensor.type)).toEqual(['F32', type, 'Q8_0'])
    for (const name of ['one.weight', 'three.weight']) {
      expect(weightsOf(file, after, name)).toEqual(weightsOf(original, before, name))
    }
    const from = weightsOf(original, before, 'two.weight')
    const to = weightsOf(file, after, 'two.weight')
    // Half a step of the coarser type: its range of values (8 is more than any of them) in 16 or 256 steps.
    const bound = type === 'Q4_0' ? 8 / 16 : 8 / 256
    to.forEach((value, index) => expect(Math.abs(value - from[index]!)).toBeLessThan(bound))
  })

  it('refuses bytes that are no GGUF', async () => {
    await expect(requantise(new Uint8Array(64), 'Q8_0')).rejects.toThrow(/GGUF/)
  })
})
