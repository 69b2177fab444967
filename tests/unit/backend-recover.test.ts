import { describe, expect, it } from 'vitest'
import type { Backend, BackendSession, Logits } from '../../src/backend/backend'
import { createRecoveringBackend, type RecoveryOptions } from '../../src/backend/device/recover'
import { EngineError } from '../../src/contract/error'
import { FakeDevice } from './fake-device'

const prompt = Array.from({ length: 20 }, (_, i) => (i * 13 + 5) % 64)

/** What is read of a step: the token, and a number that tells one cache from another. */
type Reading = [number, number]

function read(logits: Logits): Reading {
  return [logits.argmax, logits.values().reduce((sum, value) => sum + value, 0)]
}

/** Greedy decoding with two steps under way, as the engine does it where the device can. */
async function followed(session: BackendSession, steps: number): Promise<Reading[]> {
  await session.forward(prompt.slice(0, 12), { outputs: 0 })
  const readings: Reading[] = []
  let current: Promise<Logits> = session.forward(prompt.slice(12)).then(([logits]) => logits!)
  for (let step = 0; step < steps; step++) {
    const ahead: Promise<Logits> | null = step + 1 < steps ? session.follow!() : null
    readings.push(read(await current))
    if (ahead !== null) current = ahead
  }
  return readings
}

/** The same one by one, with a cache that slides and is cut back on the way. */
async function slid(session: BackendSession): Promise<Reading[]> {
  const readings: Reading[] = []
  let token = prompt[0]!
  for (let step = 0; step < 40; step++) {
    if (session.length === 20) session.shift(2, 7)
    if (step === 30) session.truncate(session.length - 3)
    const [logits] = await session.forward([token])
    readings.push(read(logits!))
    token = logits!.argmax
  }
  return readings
}

interface Made {
  backend: Backend & { recovery: string }
  gpus: FakeDevice[]
  wasms: FakeDevice[]
}

/** GPUs that are lost after these many calls, one after the other, and WebAssembly behind them. */
function make(lostAfterCalls: number[], options: Partial<RecoveryOptions> = {}): Made {
  const gpus: FakeDevice[] = []
  const wasms: FakeDevice[] = []
  const nextGpu = (): FakeDevice => {
    const calls = lostAfterCalls[gpus.length]
    const gpu = new FakeDevice({ kind: 'webgpu', ...(calls !== undefined && { lostAfterCalls: calls }) })
    gpus.push(gpu)
    return gpu
  }
  const backend = createRecoveringBackend({
    backend: nextGpu(),
    reopen: async () => nextGpu(),
    fallBack: async () => {
      const wasm = new FakeDevice({ kind: 'wasm' })
      wasms.push(wasm)
      return wasm
    },
    ...options,
  })
  return { backend, gpus, wasms }
}

async function undisturbed(run: (session: BackendSession) => Promise<Reading[]>): Promise<Reading[]> {
  return run(new FakeDevice({ kind: 'webgpu' }).createSession({ contextLength: 64 }))
}

