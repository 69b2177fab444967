import { EngineError, isEngineError } from '../../contract/error'
import type { ModelDefinition } from '../../model/definition'
import { type Backend, type BackendSession, type LoadOptions, TOP_COUNT } from '../backend'
import { type AdapterFacts, openGpu } from './device'
import { BufferUsage } from './gpu-flags'
import { GpuMemory } from './gpu-memory'
import { GpuHealth } from './health'
import { KernelCompiler } from './kernels'
import { checkModel, logitStride, padded, Plan, Planner, type ScratchName } from './plan'
import { LOGIT_ROWS, ReadbackPool, SELECTION_BYTES } from './readback'
import { type SessionHost, SHIFT_POSITIONS, WebGpuSession } from './session'
import { CHUNK_ROWS, COUNT_BINS, SUMMARY_FLOATS } from './shaders/logits'
import { STEP_WORDS } from './shaders/shader'
import { shiftShader } from './shaders/vectors'
import { chooseVariant, type Variant, variantNamed, type VariantName } from './variant'
import { type GpuWeights, loadWeights } from './weights'

/** Tokens of one call. */
const MAX_BATCH = 256

export interface WebGpuOptions extends LoadOptions {
  powerPreference?: GPUPowerPreference | undefined
  /** A matrix is cut in parts of at most so many bytes. Default, and never more than: what the device allows. */
  maxMatrixBytes?: number | undefined
}

export const loadWebGpu = (options: WebGpuOptions): Promise<Backend> => loadWebGpuVariant(options)

/** The same with a given cut of the kernels, for tests and measurements. */
export async function loadWebGpuVariant(options: WebGpuOptions, name?: VariantName): Promise<Backend> {
  checkModel(options.model)
  const { device, facts } = await openGpu(options)
  const health = new GpuHealth(device)
  const memory = new GpuMemory(device, health)
  const variant = variantNamed(name ?? chooseVariant(device, facts.isFallback))
  try {
    const parts = await health.guard(() => loadParts(options, { device, memory, health, variant }))
    await memory.confirmed()
    options.signal?.throwIfAborted()
    return new WebGpuBackend(facts, variant, parts)
  } catch (error) {
    // A device that is lost refuses everything, in words of its own.
    const isKnown = options.signal?.aborted === true || isEngineError(error, 'out-of-memory')
    const lost = isKnown ? null : await health.lostSoon()
    memory.dispose()
    device.destroy()
    throw lost ?? error
  }
}

async function loadParts(
  { model, bytes, maxMatrixBytes, signal, onProgress }: WebGpuOptions,
  gpu: Pick<Parts, 'device' | 'memory' | 'health'> & { variant: Variant },
): Promise<Parts> {
  const { device, memory, health, variant } = gpu
  const weights = await loadWeights({
    model,
    bytes,
    memory,
    maxMatrixBytes,
    signal,
    onProgress(loadedBytes, totalBytes) {
      // Not the rest of a large file where the GPU has no room for it.
      health.check()
      onProgress?.(loadedBytes, totalBytes)
    },
  })
  await memory.confirmed()
  const planner = new Planner(model, weights, variant)
  const compiler = new KernelCompiler(device)
  const compile = (steps: Parameters<typeof Plan.compile>[0]): Promise<Plan> => Plan.compile(steps, compiler)
  const [decode, decodeHead, batch, batchHead, top, feed, draw, shiftKernel] = await Promise.all([
    compile(planner.layers('decode')),
    compile(planner.head('decode')),
    compile(planner.layers('batch')),
    compile(planner.head('batch')),
    compile(planner.top()),
    compile(planner.feed()),
    compile(planner.draw()),
    compiler.compile(
      shiftShader({ kvHeads: model.kvHeadCount, headDim: model.headDim, positions: SHIFT_POSITIONS }),
    ),
  ])
  return {
    model,
    device,
    memory,
    health,
    scratch: createScratch(model, weights, memory, variant),
    plans: { decode, decodeHead, batch, batchHead, top, feed, draw },
    shiftKernel,
    outputNorm: weights.outputNormValues,
    weightsBytes: weights.sizeBytes,
  }
}

