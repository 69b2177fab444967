import { afterEach, describe, expect, it, vi } from 'vitest'
import type { LoadOptions } from '../../src/backend/backend'
import type { NoteStorage } from '../../src/backend/device/notes'
import { checkProbe, makeProbe } from '../../src/backend/device/probe'
import { loadBackend, type SelectOptions } from '../../src/backend/select'
import { EngineError } from '../../src/contract/error'
import { FakeDevice, type FakeDeviceOptions } from './fake-device'

const sampleTokens = Array.from({ length: 40 }, (_, i) => (i * 13 + 5) % 64)

/** A device to be chosen for, and what became of it. */
class Device {
  readonly notes = new Map<string, unknown>()
  readonly opened: FakeDevice[] = []
  readonly progress: number[] = []
  gpuFacts: { name: string; key: string; isFallback: boolean } | null = {
    name: 'Fake GPU',
    key: 'fake|gpu',
    isFallback: false,
  }
  /** In place of `gpuFacts`. */
  findGpu: ((preference: GPUPowerPreference | undefined) => NonNullable<Device['gpuFacts']>) | null = null
  gpu: Partial<FakeDeviceOptions> = {}
  wasm: Partial<FakeDeviceOptions> = {}
  /** Instead of a GPU that loads. */
  loadGpu: ((options: LoadOptions) => Promise<FakeDevice>) | null = null
  failWasm: EngineError | null = null

  async load(options: Partial<SelectOptions> = {}) {
    const open = (given: FakeDeviceOptions, { onProgress }: LoadOptions): FakeDevice => {
      const device = new FakeDevice(given)
      this.opened.push(device)
      onProgress?.(50, 100)
      onProgress?.(100, 100)
      return device
    }
    return loadBackend({
      model: {} as LoadOptions['model'],
      bytes: { sizeBytes: 0, read: () => Promise.reject(new Error('read')) },
      sampleTokens,
      modelKey: 'model',
      notes: this.storage(),
      onProgress: (loaded, total) => this.progress.push(loaded / total),
      loaders: {
        wasm: async (given) => {
          if (this.failWasm !== null) throw this.failWasm
          return open({ kind: 'wasm', ...this.wasm }, given)
        },
        webgpu: async (given) => {
          if (this.loadGpu !== null) return this.loadGpu(given)
          return open({ kind: 'webgpu', ...this.gpu }, given)
        },
        findGpu: async ({ powerPreference }) => {
          if (this.findGpu !== null) return this.findGpu(powerPreference)
          if (this.gpuFacts === null)
            throw new EngineError('unsupported', 'WebGPU finds no GPU on this device.')
          return this.gpuFacts
        },
      },
      ...options,
    })
  }

  storage(): NoteStorage {
    return {
      read: async (key) => this.notes.get(key),
      write: async (key, note) => void this.notes.set(key, note),
      delete: async (key) => void this.notes.delete(key),
    }
  }

  /** Kinds of the devices that still hold memory. */
  get alive(): string[] {
    return this.opened.filter(({ disposed }) => !disposed).map(({ kind }) => kind)
  }

  forget(): void {
    this.opened.length = 0
    this.progress.length = 0
  }
}

/** Seconds of the fake timers. */
const seconds = (count: number): Promise<void> =>
  new Promise((resolve) => void setTimeout(resolve, count * 1000))

/** Lets fake time pass until there is a result. */
async function outlast<Result>(work: Promise<Result>): Promise<Result> {
  const isOver = work.then(() => true)
  for (;;) {
    await vi.advanceTimersByTimeAsync(100)
    const turn = new Promise<false>((resolve) => setImmediate(() => resolve(false)))
    if (await Promise.race([isOver, turn])) return work
  }
}

afterEach(() => void vi.useRealTimers())

