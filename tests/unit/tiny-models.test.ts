import { describe, expect, it } from 'vitest'
import { ggmlTypes } from '../../src/gguf/block-layout'
import { dequantize } from '../../src/gguf/blocks'
import { metadataStrings } from '../../src/gguf/metadata'
import { parseGguf } from '../../src/gguf/parse'
import { memorySource } from '../../src/store/memory-source'
import { tinyArchitectures, tinyModel, tinyVocabularySize } from '../fixtures/tiny-models'

// That llama.cpp loads them is shown by the conformance tests, which compare its logits with ours.
describe('tiny models', () => {
  it('are the same for the same options, and others for another seed', () => {
    const options = { architecture: 'llama', type: 'Q3_K', layers: 1 } as const
    expect(tinyModel(options)).toEqual(tinyModel(options))
    expect(tinyModel({ ...options, seed: 2 })).not.toEqual(tinyModel(options))
  })

  it('have as many tokens as rows of embeddings, no token twice', async () => {
    const gguf = await parseGguf(memorySource(tinyModel({ architecture: 'gemma3', layers: 1 })))
    const tokens = metadataStrings(gguf, 'tokenizer.ggml.tokens')
    expect(new Set(tokens).size).toBe(tinyVocabularySize)
    expect(gguf.tensors.get('token_embd.weight')!.shape[1]).toBe(tinyVocabularySize)
  })

  for (const type of ggmlTypes) {
    it(`have weights of sane size in ${type}`, async () => {
      const architecture = tinyArchitectures[ggmlTypes.indexOf(type) % tinyArchitectures.length]!
      const file = tinyModel({ architecture, type, layers: 1 })
      const { tensors } = await parseGguf(memorySource(file))
      const { shape, offsetBytes, sizeBytes } = tensors.get('blk.0.ffn_up.weight')!
      const weights = new Float32Array(shape[0]! * shape[1]!)
      dequantize(type, file.subarray(offsetBytes, offsetBytes + sizeBytes), weights)
      const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length
      const rms = Math.sqrt(weights.reduce((sum, weight) => sum + weight * weight, 0) / weights.length)
      expect(rms * Math.sqrt(shape[0]!)).toBeCloseTo(1, 1)
      expect(Math.abs(mean / rms)).toBeLessThan(0.15)
    })
  }
})
