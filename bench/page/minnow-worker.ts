import { expose } from 'comlink'
import type { Backend, BackendSession } from '../../src/backend/backend'
import { loadWasm } from '../../src/backend/wasm/index'
import { parseGguf } from '../../src/gguf/parse'
import { readModel } from '../../src/model/read-model'
import { memorySource } from '../../src/store/memory-source'

/** The WASM backend alone, by token ids: what wllama's and llama.cpp's own clocks time too. */
class MinnowWorker {
  #backend: Backend | null = null
  /** One for each context length that is decoded at, and one (0) for prefill, so that measures can alternate. */
  readonly #sessions = new Map<number, BackendSession>()
  #ids: readonly number[] = []
  #contextLength = 0

  async load(
    modelUrl: string,
    threads: number,
    contextLength: number,
    ids: readonly number[],
  ): Promise<void> {
    const bytes = memorySource(new Uint8Array(await (await fetch(modelUrl)).arrayBuffer()))
    const model = await readModel(await parseGguf(bytes), bytes)
    this.#backend = await loadWasm({ model, bytes, threads })
    this.#contextLength = contextLength
    this.#ids = ids
  }

  describe(): Record<string, unknown> {
    const { kind, variant, threads, maxBatch, weightsBytes, memoryBytes } = this.#loaded()
    return { kind, variant, threads, maxBatch, weightsBytes, memoryBytes }
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
    const start = performance.now()
    for (let step = 0; step < count; step++) {
      const [logits] = await session.forward([token])
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
      const [logits] = await session.forward(this.#ids.slice(session.length, end), { outputs })
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

expose(new MinnowWorker())
