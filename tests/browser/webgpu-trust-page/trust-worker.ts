import { expose } from 'comlink'
import type { Backend, BackendSession, LoadOptions, Logits } from '../../../src/backend/backend'
import { checkProbe, makeProbe } from '../../../src/backend/device/probe'
import { loadBackend } from '../../../src/backend/select'
import { loadWasm } from '../../../src/backend/wasm'
import { loadWebGpu } from '../../../src/backend/webgpu'
import type { EngineErrorData } from '../../../src/contract/error'
import type { GgmlType } from '../../../src/gguf/types'
import { parseGguf } from '../../../src/gguf/parse'
import { readModel } from '../../../src/model/read-model'
import { memorySource } from '../../../src/store/memory-source'
import { errorToData } from '../../../src/worker/error-data'
import { tinyModel } from '../../fixtures/tiny-models'
import {
  buffers,
  destroyed,
  devices,
  enlarge,
  keepDevice,
  mutate,
  mutatedShaders,
  seemOnce,
  type Mutation,
} from './gpu-faults'

/** What a call came to: data that crosses into the test. */
export interface Outcome<Value> {
  value: Value | null
  error: EngineErrorData | null
}

/** What webgpu-trust.spec.ts calls through the page. */
export interface TrustApi {
  /** A KV cache that grows finds no room: the outcome, then the same step again with room. */
  growthWithoutRoom(): Promise<{ refused: Outcome<number[]>; again: number[]; undisturbed: number[] }>
  /** Loading finds no room. */
  loadWithoutRoom(): Promise<Outcome<string>>
  /** The device goes while a call is under way. */
  destroyedDuring(call: 'decode' | 'load'): Promise<Outcome<number>[]>
  /** Loads, answers and disposes; GPU buffers left after each, and devices more or fewer than one destroyed. */
  cycles(count: number): Promise<number[]>
  /** What the probe says of the backend as it is, then with each change to its shaders, and how many were changed. */
  mutations(changes: Mutation[]): Promise<{ changed: number; problem: string | null }[]>
  /** Opens the backend that recovers, as an engine has it. Gives why it runs. */
  openRecovering(): Promise<string>
  /** Lets 'auto' choose twice, with notes, on an adapter that seems to be a GPU when it is asked for first. */
  auto(): Promise<Choice[]>
  /** Loads with a preference, and loses the device: the preference of each request of an adapter. */
  preferences(preference: GPUPowerPreference): Promise<(GPUPowerPreference | undefined)[]>
  /**
   * Greedy decoding by it behind `start` tokens (default 60), two steps under way; the device goes in the middle of
   * what `loseAt` names, or has no more room.
   */
  answer(
    steps: number,
    loseAt: 'prefill' | 'decode' | 'outside' | 'room' | null,
    start?: number,
  ): Promise<Answer>
}

export interface Choice {
  kind: string
  reason: string
  /** Devices opened for it. */
  gpus: number
  notes: number
}

export interface Answer {
  tokens: number[]
  /** The largest logit of each step. */
  logits: number[]
  kind: string
  reason: string
}

const preferences: (GPUPowerPreference | undefined)[] = []
const requestAdapter = GPU.prototype.requestAdapter
GPU.prototype.requestAdapter = function (options) {
  preferences.push(options?.powerPreference)
  return requestAdapter.call(this, options)
}

let recovering: { backend: Backend; reason(): string; session: BackendSession | null } | null = null

const files: Partial<Record<GgmlType, Uint8Array<ArrayBuffer>>> = {}

async function opened(type: GgmlType = 'Q4_0'): Promise<Pick<LoadOptions, 'model' | 'bytes'>> {
  const bytes = memorySource(
    (files[type] ??= tinyModel({ architecture: 'llama', type, contextLength: 1024 })),
  )
  return { model: await readModel(await parseGguf(bytes), bytes), bytes }
}

async function load(): Promise<Backend> {
  return loadWebGpu(await opened())
}

async function outcome<Value>(work: Promise<Value>): Promise<Outcome<Value>> {
  try {
    return { value: await work, error: null }
  } catch (error) {
    return { value: null, error: errorToData(error) }
  }
}

function tokensOf(count: number): number[] {
  return Array.from({ length: count }, (_, i) => (i * i * 7 + i * 31 + 5) % 301)
}

