import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dequantize } from '../../src/gguf/blocks'
import { ConvertedGguf } from '../../src/gguf/converted-gguf'
import { parseGguf } from '../../src/gguf/parse'
import { quantize } from '../../src/gguf/quantize'
import { memorySource } from '../../src/store/memory-source'
import { chooseTypes, groupBytes, groupTensors } from '../../src/workbench/mixed-recipe'
import { quantizeModelFile } from '../../src/workbench/node-quantize-model'
import { verifyModel } from '../../src/workbench/node-verify-model'
import { tinyModel } from '../fixtures/tiny-models'

let folder: string
let source: string
const floats = tinyModel({ architecture: 'llama', type: 'F32', layers: 3, tied: true })

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'minnow-'))
  source = join(folder, 'floats.gguf')
  await writeFile(source, floats)
})
afterAll(() => rm(folder, { recursive: true }))

async function tensorOf(path: string, name: string): Promise<{ type: string; bytes: Uint8Array }> {
  const file = await readFile(path)
  const tensor = (await parseGguf(memorySource(file))).tensors.get(name)!
  return {
    type: tensor.type,
    bytes: file.subarray(tensor.offsetBytes, tensor.offsetBytes + tensor.sizeBytes),
  }
}

describe('quantizeModelFile', () => {
  it.each([
    ['Q8_0', 'Q8_0', 0.01],
    ['Q4_1', 'Q8_0', 0.1],
    ['Q4_0', 'Q8_0', 0.12],
    ['F16', 'F16', 0.001],
  ] as const)('writes %s as the block formats say, and tells its error', async (type, embedding, most) => {
    const to = join(folder, `${type}.gguf`)
    const report = await quantizeModelFile(source, to, { type })
    expect(await verifyModel(to)).toMatchObject({ problems: [], unsupported: null })
    expect(report.requantised).toBe(0)
    expect(report.sizeBytesAfter).toBe((await readFile(to)).length)
    expect(report.sizeBytesAfter).toBeLessThan(report.sizeBytesBefore)
    for (const [name, wanted] of [
      ['token_embd.weight', embedding],
      ['blk.1.ffn_down.weight', type],
      ['blk.1.ffn_norm.weight', 'F32'],
    ] as const) {
      const before = await tensorOf(source, name)
      const after = await tensorOf(to, name)
      expect(after.type).toBe(wanted)
      const values = new Float32Array(new Uint8Array(before.bytes).buffer)
      // Not toEqual: what differs would be told byte by byte.
      expect(Buffer.compare(after.bytes, quantize(wanted, values))).toBe(0)
      const again = new Float32Array(values.length)
      dequantize(wanted, after.bytes, again)
      const squares = values.reduce((sum, value) => sum + value * value, 0)
      const errors = values.reduce((sum, value, index) => sum + (value - again[index]!) ** 2, 0)
      const row = report.tensors.find((each) => each.name === name)!
      expect(row.relativeError).toBeCloseTo(Math.sqrt(errors / squares), 9)
      expect(row.relativeError).toBeLessThan(most)
    }
  })

  it('keeps all else of the file: metadata, vocabulary, names and shapes', async () => {
    const to = join(folder, 'same.gguf')
    await quantizeModelFile(source, to, { type: 'Q4_0', embeddingType: 'Q4_0' })
    const before = await parseGguf(memorySource(floats))
    const after = await parseGguf(memorySource(await readFile(to)))
    const added = ['general.file_type', 'general.quantization_version']
    for (const [key, value] of before.metadata) {
      if (!added.includes(key)) expect(after.metadata.get(key)).toEqual(value)
    }
    expect(after.metadata.get('general.file_type')).toBe(2)
    expect([...after.tensors.values()].map(({ name, shape }) => [name, shape])).toEqual(
      [...before.tensors.values()].map(({ name, shape }) => [name, shape]),
    )
  })

  it('says of weights that were quantised before that they were', async () => {
    const to = join(folder, 'again.gguf')
    await quantizeModelFile(source, join(folder, 'once.gguf'), { type: 'Q4_1' })
    const report = await quantizeModelFile(join(folder, 'once.gguf'), to, { type: 'Q8_0' })
    expect(report.requantised).toBeGreaterThan(0)
  })

  it('replaces nothing unasked, and leaves nothing of what fails or is stopped', async () => {
    const to = join(folder, 'kept.gguf')
    await writeFile(to, 'mine')
    await expect(quantizeModelFile(source, to, { type: 'Q8_0' })).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('--force') as string,
    })
    await expect(quantizeModelFile(source, source, { type: 'Q8_0', force: true })).rejects.toMatchObject({
      code: 'invalid-argument',
    })
    const stopped = AbortSignal.abort(new Error('enough'))
    await expect(
      quantizeModelFile(source, to, { type: 'Q8_0', force: true, signal: stopped }),
    ).rejects.toThrow('enough')
    const during = new AbortController()
    const stopSoon = quantizeModelFile(source, to, {
      type: 'Q8_0',
      force: true,
      signal: during.signal,
      onProgress: () => during.abort(new Error('now')),
    })
    await expect(stopSoon).rejects.toThrow('now')
    await expect(
      quantizeModelFile(source, join(folder, 'small.gguf'), { type: 'Q8_0', maxBytes: 1000 }),
    ).rejects.toMatchObject({ code: 'invalid-argument' })
    expect(await readFile(to, 'utf8')).toBe('mine')
    expect((await readdir(folder)).filter((name) => /part|small/.test(name))).toEqual([])
  })

  it('mixed: keeps the limit, and strays less than the smallest type throughout', async () => {
    const to = join(folder, 'mixed.gguf')
    const text = 'The quick brown fox jumps over the lazy dog, again and again, until it rests. '.repeat(4)
    const smallest = await quantizeModelFile(source, join(folder, 'q4.gguf'), {
      type: 'Q4_0',
      embeddingType: 'Q4_0',
    })
    const maxBytes = Math.round(smallest.sizeBytesAfter * 1.15)
    const { mixed, sizeBytesAfter } = await quantizeModelFile(source, to, {
      type: 'mixed',
      maxBytes,
      measure: { text, tokens: 48, bands: 1, threads: 1 },
    })
    expect(sizeBytesAfter).toBeLessThanOrEqual(maxBytes)
    expect(await verifyModel(to)).toMatchObject({ problems: [], unsupported: null })
    const inQ4 = mixed!.uniform.find(({ type }) => type === 'Q4_0')!
    expect(mixed!.divergence).toBeGreaterThan(0)
    expect(mixed!.divergence).toBeLessThan(inQ4.divergence)
    expect(new Set(mixed!.groups.map(({ type }) => type)).size).toBeGreaterThan(1)
    await expect(
      quantizeModelFile(source, to, {
        type: 'mixed',
        force: true,
        measure: { text: 'x', tokens: 48, bands: 1 },
      }),
    ).rejects.toMatchObject({ code: 'invalid-argument' })
  })
})

