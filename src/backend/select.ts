import type { ByteSource } from '../contract/bytes'
import type { BackendPreference } from '../contract/engine'
import { EngineError, isEngineError } from '../contract/error'
import type { Probe } from '../contract/probe'
import type { Backend, LoadOptions } from './backend'
import { DeviceNotes, type NoteStorage } from './device/notes'
import { comparePaces, exchangeMs, type Pace } from './device/measure'
import { checkProbe, makeProbe } from './device/probe'
import { createRecoveringBackend } from './device/recover'

/** 'auto' goes on without a GPU that gets no further for so long, while the other backend waits. */
const GPU_STALLED_AFTER_MS = 10_000

export interface SelectOptions extends LoadOptions {
  /** Default 'auto'. */
  preference?: BackendPreference | undefined
  powerPreference?: GPUPowerPreference | undefined
  /** Of this model, made on the reference. Without one the WebAssembly backend makes one here. */
  probe?: Probe | undefined
  /** At least 32 ids of plain text, for a probe made here and for measuring. */
  sampleTokens: readonly number[]
  /** Tokens of the sessions that are wanted: a GPU that cannot hold so many is not chosen. */
  contextLength?: number | undefined
  /** What notes about this model go by. */
  modelKey: string
  /** Where verdicts are remembered. Default: nowhere. */
  notes?: NoteStorage | undefined
  /** Opens the model's bytes again, for a device that takes another's place. Default: `bytes`. */
  reopen?: ((signal: AbortSignal) => Promise<OpenBytes>) | undefined
  now?: (() => number) | undefined
  /** The backends. Default: this package's. */
  loaders?: Loaders | undefined
}

export interface OpenBytes {
  readonly source: ByteSource
  close(): Promise<void>
}

export interface Loaders {
  wasm(options: LoadOptions): Promise<Backend>
  webgpu(options: LoadOptions & { powerPreference?: GPUPowerPreference | undefined }): Promise<Backend>
  /** @throws EngineError 'unsupported' where there is no GPU */
  findGpu(options: {
    powerPreference?: GPUPowerPreference | undefined
    signal?: AbortSignal | undefined
  }): Promise<{ readonly name: string; readonly key: string; readonly isFallback: boolean }>
}

/** Implementations come when they are needed. */
const packageLoaders: Loaders = {
  wasm: async (options) => (await import('./wasm')).loadWasm(options),
  webgpu: async (options) => (await import('./webgpu')).loadWebGpu(options),
  findGpu: async (options) => (await import('./webgpu/device')).findGpu(options),
}

export interface Selected {
  readonly backend: Backend
  /** Why this one runs, and what happened to it since; sentences for people. */
  reason(): string
}

/**
 * The backend that is wanted; for 'auto' the faster one, as measured once on this device with this model. A GPU
 * answers only after it has reproduced the model's probe, and what runs on one goes on elsewhere when it is lost.
 * @throws EngineError 'unsupported' where the wanted one can't run here or is not to be trusted.
 */
export async function loadBackend(options: SelectOptions): Promise<Selected> {
  const selection = new Selection(options)
  const { preference = 'auto' } = options
  if (preference === 'wasm') return selection.wasm('WebAssembly was asked for.')
  return preference === 'webgpu' ? selection.webGpu() : selection.auto()
}

type GpuFacts = Awaited<ReturnType<Loaders['findGpu']>>

class Selection {
  readonly #options: SelectOptions
  readonly #loaders: Loaders
  #probe: Probe | null
  /** What the last probe took. */
  #probeMs = 0

  constructor(options: SelectOptions) {
    this.#options = options
    this.#loaders = options.loaders ?? packageLoaders
    this.#probe = options.probe ?? null
  }

