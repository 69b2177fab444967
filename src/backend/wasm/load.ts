import { EngineError } from '../../contract/error'
import type { ModelDefinition } from '../../model/definition'
import type { Backend, BackendSession, ForwardCall, LoadBackend, Logits } from '../backend'
import { Arena } from './arena'
import { chooseVariant, compileKernels, type Kernels, type Variant } from './kernel-module'
import { cacheBytes } from './page-cache'
import { runPass } from './pass'
import { cacheFields, layerFields, modelFields, recordBytes, scratchFields } from './records'
import { allocateScratch, type Scratch } from './scratch'
import { type SessionHost, WasmSession } from './session'
import { startThreads, type ThreadPool } from './thread-pool'
import { loadWeights, type LoadedModel } from './weights'

/** Tokens of one call: an abort takes effect between calls. */
const MAX_BATCH = 64
const MAX_THREADS = 16
const PAGE_BYTES = 65_536
const MAXIMUM_PAGES = 65_536

/** The CPU backend: kernels in WebAssembly with SIMD, on as many threads as are wanted and to be had. */
export const loadWasm: LoadBackend = (options) => loadWasmVariant(options)

/** The same with a given build of the kernels, for tests and measurements. */
export async function loadWasmVariant(
  options: Parameters<LoadBackend>[0],
  variant?: Variant,
): Promise<Backend> {
  const { model, bytes, kvCache = '16-bit', signal, onProgress } = options
  checkModel(model)
  const chosen = variant ?? (await chooseVariant(signal))
  const threads = threadCount(options.threads)
  const shared = threads > 1
  const module = await compileKernels(chosen, shared, signal)
  const memory = createMemory(shared)
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } })
  const kernels = exports as unknown as Kernels
  checkRecords(kernels)
  const arena = new Arena(memory)
  // The threads start while the weights load.
  const pool = shared ? startThreads({ module, memory, count: threads }) : Promise.resolve(null)
  pool.catch(() => undefined)
  try {
    const loaded = await loadWeights({ model, bytes, arena, kernels, signal, onProgress })
    const scratch = allocateScratch(model, arena, {
      maxBatch: MAX_BATCH,
      threads,
      ropeCount: loaded.ropes.length,
      contextLength: model.contextLength,
    })
    kernels.setThread(0, threads)
    return new WasmBackend({
      model,
      loaded,
      arena,
      kernels,
      scratch,
      codeBytes: kvCache === '8-bit' ? 1 : 2,
      variant: chosen,
      threads,
      pool: await pool,
    })
  } catch (error) {
    await pool.then((started) => started?.terminate()).catch(() => undefined)
    throw error
  }
}

interface Parts {
  model: ModelDefinition
  loaded: LoadedModel
  arena: Arena
  kernels: Kernels
  scratch: Scratch
  codeBytes: 1 | 2
  variant: Variant
  threads: number
  pool: ThreadPool | null
}

class WasmBackend implements Backend {
  readonly kind = 'wasm'
  readonly variant: string
  readonly threads: number
  readonly maxBatch = MAX_BATCH
  readonly weightsBytes: number
  readonly #sessions = new Set<WasmSession>()
  #parts: { readonly host: SessionHost; readonly pool: ThreadPool | null } | null

  constructor({ variant, threads, loaded, pool, codeBytes, ...shared }: Parts) {
    this.variant = variant
    this.threads = threads
    this.weightsBytes = loaded.weightsBytes
    const { arena, kernels } = shared
    const modelPointer = loaded.pointer
    const host: SessionHost = {
      ...shared,
      modelPointer,
      ropes: loaded.ropes,
      maxBatch: MAX_BATCH,
      cacheForm: {
        arena,
        codeBytes,
        pageTokens: kernels.pageTokens(),
        pageBytes: kernels.pageBytes(modelPointer, codeBytes),
        pageScaleBytes: kernels.pageScaleBytes(modelPointer),
      },
      onDispose: (session) => void this.#sessions.delete(session),
      onTrap: () => this.dispose(),
    }
    this.#parts = { host, pool }
  }

  get memoryBytes(): number {
    return this.#parts?.host.arena.usedBytes ?? 0
  }