describe('ConvertedGguf', () => {
  it('gives any range as the whole file has it', async () => {
    const gguf = await parseGguf(memorySource(floats))
    const types = new Map([...gguf.tensors.keys()].map((name) => [name, 'Q8_0' as const]))
    types.delete('output_norm.weight')
    for (const name of types.keys()) if (name.endsWith('_norm.weight')) types.delete(name)
    const converted = await ConvertedGguf.of(memorySource(floats), gguf, { types })
    const whole = (await converted.read(0, converted.sizeBytes)).slice()
    let seed = 7
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
      return seed % below
    }
    for (let i = 0; i < 200; i++) {
      const from = random(whole.length)
      const length = random(Math.min(5000, whole.length - from + 1))
      expect(await converted.read(from, length)).toEqual(whole.subarray(from, from + length))
    }
    await expect(converted.read(whole.length - 1, 2)).rejects.toMatchObject({ code: 'invalid-model' })
  })
})

describe('chooseTypes', () => {
  it('spends bytes where they save most, and never too many', async () => {
    const { tensors } = await parseGguf(memorySource(floats))
    const matrices = [...tensors.values()].filter(({ name }) => /ffn_(down|up)/.test(name))
    const groups = groupTensors(matrices, 1)
    expect(groups.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['ffn_up, layers 0 to 2', 'ffn_down, layers 0 to 2']),
    )
    const [first, second] = groups
    const rated = [
      { group: first!, damage: { Q4_0: 1, Q4_1: 0.9, Q8_0: 0 } },
      { group: second!, damage: { Q4_0: 5, Q4_1: 4, Q8_0: 0 } },
    ]
    const least = groupBytes(first!, 'Q4_0') + groupBytes(second!, 'Q4_0')
    expect([...chooseTypes(rated, least).values()]).toEqual(['Q4_0', 'Q4_0'])
    const room = groupBytes(first!, 'Q4_0') + groupBytes(second!, 'Q8_0')
    expect([...chooseTypes(rated, room).values()]).toEqual(['Q4_0', 'Q8_0'])
    expect([...chooseTypes(rated, Infinity).values()]).toEqual(['Q8_0', 'Q8_0'])
    expect(() => chooseTypes(rated, least - 1)).toThrow('--max-bytes')
  })
})
