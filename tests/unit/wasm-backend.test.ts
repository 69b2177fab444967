import { readFile } from 'node:fs/promises'
import { setFlagsFromString } from 'node:v8'
import { describe, expect, it } from 'vitest'
import type { Backend, LoadOptions } from '../../src/backend/backend'
import { loadWasm, loadWasmVariant } from '../../src/backend/wasm'
import type { Kernels } from '../../src/backend/wasm/kernel-module'
import {
  cacheFields,
  layerFields,
  modelFields,
  recordBytes,
  scratchFields,
  writeRecord,
} from '../../src/backend/wasm/records'
import type { ByteSource } from '../../src/contract/bytes'
import { parseGguf } from '../../src/gguf/parse'
import type { ModelDefinition } from '../../src/model/definition'
import { readModel } from '../../src/model/read-model'
import { memorySource } from '../../src/store/memory-source'
import { tinyModel, tinyVocabularySize } from '../fixtures/tiny-models'

// Node 20 has relaxed SIMD behind this flag.
if (Number(process.versions.node.split('.')[0]) < 21) setFlagsFromString('--experimental-wasm-relaxed-simd')

const file = tinyModel({ architecture: 'llama', type: 'Q4_1' })

async function readTiny(bytes = file): Promise<{ model: ModelDefinition; bytes: ByteSource }> {
  const source = memorySource(bytes)
  return { model: await readModel(await parseGguf(source), source), bytes: source }
}

const load = async (options: Partial<LoadOptions> = {}): Promise<Backend> =>
  loadWasmVariant({ ...(await readTiny()), threads: 1, ...options }, 'simd')

const ones = (length: number): number[] => Array.from({ length }, () => 1)

/** Threads of this process that have not ended. */
let runningThreads = 0
let startedThreads = 0
process.on('worker', (worker) => {
  runningThreads++
  startedThreads++
  worker.on('exit', () => runningThreads--)
})

describe('records', () => {
  it('have the sizes that every build of the kernels has', async () => {
    for (const variant of ['simd', 'relaxed16', 'relaxed32'] as const) {
      for (const shared of [false, true]) {
        const name = `${variant}${shared ? '-shared' : ''}.wasm`
        const module = await readFile(new URL(`../../build/kernels/${name}`, import.meta.url))
        const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared })
        const { instance } = await WebAssembly.instantiate(module, { env: { memory } })
        const kernels = instance.exports as unknown as Kernels
        expect(kernels.modelBytes()).toBe(recordBytes(modelFields))
        expect(kernels.layerBytes()).toBe(recordBytes(layerFields))
        expect(kernels.scratchBytes()).toBe(recordBytes(scratchFields))
        expect(kernels.cacheBytes()).toBe(recordBytes(cacheFields))
      }
    }
  })

  it('are written field by field, integers and floats', () => {
    const buffer = new ArrayBuffer(64)
    const fields = { a: 'i32', b: 'f32', c: 'i32' } as const
    expect(recordBytes(fields)).toBe(12)
    writeRecord(buffer, 16, fields, { a: 7, b: 0.5, c: 0xf000_0000 })
    const view = new DataView(buffer)
    expect([view.getUint32(12, true), view.getUint32(16, true)]).toEqual([0, 7])
    expect(view.getFloat32(20, true)).toBe(0.5)
    expect([view.getUint32(24, true), view.getUint32(28, true)]).toEqual([0xf000_0000, 0])
  })
})

