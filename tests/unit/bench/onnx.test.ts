import * as ort from 'onnxruntime-web/wasm'
import { beforeAll, describe, expect, it } from 'vitest'
import { llamaOnnx } from '../../../bench/onnx/llama-onnx'
import { bytesField, floatField, integerField, textField } from '../../../bench/onnx/protobuf'
import { fromQ4_1, fromQ8_0, unpermuteHeads } from '../../../bench/onnx/quantised-weights'
import { OnnxRuntimeSession } from '../../../bench/page/onnxruntime-session'
import { loadReference } from '../../../src/backend/reference/load'
import { dequantize } from '../../../src/gguf/blocks'
import { parseGguf } from '../../../src/gguf/parse'
import { readModel } from '../../../src/model/read-model'
import { memorySource } from '../../../src/store/memory-source'
import { randomNumbers, randomWeights } from '../../fixtures/random-weights'
import { tinyModel, tinyVocabularySize } from '../../fixtures/tiny-models'

describe('the wire format of ONNX files', () => {
  it('writes the examples of its specification', () => {
    // https://protobuf.dev/programming-guides/encoding/: 150 in field 1, "testing" in field 2, the first in field 3.
    const bytes = (pieces: readonly Uint8Array[]): number[] => pieces.flatMap((piece) => [...piece])
    expect(bytes(integerField(1, 150))).toEqual([0x08, 0x96, 0x01])
    expect(bytes(textField(2, 'testing'))).toEqual([0x12, 7, ...new TextEncoder().encode('testing')])
    expect(bytes(bytesField(3, integerField(1, 150)))).toEqual([0x1a, 3, 0x08, 0x96, 0x01])
    expect(bytes(floatField(2, 1))).toEqual([0x15, 0, 0, 0x80, 0x3f])
  })

  it('writes integers beyond 32 bits', () => {
    expect([...integerField(1, 2 ** 35)[0]!]).toEqual([8, 128, 128, 128, 128, 128, 1])
    expect(() => integerField(1, -1)).toThrow(RangeError)
  })
})

describe('weights for MatMulNBits', () => {
  const [rows, columns] = [6, 96]

  it('are those of the Q4_1 blocks', () => {
    const bytes = randomWeights('Q4_1', rows * columns, 1, randomNumbers(5))
    const expected = new Float32Array(rows * columns)
    dequantize('Q4_1', bytes, expected)
    const { quants, scales, offsets } = fromQ4_1(bytes, rows, columns)
    expected.forEach((weight, index) => {
      const block = Math.floor(index / 32)
      const [row, column] = [Math.floor(index / columns), index % columns]
      const quant = (quants[index >> 1]! >> (4 * (index & 1))) & 15
      const offset = offsets[Math.floor(column / 32) * rows + row]!
      expect(scales[block]! * (quant - 8) + offset).toBeCloseTo(weight, 5)
    })
  })

  it('are those of the Q8_0 blocks', () => {
    const bytes = randomWeights('Q8_0', rows * columns, 1, randomNumbers(6))
    const expected = new Float32Array(rows * columns)
    dequantize('Q8_0', bytes, expected)
    const { quants, scales } = fromQ8_0(bytes, rows, columns)
    const got = Array.from(quants, (quant, index) => (quant - 128) * scales[Math.floor(index / 32)]!)
    expect(Float32Array.from(got)).toEqual(expected)
  })

  it('get back the order of rows they were trained in', () => {
    const permuted = Uint8Array.of(0, 4, 1, 5, 2, 6, 3, 7, 10, 14, 11, 15, 12, 16, 13, 17)
    const trained = [0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17]
    expect([...unpermuteHeads(permuted, 8, 1)]).toEqual(trained)
  })
})

describe('a llama model as ONNX, in onnxruntime-web', () => {
  const tokens = Array.from({ length: 40 }, (_, index) => (index * 37 + 11) % tinyVocabularySize)
  const all = tokens.map((_, index) => index)
  let session: OnnxRuntimeSession
  /** (tokens, vocabulary) */
  let expected: Float32Array

  beforeAll(async () => {
    const bytes = memorySource(
      tinyModel({ architecture: 'llama', type: 'Q4_1', embeddingType: 'Q8_0', tied: true }),
    )
    const model = await readModel(await parseGguf(bytes), bytes)
    const backend = await loadReference({ model, bytes })
    const rows = await backend
      .createSession({ contextLength: tokens.length })
      .forward(tokens, { outputs: tokens.length })
    expected = Float32Array.from(rows.flatMap((row) => [...row.values()]))
    backend.dispose()
    ort.env.wasm.numThreads = 1
    const file = Buffer.concat(await llamaOnnx(model, bytes, { contextLength: 64 }))
    session = await OnnxRuntimeSession.create(ort, file, 'wasm')
  })

  it('gives the logits of the reference', async () => {
    const { logits } = await session.append(session.empty(), tokens, all)
    expect(largestDifference(logits, expected)).toBeLessThan(1e-3)
  })

  it('gives them in pieces and one by one too', async () => {
    const first = await session.append(session.empty(), tokens.slice(0, 20), all.slice(0, 20))
    const second = await session.append(first.cache, tokens.slice(20, 38), all.slice(0, 18))
    const third = await session.append(second.cache, tokens.slice(38, 39))
    const fourth = await session.append(third.cache, tokens.slice(39))
    const pieces = [first, second, third, fourth].flatMap(({ logits }) => [...logits])
    expect(fourth.cache.length).toBe(40)
    expect(largestDifference(Float32Array.from(pieces), expected)).toBeLessThan(1e-3)
  })
})

function largestDifference(one: Float32Array, other: Float32Array): number {
  expect(one.length).toBe(other.length)
  return one.reduce((largest, value, index) => Math.max(largest, Math.abs(value - other[index]!)), 0)
}