  createSession({ contextLength }: { contextLength: number }): BackendSession {
    const { host } = this.#live()
    const most = host.model.contextLength
    if (!Number.isInteger(contextLength) || contextLength < 1 || contextLength > most) {
      throw new EngineError(
        'invalid-argument',
        `contextLength must be 1 to ${most}, got ${String(contextLength)}.`,
      )
    }
    const session = new WasmSession(host, contextLength)
    this.#sessions.add(session)
    return session
  }

  cacheBytesFor(length: number): number {
    return cacheBytes(this.#live().host.cacheForm, length)
  }

  async forwardMany(calls: readonly ForwardCall[]): Promise<Logits[][]> {
    const { host } = this.#live()
    const sessions = calls.map(({ session }) => session as WasmSession)
    const isOurs = sessions.every((session) => this.#sessions.has(session))
    if (!isOurs || new Set(sessions).size < calls.length) {
      throw new EngineError('invalid-argument', 'forwardMany() takes each session of its backend once.')
    }
    const count = calls.reduce((sum, { tokens }) => sum + tokens.length, 0)
    if (count < 1 || count > MAX_BATCH) {
      throw new EngineError(
        'invalid-argument',
        `forwardMany() takes 1 to ${MAX_BATCH} tokens together, got ${count}.`,
      )
    }
    const prepared = calls.map(({ tokens, options = {} }, i) => sessions[i]!.prepare(tokens, options))
    const logits = runPass(host, prepared)
    for (const [i, session] of sessions.entries()) session.appended(prepared[i]!)
    return logits
  }

  dispose(): void {
    if (this.#parts === null) return
    for (const session of this.#sessions) session.dispose()
    this.#parts.pool?.terminate()
    this.#parts = null
  }

  #live(): { readonly host: SessionHost } {
    if (this.#parts === null) {
      throw new EngineError('disposed', 'This WebAssembly backend was disposed of; load the model again.')
    }
    return this.#parts
  }
}

/** Threads share memory only where the page is cross-origin isolated; elsewhere there is one. */
function threadCount(wanted: number | undefined): number {
  const isolated = globalThis.crossOriginIsolated as boolean | undefined
  const canShare = typeof SharedArrayBuffer !== 'undefined' && isolated !== false
  if (!canShare) return 1
  return Math.max(1, Math.min(wanted ?? defaultThreads(), MAX_THREADS))
}

/**
 * All cores but one, at most four: a page that draws while all cores compute stops them all at every barrier (57 for
 * 97 tokens a second in our page on two cores), and beyond four threads memory is the limit.
 */
function defaultThreads(): number {
  const { navigator } = globalThis as { navigator?: { hardwareConcurrency?: number } }
  // Node 20 has no navigator, and no page to draw.
  const cores = navigator?.hardwareConcurrency ?? 3
  return Math.min(cores - 1, 4)
}

function createMemory(shared: boolean): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: 1, maximum: MAXIMUM_PAGES, shared })
  } catch (cause) {
    throw new EngineError(
      'out-of-memory',
      `This device does not give ${(MAXIMUM_PAGES * PAGE_BYTES) / 2 ** 30} GiB of address space.`,
      { cause },
    )
  }
}

/** What the kernels take for granted. */
function checkModel(model: ModelDefinition): void {
  if (model.headDim % 8 !== 0 || model.headDim > 1024) {
    throw new EngineError(
      'unsupported',
      `Heads of ${model.headDim} dimensions; the kernels take multiples of 8 to 1,024.`,
    )
  }
  const { dimensionCount, style } = model.layers[0]!.rope
  if (model.layers.some(({ rope }) => rope.dimensionCount !== dimensionCount || rope.style !== style)) {
    throw new EngineError('unsupported', 'Layers whose rotations differ in form are not supported.')
  }
}

function checkRecords(kernels: Kernels): void {
  const pairs: [string, number, number][] = [
    ['Model', kernels.modelBytes(), recordBytes(modelFields)],
    ['Layer', kernels.layerBytes(), recordBytes(layerFields)],
    ['Scratch', kernels.scratchBytes(), recordBytes(scratchFields)],
    ['Cache', kernels.cacheBytes(), recordBytes(cacheFields)],
  ]
  for (const [name, compiled, ours] of pairs) {
    if (compiled !== ours) {
      throw new EngineError(
        'internal',
        `Record ${name} has ${compiled} bytes in the kernels and ${ours} here.`,
      )
    }
  }
}