const api: TrustApi = {
  async growthWithoutRoom() {
    const backend = await load()
    const run = async (disturb: boolean) => {
      const session = backend.createSession({ contextLength: 1024 })
      await session.forward(tokensOf(250), { outputs: 0 })
      const step = async (): Promise<number[]> => {
        const [logits] = await session.forward(tokensOf(20), { detail: 'summary' })
        return [logits!.argmax, logits!.maximum, logits!.logSumExp, session.length]
      }
      if (disturb) enlarge('KV cache')
      const refused = await outcome(step())
      enlarge(null)
      const again = disturb ? await step() : refused.value!
      // Moving keys and values finds room whatever else is made.
      if (disturb) enlarge('')
      session.shift(4, 60)
      enlarge(null)
      again.push(...(await step()))
      session.dispose()
      return { refused, again }
    }
    const { refused, again } = await run(true)
    const undisturbed = (await run(false)).again
    backend.dispose()
    return { refused, again, undisturbed }
  },

  async loadWithoutRoom() {
    enlarge('Tensor blk.0.attn_norm')
    const result = await outcome(load().then(({ variant }) => variant))
    enlarge(null)
    return result
  },

  async destroyedDuring(call) {
    if (call === 'load') {
      const loading = outcome(load().then(({ weightsBytes }) => weightsBytes))
      const known = devices.length
      while (devices.length === known) await new Promise((resolve) => setTimeout(resolve, 1))
      devices.at(-1)!.destroy()
      return [await loading]
    }
    const backend = await load()
    const session = backend.createSession({ contextLength: 512 })
    const step = (count: number) =>
      outcome(session.forward(tokensOf(count), { outputs: 1, detail: 'summary' }).then(() => session.length))
    const first = await step(10)
    const calls = [step(1), outcome(session.follow!({ detail: 'summary' }).then(() => session.length))]
    devices.at(-1)!.destroy()
    const outcomes = [first, ...(await Promise.all(calls)), await step(1)]
    backend.dispose()
    return outcomes
  },

  async cycles(count) {
    keepDevice()
    const left: number[] = []
    for (let cycle = 0; cycle < count; cycle++) {
      const before = destroyed.length
      const backend = await load()
      const session = backend.createSession({ contextLength: 512 })
      await session.forward(tokensOf(5), { detail: 'summary' })
      await session.follow!({ detail: 'top' })
      backend.dispose()
      left.push(buffers.size + destroyed.length - before - 1)
    }
    return left
  },

  async mutations(changes) {
    keepDevice()
    const wasm = await loadWasm({ ...(await opened()), threads: 1 })
    const probe = await makeProbe(wasm, tokensOf(16))
    wasm.dispose()
    const outcomes: { changed: number; problem: string | null }[] = []
    for (const change of [null, ...changes]) {
      mutate(change)
      const backend = await load()
      const { problem } = await checkProbe(backend, probe)
      outcomes.push({ changed: mutatedShaders(), problem })
      backend.dispose()
    }
    mutate(null)
    return outcomes
  },

  async openRecovering() {
    const { backend, reason } = await loadBackend({
      ...(await opened('F16')),
      threads: 1,
      preference: 'webgpu',
      sampleTokens: tokensOf(40),
      modelKey: 'tiny',
      // However slow the machine is, a second loss is within a minute.
      now: () => 0,
    })
    recovering = { backend, reason, session: null }
    return reason()
  },

  async auto() {
    const kept = new Map<string, unknown>()
    const notes = {
      read: async (key: string) => kept.get(key),
      write: async (key: string, note: unknown) => void kept.set(key, note),
      delete: async (key: string) => void kept.delete(key),
    }
    // What the kernels take to compile here is no part of it.
    keepDevice()
    ;(await loadWebGpu(await opened('F16'))).dispose()
    const choices: Choice[] = []
    for (const _ of ['measured', 'remembered']) {
      const known = devices.length
      // Its kernels are those of a software adapter all the same: others take seconds to compile here.
      seemOnce({ vendor: 'seeming', architecture: 'gpu', device: '', description: '' })
      const { backend, reason } = await loadBackend({
        ...(await opened('F16')),
        threads: 1,
        sampleTokens: tokensOf(40),
        modelKey: 'tiny',
        notes,
      })
      choices.push({
        kind: backend.kind,
        reason: reason(),
        gpus: devices.length - known,
        notes: kept.size,
      })
      backend.dispose()
    }
    return choices
  },

  async preferences(preference) {
    preferences.length = 0
    const { backend } = await loadBackend({
      ...(await opened()),
      threads: 1,
      preference: 'webgpu',
      powerPreference: preference,
      sampleTokens: tokensOf(40),
      modelKey: 'tiny',
    })
    // A device that takes the lost one's place is asked for in the same way.
    const session = backend.createSession({ contextLength: 64 })
    devices.at(-1)!.destroy()
    await session.forward(tokensOf(3), { detail: 'summary' })
    backend.dispose()
    return [...preferences]
  },

  async answer(steps, loseAt, start = 60) {
    const { backend, reason } = recovering!
    recovering!.session?.dispose()
    const session = (recovering!.session = backend.createSession({ contextLength: 512 }))
    const device = devices.at(-1)!
    const lose = (name: string): void => {
      if (loseAt === name) device.destroy()
    }
    await session.forward(tokensOf(start - 20), { outputs: 0 })
    const prefill = session.forward(tokensOf(start).slice(-20))
    lose('prefill')
    if (loseAt === 'room') enlarge('KV cache')
    const tokens: number[] = []
    const logits: number[] = []
    let current: Promise<Logits> = prefill.then(([first]) => first!)
    for (let step = 0; step < steps; step++) {
      const ahead: Promise<Logits> | null = step + 1 < steps ? session.follow!({ detail: 'top' }) : null
      if (step === steps >> 1) {
        lose('decode')
        if (loseAt === 'outside') await device.lost
      }
      const { argmax, maximum } = await current
      tokens.push(argmax)
      logits.push(maximum)
      if (ahead !== null) current = ahead
    }
    enlarge(null)
    return { tokens, logits, kind: backend.kind, reason: reason() }
  },
}

expose(api)
