import { expose } from 'comlink'
import type { Backend, BackendSession, LoadBackend } from '../../src/backend/backend'
import { loadWasm } from '../../src/backend/wasm/index'
import { parseGguf } from '../../src/gguf/parse'
import { readModel } from '../../src/model/read-model'
import { memorySource } from '../../src/store/memory-source'
import { takeGpuWork, watchGpu, type GpuWork } from './gpu-work'
import type { SubjectRequest } from './subject'

/** Empty where this working tree has no such backend. */
const webgpuModules = import.meta.glob<{ loadWebGpu: LoadBackend }>('../../src/backend/webgpu/index.ts')

/** A backend alone, by token ids: what wllama's and llama.cpp's own clocks time too. */
class MinnowWorker {
  #backend: Backend | null = null
  /** One for each context length that is decoded at, and one (0) for prefill, so that measures can alternate. */
  readonly #sessions = new Map<number, BackendSession>()
  #ids: readonly number[] = []
  #contextLength = 0

  async load({ provider, modelUrl, threads, contextLength, prompt }: SubjectRequest): Promise<void> {
    const bytes = memorySource(new Uint8Array(await (await fetch(modelUrl)).arrayBuffer()))
    const model = await readModel(await parseGguf(bytes), bytes)
    if (provider === 'webgpu') watchGpu()
    const load = provider === 'webgpu' ? await webgpuLoader() : loadWasm
    this.#backend = await load({ model, bytes, threads })
    this.#contextLength = contextLength
    this.#ids = prompt.ids
  }

  describe(): Record<string, unknown> {
    const { kind, variant, threads, maxBatch, weightsBytes, memoryBytes } = this.#loaded()
    const cache = {
      pageCacheBytes: this.#cacheBytes(2048),
      cacheBytes: this.#cacheBytes(this.#contextLength),
    }
    return { kind, variant, threads, maxBatch, weightsBytes, memoryBytes, ...cache }
  }

  /** Of a session so long, at its largest; null where it is all there from the beginning. */
  #cacheBytes(contextLength: number): number | null {
    const session = this.#loaded().createSession({ contextLength })
    const { cacheBytes = null } = session
    session.dispose()
    return cacheBytes
  }

  gpuWork(): GpuWork {
    return takeGpuWork()
  }

  /** The likeliest token after each of `tokens` from `from` on. */
  async choices(tokens: readonly number[], from: number): Promise<number[]> {
    const { maxBatch } = this.#loaded()
    const session = this.#loaded().createSession({ contextLength: tokens.length })
    const chosen: number[] = []
    while (session.length < tokens.length) {
      const start = session.length
      const batch = tokens.slice(start, start + maxBatch)
      const outputs = Math.min(batch.length, Math.max(0, start + batch.length - from))
      chosen.push(...(await session.forward(batch, { outputs })).map(({ argmax }) => argmax))
    }
    session.dispose()
    return chosen
  }

  async prefill(count: number): Promise<number> {
    const session = this.#session(0)
    session.truncate(0)
    const start = performance.now()
    await this.#append(session, count)
    return performance.now() - start
  }

  async decode(context: number, count: number): Promise<number> {
    const session = this.#decodeSession(context)
    // The last prompt token is always evaluated anew: its logits choose the first token.
    session.truncate(Math.min(session.length, context - 1))
    let token = await this.#append(session, context)
    // As answers are made: what a sampler needs is read from a GPU, and no whole row.
    const detail = this.#loaded().kind === 'webgpu' ? 'top' : 'all'
    const start = performance.now()
    for (let step = 0; step < count; step++) {
      const [logits] = await session.forward([token], { detail })
      if (logits === undefined) throw new Error('forward() gave no logits')
      token = logits.argmax
    }
    return performance.now() - start
  }

  /** Grows the cache to `count` prompt tokens. @returns the most likely next token */
  async #append(session: BackendSession, count: number): Promise<number> {
    const { maxBatch } = this.#loaded()
    let next = -1
    while (session.length < count) {
      const end = Math.min(session.length + maxBatch, count)
      const outputs = end === count ? 1 : 0
      const [logits] = await session.forward(this.#ids.slice(session.length, end), { outputs, detail: 'top' })
      if (logits !== undefined) next = logits.argmax
    }
    return next
  }

  /** The first decode at a context goes on from what prefill left, if anything: the prompts begin alike. */
  #decodeSession(context: number): BackendSession {
    const prefilled = this.#sessions.get(0)
    if (!this.#sessions.has(context) && prefilled !== undefined) {
      this.#sessions.set(context, prefilled)
      this.#sessions.delete(0)
    }
    return this.#session(context)
  }

  #session(key: number): BackendSession {
    let session = this.#sessions.get(key)
    if (session === undefined) {
      session = this.#loaded().createSession({ contextLength: this.#contextLength })
      this.#sessions.set(key, session)
    }
    return session
  }

  #loaded(): Backend {
    if (this.#backend === null) throw new Error('load() comes first')
    return this.#backend
  }
}

export type { MinnowWorker }

async function webgpuLoader(): Promise<LoadBackend> {
  const [load] = Object.values(webgpuModules)
  if (load === undefined) throw new Error('Minnow has no WebGPU backend in this working tree')
  return (await load()).loadWebGpu
}

expose(new MinnowWorker())
