import { describe, expect, it } from 'vitest'
import { isEngineError } from '../../src/contract/error'
import { parseGguf } from '../../src/gguf/parse'
import type { GgufTensor, GgufValue } from '../../src/gguf/types'
import type { ModelDefinition } from '../../src/model/definition'
import { readModel } from '../../src/model/read-model'
import { memorySource } from '../../src/store/memory-source'
import {
  tinyModel,
  tinySlidingWindow,
  tinyVocabularySize,
  type TinyModelOptions,
} from '../fixtures/tiny-models'

async function readTiny(options: TinyModelOptions): Promise<ModelDefinition> {
  const bytes = memorySource(tinyModel(options))
  return readModel(await parseGguf(bytes), bytes)
}

const tinyLlama = tinyModel({ architecture: 'llama', ropeFactors: true })
const tinyGemma = tinyModel({ architecture: 'gemma3' })

/** Reads a tiny llama whose header was changed. */
async function errorOf(change: {
  metadata?: Record<string, GgufValue | undefined>
  tensors?: Record<string, Partial<GgufTensor> | undefined>
}): Promise<string> {
  const bytes = memorySource(tinyLlama)
  const gguf = await parseGguf(bytes)
  const metadata = new Map(gguf.metadata)
  for (const [key, value] of Object.entries(change.metadata ?? {})) {
    if (value === undefined) metadata.delete(key)
    else metadata.set(key, value)
  }
  const tensors = new Map(gguf.tensors)
  for (const [name, value] of Object.entries(change.tensors ?? {})) {
    if (value === undefined) tensors.delete(name)
    else
      tensors.set(name, {
        ...(tensors.get(name) ?? gguf.tensors.get('blk.0.attn_q.weight')!),
        name,
        ...value,
      })
  }
  try {
    await readModel({ ...gguf, metadata, tensors }, bytes)
  } catch (error) {
    return isEngineError(error) ? `${error.code}: ${error.message}` : String(error)
  }
  return 'no error'
}