describe('the choice of a backend', () => {
  it.each([
    [null, 'WebGPU finds no GPU on this device.'],
    [{ name: 'SwiftShader', key: 's', isFallback: true }, 'SwiftShader is a software adapter'],
  ])('is WebAssembly where there is no real GPU, and says so', async (facts, words) => {
    const device = new Device()
    device.gpuFacts = facts
    const { backend, reason } = await device.load()
    expect(backend.kind).toBe('wasm')
    expect(reason()).toContain(words)
    expect(device.opened).toHaveLength(1)
    expect(device.progress).toEqual([0.5, 1])
  })

  it('is WebAssembly where the GPU has no room for the context, and an error where the GPU was asked for', async () => {
    const device = new Device()
    device.gpu = { stepMs: 0, mostTokens: 4096 }
    device.wasm = { stepMs: 10, maxBatch: 32 }
    const short = await device.load({ contextLength: 4096 })
    expect(short.backend.kind).toBe('webgpu')
    const probe = await makeProbe(new FakeDevice({ kind: 'wasm', maxBatch: 32 }), sampleTokens)
    // Remembered as the faster, and measured for the first time.
    for (const notes of [device.storage(), undefined]) {
      device.forget()
      const { backend, reason } = await device.load({ contextLength: 8192, probe, notes })
      expect(backend.kind).toBe('wasm')
      expect(reason()).toBe('The fake device has room for 4096 tokens.')
      expect(device.alive).toEqual(['wasm'])
    }
    device.forget()
    await expect(device.load({ contextLength: 8192, probe, preference: 'webgpu' })).rejects.toMatchObject({
      code: 'out-of-memory',
    })
    expect(device.alive).toEqual([])
  })

  it.each([
    ['webgpu', 0, 10, 'Fake GPU is ', ' It passed the probe in \\d+ ms\\.'],
    ['wasm', 10, 0, 'WebAssembly is ', ''],
  ] as const)('is what was measured to be faster: %s', async (faster, gpuMs, wasmMs, words, probed) => {
    const device = new Device()
    device.gpu = { stepMs: gpuMs }
    device.wasm = { stepMs: wasmMs, maxBatch: 32 }
    const first = await device.load()
    expect(first.backend.kind).toBe(faster)
    expect(first.reason()).toMatch(new RegExp(`^${words}\\d+\\.\\d × as fast as .* here\\.${probed}$`))
    expect(device.opened.map(({ kind }) => kind)).toEqual(['wasm', 'webgpu'])
    expect(device.alive).toEqual([faster])
    expect(device.progress).toEqual([0.25, 0.5, 0.75, 1])

    // Remembered: the other is not loaded again.
    device.forget()
    const probe = await makeProbe(new FakeDevice({ kind: 'wasm', maxBatch: 32 }), sampleTokens)
    const second = await device.load({ probe })
    expect(second.backend.kind).toBe(faster)
    const withoutTime = (reason: string): string => reason.replace(/\d+ ms/, '')
    expect(withoutTime(second.reason())).toBe(withoutTime(first.reason()))
    expect(device.opened.map(({ kind }) => kind)).toEqual([faster])

    // Not for another model or another number of threads.
    device.forget()
    await device.load({ modelKey: 'other' })
    await device.load({ threads: 3 })
    expect(device.opened).toHaveLength(4)
  })

  it('asks for the preferred of two adapters, and keeps apart what it knows of them', async () => {
    const device = new Device()
    const asked: (GPUPowerPreference | undefined)[] = []
    device.findGpu = (powerPreference) => {
      asked.push(powerPreference)
      device.gpu = powerPreference === 'low-power' ? { error: 3 } : { stepMs: 0 }
      const name = powerPreference === 'low-power' ? 'Small GPU' : 'Large GPU'
      return { name, key: name, isFallback: false }
    }
    device.wasm = { stepMs: 10, maxBatch: 32 }
    const probe = await makeProbe(new FakeDevice({ kind: 'wasm', maxBatch: 32 }), sampleTokens)
    for (const _ of ['measured', 'remembered']) {
      const small = await device.load({ probe, powerPreference: 'low-power' })
      expect(small.reason()).toMatch(/^Small GPU computes wrongly/)
      const large = await device.load({ probe, powerPreference: 'high-performance' })
      expect(large.reason()).toMatch(/^Large GPU is .* as fast/)
    }
    expect(asked).toEqual(['low-power', 'high-performance', 'low-power', 'high-performance'])
    // The second time each loaded what it had come to alone.
    expect(device.opened.map(({ kind }) => kind)).toEqual([
      'wasm',
      'webgpu',
      'wasm',
      'webgpu',
      'wasm',
      'webgpu',
    ])
  })

  it('refuses a GPU that computes wrongly, says why and remembers it for a week', async () => {
    const device = new Device()
    device.gpu = { error: 3 }
    device.wasm = { maxBatch: 32 }
    const { backend, reason } = await device.load()
    expect(backend.kind).toBe('wasm')
    expect(reason()).toMatch(/^Fake GPU computes wrongly: .*probe/)
    expect(device.alive).toEqual(['wasm'])

    device.gpu = {}
    device.forget()
    expect((await device.load()).reason()).toBe(reason())
    expect(device.opened).toHaveLength(1)

    const [[key, note]] = [...device.notes] as [[string, { at: number }]]
    device.notes.set(key, { ...note, at: note.at - 8 * 86_400_000 })
    device.forget()
    await device.load()
    expect(device.opened.map(({ kind }) => kind)).toEqual(['wasm', 'webgpu'])
  })

  it('rejects where such a GPU was asked for, and tests it anew', async () => {
    const device = new Device()
    device.gpu = { error: 3 }
    device.wasm = { maxBatch: 32 }
    await expect(device.load({ preference: 'webgpu' })).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('computes wrongly') as string,
    })
    expect(device.alive).toEqual([])
    device.gpu = {}
    const { backend, reason } = await device.load({ preference: 'webgpu' })
    expect(backend.kind).toBe('webgpu')
    expect(reason()).toMatch(/^WebGPU on Fake GPU was asked for\. It passed the probe in \d+ ms\.$/)
    expect(device.alive).toEqual(['webgpu'])
  })

  it('does not ask for a GPU where WebAssembly was asked for', async () => {
    const device = new Device()
    expect((await device.load({ preference: 'wasm' })).backend.kind).toBe('wasm')
    expect(device.opened).toHaveLength(1)
  })

  it('is WebAssembly where the GPU fails to load, and the GPU where WebAssembly does', async () => {
    const device = new Device()
    device.wasm = { maxBatch: 32 }
    device.loadGpu = () => Promise.reject(new EngineError('out-of-memory', 'Tensor x needs 5 bytes.'))
    const { backend, reason } = await device.load()
    expect([backend.kind, reason()]).toEqual(['wasm', 'Tensor x needs 5 bytes.'])
    device.loadGpu = null
    const probe = await makeProbe(new FakeDevice({ kind: 'wasm', maxBatch: 32 }), sampleTokens)
    device.failWasm = new EngineError('out-of-memory', 'too large')
    expect((await device.load({ probe })).backend.kind).toBe('webgpu')
  })

  it('goes on with WebAssembly where notes can be neither read nor written', async () => {
    const device = new Device()
    device.wasm = { stepMs: 0, maxBatch: 32 }
    device.gpu = { stepMs: 20 }
    const refuse = (): Promise<never> => Promise.reject(new Error('private window'))
    const { backend } = await device.load({ notes: { read: refuse, write: refuse, delete: refuse } })
    expect(backend.kind).toBe('wasm')
    for (const note of [
      'text',
      7,
      { verdict: 'toString', reason: '', at: Date.now() },
      { verdict: 'refused' },
    ]) {
      device.forget()
      await device.load({ notes: { ...device.storage(), read: async () => note } })
      expect(device.opened).toHaveLength(2)
    }
  })

  it('stops where the caller aborts, and frees both', async () => {
    const device = new Device()
    device.wasm = { maxBatch: 32 }
    const controller = new AbortController()
    const reason = new Error('enough')
    const gpu = new FakeDevice({ kind: 'webgpu' })
    device.loadGpu = async () => {
      controller.abort(reason)
      return gpu
    }
    await expect(device.load({ signal: controller.signal })).rejects.toBe(reason)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(gpu.disposed).toBe(true)
    expect(device.alive).toEqual([])
  })

  it('waits for a GPU as long as it gets on', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const device = new Device()
    device.wasm = { maxBatch: 32 }
    device.loadGpu = async ({ onProgress }) => {
      for (const loaded of [25, 50, 75, 100]) {
        await seconds(9)
        onProgress?.(loaded, 100)
      }
      // Compiling says nothing.
      await seconds(9)
      return new FakeDevice({ kind: 'webgpu' })
    }
    expect((await outlast(device.load())).reason()).toMatch(/as fast as/)
  })

  it('goes on without a GPU that gets no further, and tries it again some hours later', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const device = new Device()
    device.wasm = { maxBatch: 32 }
    const late = new FakeDevice({ kind: 'webgpu' })
    device.loadGpu = async () => {
      await seconds(11)
      return late
    }
    const { backend, reason } = await outlast(device.load())
    expect([backend.kind, reason()]).toEqual(['wasm', 'The GPU was not ready, and no nearer to it for 10 s.'])
    await outlast(seconds(2))
    expect(late.disposed).toBe(true)

    device.loadGpu = null
    device.forget()
    expect((await device.load()).reason()).toBe(reason())
    expect(device.opened.map(({ kind }) => kind)).toEqual(['wasm'])

    const [[key, note]] = [...device.notes] as [[string, { at: number }]]
    device.notes.set(key, { ...note, at: note.at - 7 * 3_600_000 })
    device.forget()
    await device.load()
    expect(device.opened.map(({ kind }) => kind)).toEqual(['wasm', 'webgpu'])
  })

  it('opens no GPU for a caller who aborts while a probe is made', async () => {
    const device = new Device()
    device.wasm = { maxBatch: 32, stepMs: 5 }
    const controller = new AbortController()
    const reason = new Error('enough')
    const abort = (): void => void setTimeout(() => controller.abort(reason))
    await expect(device.load({ signal: controller.signal, onProgress: abort })).rejects.toBe(reason)
    expect(device.opened.map(({ kind }) => kind)).toEqual(['wasm'])
    expect(device.alive).toEqual([])
  })

  it('goes on elsewhere when the chosen GPU is lost, and tells so', async () => {
    const device = new Device()
    device.wasm = { maxBatch: 32, stepMs: 5 }
    device.gpu = { stepMs: 0 }
    const { backend, reason } = await device.load()
    const session = backend.createSession({ contextLength: 64 })
    await session.forward(sampleTokens.slice(0, 8))
    device.opened.findLast(({ kind }) => kind === 'webgpu')!.lose()
    const [logits] = await session.forward([1])
    const fresh = new FakeDevice({ kind: 'webgpu' }).createSession({ contextLength: 64 })
    await fresh.forward(sampleTokens.slice(0, 8))
    expect(logits!.argmax).toBe((await fresh.forward([1]))[0]!.argmax)
    expect(reason()).toContain('It goes on on a new device. The GPU was lost')
    // What comes back is a software adapter: not trusted to be fast.
    device.gpuFacts = { name: 'SwiftShader', key: 's', isFallback: true }
    device.opened.findLast(({ kind }) => kind === 'webgpu')!.lose()
    await session.forward([2])
    expect(backend.kind).toBe('wasm')
    backend.dispose()
    expect(device.alive).toEqual([])
  })
})

describe('a probe', () => {
  it('is passed by a right device and by none that is off', async () => {
    const probe = await makeProbe(new FakeDevice({ kind: 'wasm', maxBatch: 32 }), sampleTokens)
    expect(probe.tokens).toHaveLength(21)
    expect(probe.readings).toHaveLength(9)
    const check = (error: number) => checkProbe(new FakeDevice({ kind: 'webgpu', error }), probe)
    expect(await check(0)).toMatchObject({ problem: null })
    expect((await check(0)).largestDifference).toBeLessThan(1e-4)
    for (const error of [3, -3, Number.NaN, Infinity]) {
      expect((await check(error)).problem, String(error)).toMatch(/probe|average/)
    }
  })
})