  async wasm(reason: string): Promise<Selected> {
    return { backend: await this.#loaders.wasm(this.#options), reason: () => reason }
  }

  async webGpu(): Promise<Selected> {
    const gpu = await this.#loaders.findGpu(this.#options)
    let { onProgress } = this.#options
    if (this.#probe === null) {
      const [forProbe, forGpu] = this.#shares(2)
      onProgress = forGpu
      const maker = await this.#loaders.wasm({ ...this.#options, onProgress: forProbe })
      try {
        this.#probe = await makeProbe(maker, this.#options.sampleTokens)
      } finally {
        maker.dispose()
      }
    }
    const backend = await this.#trusted(gpu, onProgress, this.#options.signal)
    return this.#recovering(gpu, backend, `WebGPU on ${gpu.name} was asked for.`)
  }

  async auto(): Promise<Selected> {
    const { signal } = this.#options
    let gpu: GpuFacts
    try {
      gpu = await this.#loaders.findGpu(this.#options)
    } catch (error) {
      if (!isEngineError(error, 'unsupported')) throw error
      return this.wasm(error.message)
    }
    if (gpu.isFallback) return this.wasm(`${gpu.name} is a software adapter, slower than WebAssembly.`)
    const note = await this.#notes(gpu).read()
    if (note !== null && note.verdict !== 'webgpu') return this.wasm(note.reason)
    if (note !== null && this.#probe !== null) {
      try {
        const backend = await this.#trusted(gpu, this.#options.onProgress, signal)
        return this.#recovering(gpu, backend, note.reason)
      } catch (error) {
        signal?.throwIfAborted()
        return this.wasm(messageOf(error))
      }
    }
    return this.#measured(gpu)
  }

  /** Both, and the faster stays. WebAssembly first: it is ready soon, makes a missing probe, and bounds the wait. */
  async #measured(gpu: GpuFacts): Promise<Selected> {
    const { signal, sampleTokens, now } = this.#options
    const [forWasm, forGpu] = this.#shares(2)
    let wasm: Backend
    try {
      wasm = await this.#loaders.wasm({ ...this.#options, onProgress: forWasm })
    } catch (error) {
      if (!isEngineError(error, 'unsupported') && !isEngineError(error, 'out-of-memory')) throw error
      if (this.#probe === null) throw error
      const backend = await this.#trusted(gpu, forGpu, signal)
      return this.#recovering(gpu, backend, `WebAssembly can't run this model here: ${error.message}`)
    }
    let webGpu: Backend | null = null
    try {
      this.#probe ??= await makeProbe(wasm, sampleTokens)
      webGpu = await whileProgressing(GPU_STALLED_AFTER_MS, signal, (until, progressed) =>
        this.#trusted(
          gpu,
          (loadedBytes, totalBytes) => {
            progressed()
            forGpu?.(loadedBytes, totalBytes)
          },
          until,
        ),
      )
      const paces = await comparePaces([wasm, webGpu], sampleTokens, { signal, ...(now && { now }) })
      const [wasmPace, gpuPace] = paces
      const gpuIsFaster = exchangeMs(gpuPace) < exchangeMs(wasmPace)
      const reason = gpuIsFaster
        ? fasterWords(gpu.name, gpuPace, wasmPace)
        : slowerWords(gpu.name, gpuPace, wasmPace)
      await this.#notes(gpu).write(gpuIsFaster ? 'webgpu' : 'wasm', reason)
      const chosen = gpuIsFaster ? webGpu : wasm
      const other = gpuIsFaster ? wasm : webGpu
      other.dispose()
      return gpuIsFaster ? this.#recovering(gpu, chosen, reason) : { backend: chosen, reason: () => reason }
    } catch (error) {
      webGpu?.dispose()
      if (signal?.aborted) {
        wasm.dispose()
        throw error
      }
      const reason = messageOf(error)
      if (isEngineError(error, 'timeout')) await this.#notes(gpu).write('late', reason)
      return { backend: wasm, reason: () => reason }
    }
  }

