import { expose } from 'comlink'
import type { Backend } from '../../../src/backend/backend'
import { loadWebGpu } from '../../../src/backend/webgpu'
import type { EngineErrorData } from '../../../src/contract/error'
import { parseGguf } from '../../../src/gguf/parse'
import { readModel } from '../../../src/model/read-model'
import { memorySource } from '../../../src/store/memory-source'
import { errorToData } from '../../../src/worker/error-data'
import { tinyModel } from '../../fixtures/tiny-models'
import { devices, enlarge } from './gpu-faults'

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
  destroyedDuring(call: 'prefill' | 'decode' | 'load'): Promise<Outcome<number>[]>
  /** Loads and disposes; bytes of GPU buffers alive after each. */
  cycles(count: number): Promise<number[]>
}

const bytes = memorySource(tinyModel({ architecture: 'llama', type: 'Q4_0', contextLength: 1024 }))

async function load(): Promise<Backend> {
  return loadWebGpu({ model: await readModel(await parseGguf(bytes), bytes), bytes })
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
      session.dispose()
      return { refused, again }
    }
    const { refused, again } = await run(true)
    const undisturbed = (await run(false)).again
    backend.dispose()
    return { refused, again, undisturbed }
  },

  async loadWithoutRoom() {
    enlarge('Tensor blk.1.ffn_down')
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
    const calls =
      call === 'prefill'
        ? [step(200)]
        : [step(1), outcome(session.follow!({ detail: 'summary' }).then(() => session.length))]
    devices.at(-1)!.destroy()
    const outcomes = [first, ...(await Promise.all(calls)), await step(1)]
    backend.dispose()
    return outcomes
  },

  async cycles(count) {
    const alive = new Set<GPUBuffer>()
    const create = GPUDevice.prototype.createBuffer
    const destroy = GPUBuffer.prototype.destroy
    GPUDevice.prototype.createBuffer = function (descriptor) {
      const buffer = create.call(this, descriptor)
      alive.add(buffer)
      return buffer
    }
    GPUBuffer.prototype.destroy = function () {
      alive.delete(this)
      return destroy.call(this)
    }
    const left: number[] = []
    for (let cycle = 0; cycle < count; cycle++) {
      const backend = await load()
      const session = backend.createSession({ contextLength: 512 })
      await session.forward(tokensOf(5), { detail: 'summary' })
      backend.dispose()
      left.push([...alive].reduce((sum, { size }) => sum + size, 0))
    }
    GPUDevice.prototype.createBuffer = create
    GPUBuffer.prototype.destroy = destroy
    return left
  },
}

expose(api)
