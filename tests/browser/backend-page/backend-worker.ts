import { expose } from 'comlink'
import type { Backend } from '../../../src/backend/backend'
import { loadReference } from '../../../src/backend/reference/load'
import { loadWasm, loadWasmVariant, type Variant as WasmVariant } from '../../../src/backend/wasm'
import { loadWebGpuVariant, type WebGpuVariantName } from '../../../src/backend/webgpu'
import type { ByteSource } from '../../../src/contract/bytes'
import { parseGguf } from '../../../src/gguf/parse'
import { readModel } from '../../../src/model/read-model'
import { memorySource } from '../../../src/store/memory-source'
import { openModelUrl } from '../../../src/store/model-url'
import { AgreementCounter, logSoftmax, type Agreement } from '../../conformance/agreement'
import { tinyModel, type TinyModelOptions } from '../../fixtures/tiny-models'
import { runScript, type SessionStep, type StepResult } from './session-script'

/** A recorded prompt, as it crosses into the page. */
export interface ForcedCase {
  tokens: number[]
  steps: { ids: number[]; logprobs: number[] }[]
}

export type PageModel = { manifestUrl: string } | { tiny: Omit<TinyModelOptions, 'metadata'> }

/** `variant` null: the one that the backend chooses. */
export type PageBackend =
  | { kind: 'wasm'; variant: WasmVariant | null; threads: number }
  | {
      kind: 'webgpu'
      variant: WebGpuVariantName | null
      maxMatrixBytes?: number | undefined
      /** Features that the adapter shall not have; and it calls itself a GPU. Default: it is as it is. */
      without?: readonly GPUFeatureName[] | undefined
    }

export interface BackendFacts {
  variant: string
  threads: number
}

/** Since the page was opened. */
export interface GpuWork {
  /** Buffers and bind groups made. */
  objects: number
  /** Bytes the CPU read back. */
  bytesRead: number
  /** Of the backend that is open. */
  memoryBytes: number
  weightsBytes: number
}

/** What the specs call through the page. One backend at a time. */
export interface BackendPageApi {
  open(model: PageModel, backend: PageBackend): Promise<BackendFacts>
  /** Over the cases' tokens, against each of the recordings, which have the same cases. */
  agreement(recordings: ForcedCase[][]): Promise<Agreement[]>
  /** SHA-256 over the bits of the logits after every token, given in calls of these sizes, again and again. */
  digest(tokens: number[], callSizes: number[]): Promise<string>
  /** Over a tiny model's tokens, against the reference. */
  againstReference(model: TinyModelOptions, tokens: number[]): Promise<Agreement>
  /** A new session's steps. */
  run(contextLength: number, steps: SessionStep[]): Promise<StepResult[]>
  gpuWork(): GpuWork
}

const work = { objects: 0, bytesRead: 0 }

/** Counts what the backend asks of WebGPU, from outside. */
function countGpuWork(): void {
  if (!('GPUDevice' in globalThis)) return
  const device = GPUDevice.prototype
  for (const name of ['createBuffer', 'createBindGroup'] as const) {
    const create = device[name] as (this: GPUDevice, descriptor: never) => never
    device[name] = function (this: GPUDevice, descriptor: never): never {
      work.objects++
      return create.call(this, descriptor)
    }
  }
  const { mapAsync } = GPUBuffer.prototype
  GPUBuffer.prototype.mapAsync = function (mode, offset, size) {
    work.bytesRead += size ?? this.size
    return mapAsync.call(this, mode, offset, size)
  }
}
countGpuWork()

let without: readonly GPUFeatureName[] | null = null

/** Lets an adapter seem to be a GPU that has fewer features. */
function maskAdapters(): void {
  if (!('GPUAdapter' in globalThis)) return
  const mask = <Key extends 'features' | 'info'>(
    name: Key,
    masked: (value: GPUAdapter[Key]) => unknown,
  ): void => {
    const { get } = Object.getOwnPropertyDescriptor(GPUAdapter.prototype, name)!
    Object.defineProperty(GPUAdapter.prototype, name, {
      get(this: GPUAdapter) {
        const value = get!.call(this) as GPUAdapter[Key]
        return without === null ? value : masked(value)
      },
    })
  }
  mask(
    'features',
    (features) => new Set([...features].filter((name) => !without!.includes(name as GPUFeatureName))),
  )
  mask('info', () => ({
    vendor: 'masked',
    architecture: '',
    device: '',
    description: '',
    isFallbackAdapter: false,
  }))
}
maskAdapters()