describe('loading', () => {
  it('reports progress that ends with all bytes, and what it holds', async () => {
    const reports: [number, number][] = []
    const backend = await load({ onProgress: (loaded, total) => reports.push([loaded, total]) })
    const loaded = reports.map(([bytes]) => bytes)
    expect(loaded).toEqual(loaded.toSorted((a, b) => a - b))
    expect(reports.at(-1)![0]).toBe(reports.at(-1)![1])
    expect(backend).toMatchObject({ kind: 'wasm', variant: 'simd', threads: 1 })
    expect(backend.memoryBytes).toBeGreaterThan(backend.weightsBytes)
    backend.dispose()
    expect(backend.memoryBytes).toBe(0)
  })

  it('takes the threads it is asked for, at least one and at most 16', async () => {
    for (const [wanted, got] of [
      [3, 3],
      [0, 1],
      [-2, 1],
      [99, 16],
    ] as const) {
      const backend = await load({ threads: wanted })
      expect(backend.threads).toBe(got)
      backend.dispose()
    }
  })

  it('chooses a build that computes rightly here', async () => {
    const backend = await loadWasm({ ...(await readTiny()), threads: 1 })
    // relaxed32 would not, in V8 11.3 (tests/conformance/wasm.test.ts).
    if (process.versions.v8.startsWith('11.3.')) expect(backend.variant).toBe('relaxed16')
    else expect(backend.variant).toMatch(/^relaxed/)
    const session = backend.createSession({ contextLength: 8 })
    const [logits] = await session.forward([1, 2, 3])
    expect(logits!.values().every(Number.isFinite)).toBe(true)
    backend.dispose()
  })

  it.each([1, 2])('stops at a source that ends early, with %i threads', async (threads) => {
    const { model } = await readTiny()
    const before = startedThreads
    const truncated = memorySource(file.subarray(0, file.length - 1))
    await expect(load({ model, bytes: truncated, threads })).rejects.toMatchObject({ code: 'invalid-model' })
    expect(startedThreads).toBe(before + threads - 1)
    await expect.poll(() => runningThreads).toBe(0)
  })

  it.each([1, 2])('stops when its signal fires, with %i threads', async (threads) => {
    const before = startedThreads
    const controller = new AbortController()
    const reason = new Error('enough')
    const loading = load({
      threads,
      signal: controller.signal,
      onProgress: (loaded, total) => loaded > total / 2 && controller.abort(reason),
    })
    await expect(loading).rejects.toBe(reason)
    expect(startedThreads).toBe(before + threads - 1)
    await expect.poll(() => runningThreads).toBe(0)
    await expect(load({ threads, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    await expect.poll(() => runningThreads).toBe(0)
  })

  it('lets go of what a source throws', async () => {
    const { model, bytes } = await readTiny()
    let reads = 0
    const broken: ByteSource = {
      sizeBytes: bytes.sizeBytes,
      read: (offset, length, options) =>
        ++reads === 5 ? Promise.reject(new Error('the disk is gone')) : bytes.read(offset, length, options),
    }
    await expect(load({ model, bytes: broken })).rejects.toThrow('the disk is gone')
  })

  it('refuses heads that its kernels do not take', async () => {
    const { model, bytes } = await readTiny()
    const wrong = { ...model, headDim: 60 }
    await expect(load({ model: wrong, bytes })).rejects.toMatchObject({ code: 'unsupported' })
  })
})

describe('sessions', () => {
  it('name what is wrong with their arguments', async () => {
    const backend = await load()
    const session = backend.createSession({ contextLength: 80 })
    await expect(session.forward(ones(65))).rejects.toThrow('1 to 64 tokens, got 65')
    await expect(session.forward([])).rejects.toThrow('got 0')
    await expect(session.forward([3, tinyVocabularySize])).rejects.toThrow(
      `0 to ${tinyVocabularySize - 1}, got ${tinyVocabularySize}`,
    )
    await expect(session.forward([1], { outputs: 2 })).rejects.toThrow('outputs must be 0 to 1, got 2')
    await session.forward(ones(64), { outputs: 0 })
    await expect(session.forward(ones(17))).rejects.toMatchObject({
      code: 'context-overflow',
      details: { contextLength: 80, length: 64, tokens: 17 },
    })
    expect(session.length).toBe(64)
    expect(() => session.truncate(65)).toThrow('0 to 64, got 65')
    expect(() => session.shift(3, 70)).toThrow('0 ≤ from ≤ to ≤ 64, got 3, 70')
    for (const contextLength of [0, -1, 1.5, 513, Number.NaN]) {
      expect(() => backend.createSession({ contextLength })).toThrow(`1 to 512, got ${contextLength}`)
    }
    backend.dispose()
  })

  it('whose cache does not fit leave memory as it was', async () => {
    // 4 GiB of cache for two layers of two heads of 64: more than any memory has beside the weights.
    const contextLength = 2 ** 22
    const { model, bytes } = await readTiny(tinyModel({ architecture: 'llama', type: 'Q4_1', contextLength }))
    const backend = await load({ model, bytes })
    const before = backend.memoryBytes
    expect(() => backend.createSession({ contextLength })).toThrow(
      /^A KV cache of 4194304 tokens needs \d+ MiB more/,
    )
    expect(backend.memoryBytes).toBe(before)
    const session = backend.createSession({ contextLength: 64 })
    expect(await session.forward([1, 2, 3])).toHaveLength(1)
    backend.dispose()
  })

  it('made and disposed of 200 times take no more memory', async () => {
    const backend = await load()
    const sizes = new Set<number>()
    const used = new Set<number>()
    let first: Float32Array | undefined
    for (let round = 0; round < 200; round++) {
      // Of changing lengths, two at a time: what is free falls to pieces and must be joined again.
      const other = backend.createSession({ contextLength: 64 + (round % 5) * 64 })
      const session = backend.createSession({ contextLength: 512 })
      const [logits] = await session.forward([5, 6, 7])
      const values = logits!.values()
      first ??= values.slice()
      // Memory that others have used gives the same bits.
      expect(values).toEqual(first)
      if (round >= 5) sizes.add(values.buffer.byteLength)
      if (round % 2 === 0) other.dispose()
      session.dispose()
      other.dispose()
      session.dispose()
      used.add(backend.memoryBytes)
    }
    expect(sizes.size).toBe(1)
    expect(used.size).toBe(1)
    backend.dispose()
  })

  it('are disposed of with their backend, and its threads end', async () => {
    expect(runningThreads).toBe(0)
    const backend = await load({ threads: 3 })
    expect(runningThreads).toBe(2)
    const session = backend.createSession({ contextLength: 16 })
    await session.forward([1])
    backend.dispose()
    await expect(session.forward([1])).rejects.toMatchObject({ code: 'disposed' })
    expect(() => session.shift(0, 1)).toThrow('disposed')
    expect(() => backend.createSession({ contextLength: 16 })).toThrow('disposed')
    await expect.poll(() => runningThreads).toBe(0)
    session.dispose()
    backend.dispose()
  })
})