describe('a backend that recovers', () => {
  it('changes nothing where nothing is lost', async () => {
    const { backend, gpus } = make([])
    expect(await followed(backend.createSession({ contextLength: 64 }), 30)).toEqual(
      await undisturbed((session) => followed(session, 30)),
    )
    expect(gpus).toHaveLength(1)
    expect(backend.recovery).toBe('')
  })

  it('goes on without a wrong token wherever the device is lost, two steps under way', async () => {
    const expected = await undisturbed((session) => followed(session, 30))
    for (let calls = 0; calls < 32; calls++) {
      const { backend, gpus } = make([calls])
      expect(await followed(backend.createSession({ contextLength: 64 }), 30), `call ${calls}`).toEqual(
        expected,
      )
      expect(gpus).toHaveLength(calls < 31 ? 2 : 1)
      expect(gpus[0]!.disposed).toBe(calls < 31)
    }
  })

  it('lets WebAssembly take over after a second loss, in the middle of an answer', async () => {
    const expected = await undisturbed((session) => followed(session, 30))
    for (const [first, second] of [
      [5, 5],
      [0, 0],
      [1, 9],
      [20, 3],
    ] as const) {
      const { backend, gpus, wasms } = make([first, second])
      const session = backend.createSession({ contextLength: 64 })
      expect(await followed(session, 30), `${first}, ${second}`).toEqual(expected)
      expect([gpus.length, wasms.length]).toEqual([2, 1])
      expect(backend.kind).toBe('wasm')
      expect(backend.maxBatch).toBe(8)
      expect(session.canFollow).toBe(false)
      expect(backend.recovery).toMatch(/WebAssembly took over.*Twice within a minute/)
    }
  })

  it('opens the GPU again and again where losses lie further apart', async () => {
    let now = 0
    const { backend, gpus, wasms } = make([6, 6, 6], { now: () => (now += 61_000) })
    expect(await followed(backend.createSession({ contextLength: 64 }), 30)).toEqual(
      await undisturbed((session) => followed(session, 30)),
    )
    expect([gpus.length, wasms.length]).toEqual([4, 0])
  })

  it('lets WebAssembly take over where there is no other device, and says why', async () => {
    const { backend, wasms } = make([3], {
      reopen: () => Promise.reject(new EngineError('unsupported', 'WebGPU finds no GPU.')),
    })
    expect(await followed(backend.createSession({ contextLength: 64 }), 30)).toEqual(
      await undisturbed((session) => followed(session, 30)),
    )
    expect(wasms).toHaveLength(1)
    expect(backend.recovery).toContain('WebGPU finds no GPU.')
  })

  it('lets WebAssembly take over where the GPU has no room for a longer cache', async () => {
    const expected = await undisturbed((session) => followed(session, 30))
    for (const roomForCalls of [0, 1, 2, 7, 30]) {
      const backend = createRecoveringBackend({
        backend: new FakeDevice({ kind: 'webgpu', roomForCalls }),
        reopen: () => Promise.reject(new Error('another device has no more room')),
        fallBack: async () => new FakeDevice({ kind: 'wasm' }),
      })
      expect(await followed(backend.createSession({ contextLength: 64 }), 30)).toEqual(expected)
      expect(backend.kind).toBe('wasm')
      expect(backend.recovery).toBe('WebAssembly took over. The fake has no room for a longer cache.')
    }
    // Nothing is behind WebAssembly.
    const { backend } = make([0], {
      reopen: () => Promise.reject(new Error('no GPU')),
      fallBack: async () => new FakeDevice({ kind: 'wasm', roomForCalls: 1 }),
    })
    const session = backend.createSession({ contextLength: 64 })
    await session.forward([1])
    await expect(session.forward([2])).rejects.toMatchObject({ code: 'out-of-memory' })
  })

  it('makes a cache that slid as it was', async () => {
    const expected = await undisturbed(slid)
    for (const calls of [1, 19, 20, 21, 25, 29, 30, 31, 38]) {
      const { backend } = make([calls])
      expect(await slid(backend.createSession({ contextLength: 64 })), `call ${calls}`).toEqual(expected)
    }
  })

  it('recovers every session, each when it is used', async () => {
    const { backend, gpus } = make([])
    const sessions = [1, 2, 3].map(() => backend.createSession({ contextLength: 64 }))
    for (const session of sessions) await session.forward(prompt)
    gpus[0]!.lose()
    sessions[1]!.truncate(10)
    const again = await Promise.all(sessions.map((session) => session.forward([1])))
    expect(gpus).toHaveLength(2)
    const other = new FakeDevice({ kind: 'webgpu' })
    for (const [i, length] of [20, 10, 20].entries()) {
      const fresh = other.createSession({ contextLength: 64 })
      await fresh.forward(prompt.slice(0, length))
      expect(read(again[i]![0]!)).toEqual(read((await fresh.forward([1]))[0]!))
    }
  })

  it('passes on what is no loss', async () => {
    const { backend, gpus } = make([])
    const session = backend.createSession({ contextLength: 64 })
    await expect(session.follow!()).rejects.toMatchObject({ code: 'invalid-argument' })
    await expect(session.forward([])).rejects.toMatchObject({ code: 'invalid-argument' })
    expect(gpus).toHaveLength(1)
  })

  it('says that nothing can take over, and tries again at the next call', async () => {
    let tries = 0
    const { backend } = make([2], {
      reopen: () => Promise.reject(new EngineError('unsupported', 'no GPU')),
      fallBack: async () => {
        if (++tries === 1) throw new EngineError('network', 'offline')
        return new FakeDevice({ kind: 'wasm' })
      },
    })
    const session = backend.createSession({ contextLength: 64 })
    await session.forward(prompt, { outputs: 0 })
    await session.forward([1])
    await expect(session.forward([2])).rejects.toMatchObject({
      code: 'device-lost',
      message: expect.stringContaining('offline') as string,
    })
    const [logits] = await session.forward([2])
    expect(logits!.argmax).toBeGreaterThanOrEqual(0)
    expect(session.length).toBe(22)
  })

  it('stops seeking when it is disposed of, and frees what comes too late', async () => {
    const late = new FakeDevice({ kind: 'webgpu' })
    let arrive = (): void => undefined
    const { backend } = make([0], {
      reopen: () =>
        new Promise((resolve) => {
          arrive = () => resolve(late)
        }),
    })
    const session = backend.createSession({ contextLength: 64 })
    const call = session.forward(prompt).catch((error: unknown) => error)
    await new Promise((resolve) => setTimeout(resolve, 20))
    backend.dispose()
    arrive()
    expect(await call).toMatchObject({ code: 'disposed' })
    expect(late.disposed).toBe(true)
    expect(() => backend.createSession({ contextLength: 64 })).toThrow(/disposed/)
  })
})