interface Parts {
  model: ModelDefinition
  device: GPUDevice
  memory: GpuMemory
  health: GpuHealth
  scratch: Record<ScratchName, GPUBuffer>
  plans: SessionHost['plans']
  shiftKernel: SessionHost['shiftKernel']
  outputNorm: Float32Array
  weightsBytes: number
}

class WebGpuBackend implements Backend {
  readonly kind = 'webgpu'
  readonly variant: string
  readonly threads = 1
  readonly maxBatch = MAX_BATCH
  readonly weightsBytes: number
  readonly #parts: Parts
  readonly #sessions = new Set<WebGpuSession>()
  readonly #host: SessionHost
  #disposed = false

  constructor(facts: AdapterFacts, variant: Variant, parts: Parts) {
    const { memory, model } = parts
    this.variant = `${variant.name} on ${facts.name}`
    this.weightsBytes = parts.weightsBytes
    this.#parts = parts
    this.#host = {
      ...parts,
      maxBatch: MAX_BATCH,
      readback: new ReadbackPool(memory, (logitStride(model) + padded(model.embeddingLength)) * 4),
      onDispose: (session) => void this.#sessions.delete(session),
    }
  }

  get memoryBytes(): number {
    return this.#parts.memory.usedBytes
  }

  createSession({ contextLength }: { contextLength: number }): BackendSession {
    if (this.#disposed) {
      throw new EngineError('disposed', 'This WebGPU backend was disposed of; load the model again.')
    }
    const { model } = this.#parts
    if (!Number.isInteger(contextLength) || contextLength < 1 || contextLength > model.contextLength) {
      throw new EngineError(
        'invalid-argument',
        `contextLength must be 1 to ${model.contextLength}, got ${String(contextLength)}.`,
      )
    }
    const session = new WebGpuSession(this.#host, contextLength)
    this.#sessions.add(session)
    return session
  }

  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    for (const session of this.#sessions) session.dispose()
    this.#parts.memory.dispose()
    this.#parts.device.destroy()
  }
}

function createScratch(
  model: ModelDefinition,
  { layers }: GpuWeights,
  memory: GpuMemory,
  variant: Variant,
): Record<ScratchName, GPUBuffer> {
  const { headCount, kvHeadCount, headDim, embeddingLength, feedForwardLength, vocabularySize } = model
  const floats = (count: number): GPUBuffer => memory.createStorage(count * 4, 'Working memory')
  const batch = (width: number): GPUBuffer => floats(MAX_BATCH * padded(width))
  /** What only some families' layers write. */
  const batchIf = (isUsed: boolean, width: number): GPUBuffer => (isUsed ? batch(width) : floats(1))
  return {
    step: memory.create(STEP_WORDS * 4, BufferUsage.uniform | BufferUsage.copyTarget, 'Working memory'),
    tokens: floats(MAX_BATCH),
    residual: batch(embeddingLength),
    qkv: batchIf(
      layers.some(({ queryNorm }) => queryNorm !== null),
      (headCount + 2 * kvHeadCount) * headDim,
    ),
    queries: batch(headCount * headDim),
    partials: floats(headCount * variant.splits * (headDim + 4)),
    mixed: batch(headCount * headDim),
    projected: batchIf(
      layers.some((layer) => (layer.postAttentionNorm ?? layer.postFeedForwardNorm) !== null),
      embeddingLength,
    ),
    gate: batch(feedForwardLength),
    up: batchIf(
      layers.some(({ gateUp }) => gateUp.length === 2),
      feedForwardLength,
    ),
    logits: floats(LOGIT_ROWS * logitStride(model)),
    chunks: floats(LOGIT_ROWS * Math.ceil(vocabularySize / CHUNK_ROWS) * 8),
    summary: floats(LOGIT_ROWS * SUMMARY_FLOATS),
    counts: floats(COUNT_BINS),
    selection: memory.createStorage(SELECTION_BYTES, 'Working memory'),
    ranked: floats(TOP_COUNT * 2),
  }
}