describe('readModel', () => {
  it('reads llama', async () => {
    const model = await readTiny({ architecture: 'llama', type: 'Q4_1' })
    expect(model).toMatchObject({
      architecture: 'llama',
      name: 'Tiny random llama Q4_1',
      vocabularySize: tinyVocabularySize,
      contextLength: 512,
      embeddingLength: 256,
      headCount: 4,
      kvHeadCount: 2,
      headDim: 64,
      feedForwardLength: 512,
      embeddingScale: 1,
      attentionScale: 1 / 8,
      logitSoftcap: null,
      attentionSoftcap: null,
      activation: 'silu',
    })
    expect(model.normEpsilon).toBeCloseTo(1e-5, 10)
    expect(model.layers.length).toBe(2)
    expect(model.layers[1]).toMatchObject({
      query: { name: 'blk.1.attn_q.weight', type: 'Q4_1', shape: [256, 256] },
      key: { name: 'blk.1.attn_k.weight', shape: [256, 128] },
      down: { name: 'blk.1.ffn_down.weight', shape: [512, 256] },
      queryBias: null,
      queryNorm: null,
      postAttentionNorm: null,
      window: null,
    })
    expect(model.outputHead.name).toBe('output.weight')
    const { style, dimensionCount, frequencies } = model.layers[0]!.rope
    expect([style, dimensionCount, frequencies.length]).toEqual(['interleaved', 64, 32])
    expect(frequencies[0]).toBe(1)
    expect(frequencies[16]).toBeCloseTo(1e5 ** -0.5, 8)
  })

  it('divides the frequencies of llama by rope_freqs factors', async () => {
    const plain = await readTiny({ architecture: 'llama' })
    const stretched = await readTiny({ architecture: 'llama', ropeFactors: true })
    const ratios = plain.layers[0]!.rope.frequencies.map(
      (f, i) => f / stretched.layers[0]!.rope.frequencies[i]!,
    )
    expect(ratios[0]).toBe(1)
    expect(ratios[14]).toBeCloseTo(3, 5)
    expect(ratios[31]).toBeCloseTo(8, 5)
  })

  it('reads biases of qwen2', async () => {
    const { layers, tokenEmbedding, outputHead } = await readTiny({ architecture: 'qwen2', tied: true })
    expect(layers[0]!.rope.style).toBe('half')
    expect(layers[0]!.queryBias?.shape).toEqual([256])
    expect(layers[0]!.keyBias?.shape).toEqual([64])
    expect(layers[0]!.valueBias?.name).toBe('blk.0.attn_v.bias')
    expect(outputHead).toBe(tokenEmbedding)
  })

  it('reads head norms of qwen3 and heads wider than embedding / heads', async () => {
    const { layers, headDim, attentionScale } = await readTiny({ architecture: 'qwen3' })
    expect(headDim).toBe(128)
    expect(attentionScale).toBeCloseTo(1 / Math.sqrt(128), 10)
    expect(layers[0]!.queryNorm?.shape).toEqual([128])
    expect(layers[0]!.keyNorm?.shape).toEqual([128])
    expect(layers[0]!.query.shape).toEqual([256, 512])
  })

  it('makes each sixth layer of gemma3 global, with its own RoPE', async () => {
    const model = await readTiny({
      architecture: 'gemma3',
      metadata: {
        'gemma3.rope.scaling.factor': ['float32', 8],
        'gemma3.rope.scaling.type': ['string', 'linear'],
      },
    })
    const w = tinySlidingWindow
    expect(model.layers.map((layer) => layer.window)).toEqual([w, w, w, w, w, null, w])
    expect(model).toMatchObject({ activation: 'gelu', embeddingScale: 16, attentionScale: 1 / 16 })
    const local = model.layers[0]!.rope.frequencies
    const global = model.layers[5]!.rope.frequencies
    expect([local[0], global[0]]).toEqual([1, 1 / 8])
    expect(local[64]).toBeCloseTo(10_000 ** -0.5, 8)
    expect(global[64]).toBeCloseTo(1_000_000 ** -0.5 / 8, 8)
    expect(model.layers[3]!.postAttentionNorm?.name).toBe('blk.3.post_attention_norm.weight')
    expect(model.layers[3]!.postFeedForwardNorm?.name).toBe('blk.3.post_ffw_norm.weight')
  })

  it('lets the file of gemma3 say which layers are local', async () => {
    const pattern = 'gemma3.attention.sliding_window_pattern'
    const windows = async (value: GgufValue): Promise<(number | null)[]> => {
      const bytes = memorySource(tinyGemma)
      const gguf = await parseGguf(bytes)
      const metadata = new Map(gguf.metadata).set(pattern, value)
      return (await readModel({ ...gguf, metadata }, bytes)).layers.map((layer) => layer.window)
    }
    const w = tinySlidingWindow
    expect(await windows(2)).toEqual([w, null, w, null, w, null, w])
    expect(await windows(0)).toEqual([w, w, w, w, w, w, w])
    expect(await windows([true, false, false, true, true, true, false])).toEqual([
      w,
      null,
      null,
      w,
      w,
      w,
      null,
    ])
    await expect(windows([true])).rejects.toMatchObject({ code: 'invalid-model' })
  })

  it('scales attention of the largest gemma3 by embedding / heads', async () => {
    const bytes = memorySource(tinyGemma)
    const gguf = await parseGguf(bytes)
    const metadata = new Map(gguf.metadata).set('gemma3.block_count', 62)
    const tensors = new Map(gguf.tensors)
    for (const [name, tensor] of gguf.tensors) {
      if (!name.startsWith('blk.0.')) continue
      for (let i = 7; i < 62; i++) tensors.set(name.replace('0', String(i)), tensor)
    }
    const { attentionScale } = await readModel({ ...gguf, metadata, tensors }, bytes)
    expect(attentionScale).toBeCloseTo(1 / Math.sqrt(128), 10)
  })

  it('reads the cap on the logits of gemma3', async () => {
    const metadata = { 'gemma3.final_logit_softcapping': ['float32', 30] } as const
    expect((await readTiny({ architecture: 'gemma3', metadata })).logitSoftcap).toBe(30)
  })

  it('mixes frequencies by YaRN and grows queries and keys', async () => {
    const plain = await readTiny({ architecture: 'qwen2' })
    const yarn = await readTiny({
      architecture: 'qwen2',
      metadata: {
        'qwen2.rope.scaling.type': ['string', 'yarn'],
        'qwen2.rope.scaling.factor': ['float32', 4],
        'qwen2.rope.scaling.original_context_length': ['uint32', 4096],
      },
    })
    const ratio = (i: number): number =>
      plain.layers[0]!.rope.frequencies[i]! / yarn.layers[0]!.rope.frequencies[i]!
    expect(ratio(0)).toBe(1)
    expect(ratio(31)).toBeCloseTo(4, 5)
    expect(yarn.attentionScale / plain.attentionScale).toBeCloseTo((1 + 0.1 * Math.log(4)) ** 2, 8)
  })
})