  /**
   * A GPU that has reproduced the probe. @throws EngineError 'unsupported' where it has not, which is remembered;
   * 'out-of-memory' where the context is too long for it
   */
  async #trusted(
    gpu: GpuFacts,
    onProgress: LoadOptions['onProgress'],
    signal: AbortSignal | undefined,
    bytes: ByteSource = this.#options.bytes,
  ): Promise<Backend> {
    const backend = await this.#loaders.webgpu({ ...this.#options, bytes, onProgress, signal })
    try {
      const { contextLength } = this.#options
      // Its cache grows when it is used, but whether it may is known now.
      if (contextLength !== undefined) backend.createSession({ contextLength }).dispose()
      const { problem, probeMs } = await checkProbe(backend, this.#probe!, signal)
      this.#probeMs = probeMs
      if (problem !== null) {
        const reason = `${gpu.name} computes wrongly: ${problem}.`
        await this.#notes(gpu).write('refused', reason)
        throw new EngineError('unsupported', reason, { details: { adapter: gpu.name } })
      }
      return backend
    } catch (error) {
      backend.dispose()
      throw error
    }
  }

  #recovering(gpu: GpuFacts, backend: Backend, reason: string): Selected {
    const { reopen = async () => ({ source: this.#options.bytes, close: async () => undefined }) } =
      this.#options
    const withBytes = async <Result>(
      signal: AbortSignal,
      load: (bytes: ByteSource) => Promise<Result>,
    ): Promise<Result> => {
      const opened = await reopen(signal)
      try {
        return await load(opened.source)
      } finally {
        await opened.close()
      }
    }
    const recovering = createRecoveringBackend({
      backend,
      reopen: async (signal) => {
        // What comes back after a crash may be a software adapter.
        const found = await this.#loaders.findGpu({ ...this.#options, signal })
        if (found.isFallback && !gpu.isFallback)
          throw new EngineError('unsupported', `Only ${found.name} is left.`)
        return withBytes(signal, (bytes) => this.#trusted(found, undefined, signal, bytes))
      },
      fallBack: (signal) =>
        withBytes(signal, (bytes) =>
          this.#loaders.wasm({ ...this.#options, bytes, signal, onProgress: undefined }),
        ),
      ...(this.#options.now && { now: this.#options.now }),
    })
    return {
      backend: recovering,
      reason: () =>
        [reason, `It passed the probe in ${Math.round(this.#probeMs)} ms.`, recovering.recovery]
          .filter(Boolean)
          .join(' '),
    }
  }

  #notes(gpu: GpuFacts): DeviceNotes {
    const { notes = null, modelKey, threads } = this.#options
    const { navigator } = globalThis as { navigator?: { userAgent?: string } }
    return new DeviceNotes(notes, [
      gpu.key,
      navigator?.userAgent ?? '',
      modelKey,
      `${threads ?? 'default'} threads`,
    ])
  }

  /** Progress of several loads of the same bytes one after the other, as one. */
  #shares(count: number): LoadOptions['onProgress'][] {
    const { onProgress } = this.#options
    return Array.from({ length: count }, (_, index) => (loadedBytes: number, totalBytes: number) => {
      onProgress?.(index * totalBytes + loadedBytes, count * totalBytes)
    })
  }
}

/**
 * `work`, or 'timeout' where it has said for `limitMs` of no progress: reading a large model takes as long as it takes,
 * compiling and the probe do not. What comes too late is disposed of.
 */
async function whileProgressing(
  limitMs: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal, progressed: () => void) => Promise<Backend>,
): Promise<Backend> {
  // An abort that came before tells no listener.
  signal?.throwIfAborted()
  const controller = new AbortController()
  const abort = (): void => controller.abort(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  const stalled = (): void =>
    controller.abort(
      new EngineError('timeout', `The GPU was not ready, and no nearer to it for ${limitMs / 1000} s.`),
    )
  let timer = setTimeout(stalled, limitMs)
  const loading = work(controller.signal, () => {
    clearTimeout(timer)
    timer = setTimeout(stalled, limitMs)
  })
  try {
    return await new Promise((resolve, reject) => {
      controller.signal.addEventListener('abort', () => reject(controller.signal.reason))
      loading.then(resolve, reject)
    })
  } catch (error) {
    loading.then(
      (backend) => backend.dispose(),
      () => undefined,
    )
    throw error
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}

function fasterWords(name: string, gpu: Pace, wasm: Pace): string {
  return `${name} is ${ratio(wasm, gpu)} × as fast as WebAssembly here.`
}

function slowerWords(name: string, gpu: Pace, wasm: Pace): string {
  return `WebAssembly is ${ratio(gpu, wasm)} × as fast as ${name} here.`
}

function ratio(slower: Pace, faster: Pace): string {
  return (exchangeMs(slower) / exchangeMs(faster)).toFixed(1)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
