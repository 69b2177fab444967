import { expose } from 'comlink'
import type * as OnnxRuntime from 'onnxruntime-web'
import { takeGpuWork, watchGpu, type GpuWork } from './gpu-work'
import { OnnxRuntimeSession, release, type Cache } from './onnxruntime-session'
import type { SubjectRequest } from './subject'

/**
 * The bundle for the CPU alone, and the package's default one, whose WebGPU kernels are in JavaScript: on
 * SwiftShader 7 s for a token, where `ort.webgpu.min.mjs`, with kernels in WASM, took more than 10.
 */
const BUNDLES = { wasm: 'ort.wasm.min.mjs', webgpu: 'ort.min.mjs' } as const

/**
 * onnxruntime-web by token ids. Served as its package has it, not bundled. In a worker of its own, because after a
 * lost GPU device it blocks its thread for good.
 */
class OnnxRuntimeWorker {
  #session: OnnxRuntimeSession | null = null
  #ids: readonly number[] = []
  #description: Record<string, unknown> = {}
  /** For each context decoded at, the cache of all its tokens but the last. */
  readonly #prefixes = new Map<number, Cache>()

  async load({ provider, modelUrl, threads, prompt }: SubjectRequest): Promise<void> {
    if (provider === 'webgpu') watchGpu()
    const folder = `${globalThis.origin}/onnxruntime/`
    const ort = (await import(/* @vite-ignore */ `${folder}${BUNDLES[provider]}`)) as typeof OnnxRuntime
    ort.env.wasm.numThreads = threads
    ort.env.wasm.wasmPaths = folder
    const model = new Uint8Array(await (await fetch(modelUrl)).arrayBuffer())
    this.#session = await OnnxRuntimeSession.create(ort, model, provider)
    this.#ids = prompt.ids
    const version = ort.env.versions.web
    this.#description = { version, provider, bundle: BUNDLES[provider], threads, cacheType: 'f32' }
  }

  describe(): Record<string, unknown> {
    return this.#description
  }

  gpuWork(): GpuWork {
    return takeGpuWork()
  }

  /** The likeliest token after each of `tokens` from `from` on. */
  async choices(tokens: readonly number[], from: number): Promise<number[]> {
    const session = this.#loaded()
    const wanted = tokens.slice(from).map((_, index) => from + index)
    const { cache, logits } = await session.append(session.empty(), tokens, wanted)
    release(cache)
    const width = logits.length / wanted.length
    return wanted.map((_, row) => likeliest(logits.subarray(row * width, (row + 1) * width)))
  }

  async prefill(count: number): Promise<number> {
    const session = this.#loaded()
    const start = performance.now()
    const { cache, logits } = await session.append(session.empty(), this.#ids.slice(0, count))
    likeliest(logits)
    const milliseconds = performance.now() - start
    release(cache)
    return milliseconds
  }

  async decode(context: number, count: number): Promise<number> {
    const session = this.#loaded()
    let prefix = this.#prefixes.get(context)
    if (prefix === undefined) {
      prefix = (await session.append(session.empty(), this.#ids.slice(0, context - 1))).cache
      this.#prefixes.set(context, prefix)
    }
    // The last prompt token's logits choose the first token.
    let { cache, logits } = await session.append(prefix, this.#ids.slice(context - 1, context))
    const start = performance.now()
    for (let step = 0; step < count; step++) {
      const before = cache
      ;({ cache, logits } = await session.append(before, [likeliest(logits)]))
      release(before)
    }
    const milliseconds = performance.now() - start
    release(cache)
    return milliseconds
  }

  #loaded(): OnnxRuntimeSession {
    if (this.#session === null) throw new Error('load() comes first')
    return this.#session
  }
}

export type { OnnxRuntimeWorker }

function likeliest(logits: Float32Array): number {
  let best = 0
  for (let id = 1; id < logits.length; id++) if (logits[id]! > logits[best]!) best = id
  return best
}

expose(new OnnxRuntimeWorker())