let backend: Backend | null = null

function current(): Backend {
  if (backend === null) throw new Error('open() a backend first')
  return backend
}

async function sourceOf(model: PageModel): Promise<ByteSource> {
  return 'tiny' in model
    ? memorySource(tinyModel(model.tiny))
    : (await openModelUrl(model.manifestUrl)).source
}

/** Logits after every token; the rows are copies. */
async function rowsOf(
  from: Backend,
  tokens: readonly number[],
  callSizes: readonly number[],
): Promise<Float32Array<ArrayBuffer>[]> {
  const session = from.createSession({ contextLength: tokens.length })
  const rows: Float32Array<ArrayBuffer>[] = []
  for (let call = 0; session.length < tokens.length; call++) {
    const size = Math.min(callSizes[call % callSizes.length]!, from.maxBatch)
    const batch = tokens.slice(session.length, session.length + size)
    for (const logits of await session.forward(batch, { outputs: batch.length })) {
      rows.push(new Float32Array(logits.values()))
    }
  }
  session.dispose()
  return rows
}

async function logprobsOf(from: Backend, tokens: readonly number[]): Promise<Float32Array[]> {
  const session = from.createSession({ contextLength: tokens.length })
  const rows: Float32Array[] = []
  while (session.length < tokens.length) {
    const batch = tokens.slice(session.length, session.length + from.maxBatch)
    for (const logits of await session.forward(batch, { outputs: batch.length })) {
      rows.push(logSoftmax(new Float32Array(logits.values()), logits.logSumExp))
    }
  }
  session.dispose()
  return rows
}

/** The reference is slow and asked for the same again with every build. */
const referenceRows = new Map<string, Promise<Float32Array[]>>()

function referenceLogprobs(options: TinyModelOptions, tokens: readonly number[]): Promise<Float32Array[]> {
  const key = JSON.stringify([options, tokens])
  const known = referenceRows.get(key)
  if (known !== undefined) return known
  const rows = (async () => {
    const bytes = memorySource(tinyModel(options))
    const reference = await loadReference({ model: await readModel(await parseGguf(bytes), bytes), bytes })
    const base = await logprobsOf(reference, tokens)
    reference.dispose()
    return base
  })()
  referenceRows.set(key, rows)
  return rows
}

const api: BackendPageApi = {
  async open(model, choice) {
    backend?.dispose()
    backend = null
    const bytes = await sourceOf(model)
    const options = { model: await readModel(await parseGguf(bytes), bytes), bytes }
    if (choice.kind === 'webgpu') {
      const { variant, maxMatrixBytes } = choice
      without = choice.without ?? null
      backend = await loadWebGpuVariant({ ...options, maxMatrixBytes }, variant ?? undefined)
    } else {
      const { variant, threads } = choice
      backend = await (variant === null
        ? loadWasm({ ...options, threads })
        : loadWasmVariant({ ...options, threads }, variant))
    }
    return { variant: backend.variant, threads: backend.threads }
  },

  async agreement(recordings) {
    const counters = recordings.map(() => new AgreementCounter())
    for (const [i, { tokens, steps }] of recordings[0]!.entries()) {
      const rows = await logprobsOf(current(), tokens.slice(0, -1))
      const ofSteps = rows.slice(rows.length - steps.length)
      recordings.forEach((cases, r) =>
        cases[i]!.steps.forEach((step, s) => counters[r]!.add(step, ofSteps[s]!)),
      )
    }
    return counters.map((counter) => counter.result())
  },

  async digest(tokens, callSizes) {
    const rows = await rowsOf(current(), tokens, callSizes)
    const hash = await crypto.subtle.digest('SHA-256', await new Blob(rows).arrayBuffer())
    return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('')
  },

  async againstReference(options, tokens) {
    const base = await referenceLogprobs(options, tokens)
    const rows = await logprobsOf(current(), tokens)
    const counter = new AgreementCounter()
    base.forEach((logprobs, i) => counter.add({ ids: null, logprobs }, rows[i]!))
    return counter.result()
  },

  run: (contextLength, steps) => runScript(current(), contextLength, steps),

  gpuWork() {
    const { memoryBytes, weightsBytes } = current()
    return { ...work, memoryBytes, weightsBytes }
  },
}

expose(api)