describe('readModel refuses', () => {
  it.each([
    [
      { metadata: { 'general.architecture': 'mamba' } },
      /^unsupported: .*"mamba".*llama, qwen2, qwen3, gemma3/,
    ],
    [{ metadata: { 'general.architecture': 'toString' } }, /^unsupported: .*"toString"/],
    [{ metadata: { 'general.architecture': undefined } }, /^unsupported: .*null/],
    [
      { metadata: { 'llama.block_count': undefined } },
      /^invalid-model: .*"llama\.block_count" must be .*absent/,
    ],
    [{ metadata: { 'llama.block_count': 0 } }, /^invalid-model: .*"llama\.block_count" must be .*it is 0\./],
    [
      { metadata: { 'llama.block_count': 1e9 } },
      /^invalid-model: .*"llama\.block_count" must be .*it is 1000000000\./,
    ],
    [{ metadata: { 'llama.block_count': 3 } }, /^invalid-model: .*lacks tensor blk\.2\./],
    [{ metadata: { 'llama.block_count': 1 } }, /^unsupported: .*tensor\(s\).*blk\.1\./],
    [
      { metadata: { 'llama.embedding_length': 'wide' } },
      /^invalid-model: .*"llama\.embedding_length" must be .*it is the string "wide"/,
    ],
    [{ metadata: { 'llama.embedding_length': 128 } }, /^invalid-model: .*shape \[256\].*asks for \[128\]/],
    [{ metadata: { 'llama.attention.head_count_kv': 3 } }, /^invalid-model: .*4 query heads and 3 key heads/],
    [
      { metadata: { 'llama.attention.head_count': new Uint32Array([4, 2]) } },
      /^unsupported: .*different sizes/,
    ],
    [{ metadata: { 'llama.attention.value_length': 32 } }, /^unsupported: .*64 and value heads of 32/],
    [{ metadata: { 'llama.attention.layer_norm_rms_epsilon': Number.NaN } }, /^invalid-model: .*epsilon/],
    [{ metadata: { 'llama.rope.dimension_count': 32 } }, /^unsupported: .*rotates 32 of 64/],
    [
      { metadata: { 'llama.rope.freq_base': -1 } },
      /^invalid-model: .*"llama\.rope\.freq_base" must be .*it is -1\./,
    ],
    [{ metadata: { 'llama.rope.scaling.type': 'longrope' } }, /^unsupported: .*"longrope"/],
    [{ metadata: { 'llama.expert_count': 8 } }, /^unsupported: .*mixture of 8 experts/],
    [{ metadata: { 'tokenizer.ggml.tokens': ['a'] } }, /^invalid-model: .*301 embeddings.*1 tokens/],
    [{ tensors: { 'token_embd.weight': undefined } }, /^invalid-model: .*token_embd\.weight/],
    [{ tensors: { 'blk.1.ffn_up.weight': undefined } }, /^invalid-model: .*blk\.1\.ffn_up\.weight/],
    [
      { tensors: { 'blk.1.ffn_up.weight': { shape: [512, 256] } } },
      /^invalid-model: .*\[512, 256\].*\[256, 512\]/,
    ],
    [{ tensors: { 'blk.0.attn_norm.weight': { type: 'Q8_0' } } }, /^invalid-model: .*attn_norm.*Q8_0/],
    [{ tensors: { 'blk.0.attn_qkv.weight': {} } }, /^unsupported: .*blk\.0\.attn_qkv\.weight/],
    [{ tensors: { 'rope_freqs.weight': { type: 'F16' } } }, /^unsupported: .*F16/],
    [{ tensors: { 'rope_freqs.weight': { offsetBytes: 1e9 } } }, /^invalid-model: /],
  ] as const)('%j', async (change, message) => {
    expect(await errorOf(change)).toMatch(message)
  })
})

it('leaves a good header as it is', async () => {
  expect(await errorOf({})).toBe('no error')
  expect(await errorOf({ metadata: { 'llama.attention.head_count': new Uint32Array([4, 4]) } })).toBe(
    'no error',
  )
})
