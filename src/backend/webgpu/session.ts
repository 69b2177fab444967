import { EngineError } from '../../contract/error'
import type { ModelDefinition, Rope } from '../../model/definition'
import type {
  BackendSession,
  Draw,
  FollowedLogits,
  FollowOptions,
  ForwardOptions,
  LogitDetail,
  Logits,
} from '../backend'
import type { GpuMemory } from './gpu-memory'
import type { GpuHealth } from './health'
import { bind, type Dispatch, type Kernel } from './kernels'
import { readOutputs } from './outputs'
import { logitStride, padded, type Plan, type ScratchName, type SessionBuffers } from './plan'
import {
  LOGIT_ROWS,
  type ReadbackPool,
  rowsOffset,
  SELECTION_BYTES,
  selectionOffset,
  summaryOffset,
} from './readback'
import { SUMMARY_FLOATS } from './shaders/logits'
import { STEP_WORDS } from './shaders/shader'

/** What a session uses of its backend. */
export interface SessionHost {
  readonly model: ModelDefinition
  readonly device: GPUDevice
  readonly memory: GpuMemory
  readonly scratch: Readonly<Record<ScratchName, GPUBuffer>>
  readonly plans: Plans
  readonly shiftKernel: Kernel
  /** (embeddingLength) */
  readonly outputNorm: Float32Array
  readonly maxBatch: number
  readonly readback: ReadbackPool
  readonly health: GpuHealth
  onDispose(session: WebGpuSession): void
}

/** The passes of a model: over one token and over several, and what may follow. */
export interface Plans {
  readonly decode: Plan
  readonly decodeHead: Plan
  readonly batch: Plan
  readonly batchHead: Plan
  readonly top: Plan
  readonly feed: Plan
  readonly draw: Plan
}

/** Positions of the KV cache that are moved at once: as many as the working memory for a batch's queries holds. */
export const SHIFT_POSITIONS = 128
/** Positions the KV cache grows by. */
const PAGE = 256

export class WebGpuSession implements BackendSession {
  readonly contextLength: number
  readonly cacheBytes: number
  readonly #host: SessionHost
  readonly #step = new Uint32Array(STEP_WORDS)
  readonly #stepFloats = new Float32Array(this.#step.buffer)
  readonly #tokens: Uint32Array<ArrayBuffer>
  #buffers: SessionBuffers | null = null
  #bound: Readonly<Record<keyof Plans, readonly Dispatch[]>> | null = null
  #capacity = 0
  #length = 0
  /** While memory is being made for a call; later calls come behind it. */
  #growth: Promise<void> | null = null
  /** Row of the summaries with the newest output; −1: none since the last other change. */
  #newestRow = -1
  /** Whether its likeliest tokens lie in the selection. */
  #newestHasTop = false
  #disposed = false

  /** @throws EngineError 'out-of-memory' where the KV cache would outgrow the device's limits */
  constructor(host: SessionHost, contextLength: number) {
    const { model, memory } = host
    const largest = largestCapacity(contextLength)
    const layerBytes = largest * bytesPerPosition(model)
    if (layerBytes > memory.maxBindingBytes) {
      const most = Math.floor(memory.maxBindingBytes / bytesPerPosition(model))
      throw new EngineError(
        'out-of-memory',
        `A KV cache of ${contextLength} tokens needs ${layerBytes} bytes a layer in one piece; this GPU allows ` +
          `${memory.maxBindingBytes}. Ask for a contextLength of at most ${most}, or for the backend 'wasm'.`,
        { details: { sizeBytes: layerBytes, limitBytes: memory.maxBindingBytes, contextLength: most } },
      )
    }
    this.#host = host
    this.contextLength = contextLength
    this.cacheBytes = model.layers.length * layerBytes
    this.#tokens = new Uint32Array(host.maxBatch)
  }

  get length(): number {
    return this.#length
  }

  async forward(tokens: ArrayLike<number>, options: ForwardOptions = {}): Promise<Logits[]> {
    const { outputs = 1, detail = 'all', temperature } = options
    this.#check(tokens, outputs)
    return this.#withRoom(tokens.length, () => this.#forward(tokens, outputs, { detail, temperature }))
  }

  async #forward(tokens: ArrayLike<number>, outputs: number, wanted: Wanted): Promise<Logits[]> {
    const { device, scratch, health } = this.#host
    const count = tokens.length
    for (let i = 0; i < count; i++) this.#tokens[i] = tokens[i]!
    device.queue.writeBuffer(scratch.tokens, 0, this.#tokens, 0, count)
    const bound = this.#bound!
    const layers = count === 1 ? bound.decode : bound.batch
    const logits: Logits[] = []
    if (outputs === 0) {
      this.#submit({ count, firstOutput: 0, outputs: 0 }, [[layers, count]])
      this.#advance(count, -1)
      try {
        await device.queue.onSubmittedWorkDone()
      } catch (cause) {
        throw await health.explain(cause)
      }
      // It resolves on most lost devices too.
      health.check()
      return logits
    }
    for (let row = 0; row < outputs; row += LOGIT_ROWS) {
      const rows = Math.min(LOGIT_ROWS, outputs - row)
      const ahead = row === 0 ? ([[layers, count]] as const) : []
      const step = { count, firstOutput: count - outputs + row, outputs: rows }
      const isLast = row + rows === outputs
      const detail = outputs > 1 && wanted.detail === 'top' ? 'all' : wanted.detail
      const reading = this.#outputs(step, ahead, { ...wanted, detail })
      if (isLast) this.#advance(count, rows - 1)
      logits.push(...(await reading))
    }
    return logits
  }

  async follow({ detail = 'all', temperature, draw = null }: FollowOptions = {}): Promise<FollowedLogits> {
    this.#checkLive()
    return this.#withRoom(1, () => this.#follow({ detail, temperature }, draw))
  }

  async #follow(wanted: Wanted, draw: Draw | null): Promise<FollowedLogits> {
    if (this.#newestRow < 0) {
      throw new EngineError('invalid-argument', 'follow() continues an output; call forward() first.')
    }
    const { feed, draw: drawing, decode } = this.#bound!
    // Without the likeliest tokens the likeliest one is as good a guess as any.
    const isDrawn = draw !== null && this.#newestHasTop
    if (isDrawn) {
      this.#step[6] = draw.topK
      this.#stepFloats.set([draw.temperature, draw.topP, draw.minP, draw.quantile], 7)
    }
    const reading = this.#outputs(
      { count: 1, firstOutput: 0, outputs: 1 },
      [
        [isDrawn ? drawing : feed, 1],
        [decode, 1],
      ],
      wanted,
    )
    this.#advance(1, 0)
    return (await reading)[0]!
  }

  /** Begins a call at once where the KV cache has room for `count` more, else when it has grown, in order. */
  async #withRoom<Result>(count: number, begin: () => Promise<Result>): Promise<Result> {
    if (this.#growth === null && this.#length + count <= this.#capacity) {
      this.#checkRoom(count)
      return begin()
    }
    let begun: Promise<Result> | undefined
    const growth = (this.#growth ?? Promise.resolve()).then(async () => {
      this.#checkRoom(count)
      await this.#grow(this.#length + count)
      this.#checkLive()
      begun = begin()
      begun.catch(() => undefined)
    })
    this.#growth = growth
    return growth
      .finally(() => {
        if (this.#growth === growth) this.#growth = null
      })
      .then(() => begun!)
  }

  #advance(count: number, newestRow: number): void {
    this.#length += count
    this.#newestRow = newestRow
  }

  /** Runs what comes `before`, then the head, and reads what is wanted of the outputs. */
  async #outputs(
    step: StepCounts,
    before: readonly Pass[],
    { detail, temperature = 0 }: Wanted,
  ): Promise<FollowedLogits[]> {
    const { scratch, readback, model, outputNorm, health } = this.#host
    const { top, decodeHead, batchHead } = this.#bound!
    const rows = step.outputs
    const stride = logitStride(model)
    const width = padded(model.embeddingLength)
    const slot = readback.take(detail === 'all')
    const passes: Pass[] = [...before, [rows === 1 ? decodeHead : batchHead, rows]]
    if (detail === 'top') passes.push([top, 1])
    this.#newestHasTop = detail === 'top'
    this.#stepFloats[11] = temperature
    this.#submit(step, passes, (encoder) => {
      const { buffer } = slot
      encoder.copyBufferToBuffer(scratch.tokens, 0, buffer, 0, 4)
      encoder.copyBufferToBuffer(scratch.summary, 0, buffer, summaryOffset, rows * SUMMARY_FLOATS * 4)
      if (detail === 'top') {
        encoder.copyBufferToBuffer(scratch.selection, 0, buffer, selectionOffset, SELECTION_BYTES)
      }
      if (detail === 'all') {
        const hiddenAt = rowsOffset + rows * stride * 4
        encoder.copyBufferToBuffer(scratch.logits, 0, buffer, rowsOffset, rows * stride * 4)
        encoder.copyBufferToBuffer(
          scratch.residual,
          step.firstOutput * width * 4,
          buffer,
          hiddenAt,
          rows * width * 4,
        )
      }
    })
    const bytes = {
      summary: summaryOffset + rows * SUMMARY_FLOATS * 4,
      top: rowsOffset,
      all: rowsOffset + rows * (stride + width) * 4,
    }[detail]
    return readback.read(slot, bytes, health, (mapped) =>
      readOutputs(mapped, rows, detail, { model, outputNorm }),
    )
  }

  #submit(
    { count, firstOutput, outputs }: StepCounts,
    passes: readonly Pass[],
    copy?: (encoder: GPUCommandEncoder) => void,
  ): void {
    const { device, scratch } = this.#host
    this.#step.set([this.#length, count, this.#capacity, firstOutput, outputs, Math.max(0, this.#newestRow)])
    device.queue.writeBuffer(scratch.step, 0, this.#step)
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    for (const [dispatches, tokens] of passes) record(pass, dispatches, tokens)
    pass.end()
    copy?.(encoder)
    device.queue.submit([encoder.finish()])
  }

  truncate(length: number): void {
    this.#checkLive()
    if (!Number.isInteger(length) || length < 0 || length > this.#length) {
      throw new EngineError('invalid-argument', `truncate() takes 0 to ${this.#length}, got ${length}.`)
    }
    this.#length = length
    this.#newestRow = -1
  }

  shift(from: number, to: number): void {
    this.#checkLive()
    if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= this.#length)) {
      throw new EngineError(
        'invalid-argument',
        `shift() takes 0 ≤ from ≤ to ≤ ${this.#length}, got ${from}, ${to}.`,
      )
    }
    const count = this.#length - to
    if (count > 0 && to > from) this.#move(from, to, count)
    this.#length = from + count
    this.#newestRow = -1
  }

  /**
   * Piece by piece by way of working memory, as what is read and what is written overlap. Nothing is allocated: that
   * there is no room would be known only after this returned.
   */
  #move(from: number, to: number, count: number): void {
    const { device, model, scratch, shiftKernel } = this.#host
    const { kvHeadCount, headDim } = model
    const positionBytes = headDim * 2
    const { caches, turns } = this.#buffers!
    for (const [rope, buffer] of turns) {
      device.queue.writeBuffer(buffer, 0, rotationTable(rope, headDim, from - to, 1))
    }
    const layers = model.layers.map(({ rope }, layer) => {
      const cache = caches[layer]!
      const buffers = { step: scratch.step, cache, turns: turns.get(rope)!, moved: scratch.queries }
      return { cache, bindings: bind(device, shiftKernel, buffers) }
    })
    for (let done = 0; done < count; done += SHIFT_POSITIONS) {
      const moving = Math.min(SHIFT_POSITIONS, count - done)
      this.#step.set([to + done, moving, this.#capacity, 0, 0, 0])
      device.queue.writeBuffer(scratch.step, 0, this.#step)
      const encoder = device.createCommandEncoder()
      for (const { cache, bindings } of layers) {
        const pass = encoder.beginComputePass()
        pass.setPipeline(shiftKernel.pipeline)
        pass.setBindGroup(0, bindings)
        pass.dispatchWorkgroups(Math.ceil(moving / 16), 2 * kvHeadCount)
        pass.end()
        for (let lane = 0; lane < 2 * kvHeadCount; lane++) {
          encoder.copyBufferToBuffer(
            scratch.queries,
            lane * SHIFT_POSITIONS * positionBytes,
            cache,
            (lane * this.#capacity + from + done) * positionBytes,
            moving * positionBytes,
          )
        }
      }
      device.queue.submit([encoder.finish()])
    }
  }

  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#release(this.#buffers)
    this.#buffers = null
    this.#host.onDispose(this)
  }

  /**
   * Makes room for `length` positions; what is cached is kept.
   * @throws EngineError 'out-of-memory'; then the session is as it was
   */
  async #grow(length: number): Promise<void> {
    if (length <= this.#capacity) return
    const { model, memory, device, scratch, plans } = this.#host
    const wanted = Math.max(length, Math.min(this.#capacity * 2, this.contextLength))
    const capacity = Math.min(Math.ceil(wanted / PAGE) * PAGE, largestCapacity(this.contextLength))
    const { headDim, kvHeadCount } = model
    const positionBytes = headDim * 2
    const caches: GPUBuffer[] = []
    const rotations = new Map<Rope, GPUBuffer>()
    const turns = new Map<Rope, GPUBuffer>()
    try {
      for (const layer of model.layers.keys()) {
        const size = capacity * bytesPerPosition(model)
        caches.push(memory.createStorage(size, `The KV cache of layer ${layer} for ${capacity} tokens`))
      }
      for (const rope of ropesOf(model)) {
        rotations.set(rope, memory.upload(rotationTable(rope, headDim, 0, capacity), 'Rotations'))
        turns.set(rope, memory.createStorage(headDim * 4, 'A rotation'))
      }
      await memory.confirmed()
      this.#checkLive()
    } catch (error) {
      this.#release({ caches, rotations, turns })
      throw error
    }
    const old = this.#buffers
    if (old !== null) {
      const encoder = device.createCommandEncoder()
      old.caches.forEach((cache, layer) => {
        for (let lane = 0; lane < 2 * kvHeadCount; lane++) {
          encoder.copyBufferToBuffer(
            cache,
            lane * this.#capacity * positionBytes,
            caches[layer]!,
            lane * capacity * positionBytes,
            this.#length * positionBytes,
          )
        }
      })
      device.queue.submit([encoder.finish()])
      this.#release(old)
    }
    this.#buffers = { caches, rotations, turns }
    this.#capacity = capacity
    const buffers = this.#buffers
    const bindPlan = (plan: Plan): Dispatch[] => plan.bind(device, scratch, buffers)
    this.#bound = {
      decode: bindPlan(plans.decode),
      decodeHead: bindPlan(plans.decodeHead),
      batch: bindPlan(plans.batch),
      batchHead: bindPlan(plans.batchHead),
      top: bindPlan(plans.top),
      feed: bindPlan(plans.feed),
      draw: bindPlan(plans.draw),
    }
  }

  #release(buffers: SessionBuffers | null): void {
    if (buffers === null) return
    const { caches, rotations, turns } = buffers
    for (const buffer of [...caches, ...rotations.values(), ...turns.values()]) {
      this.#host.memory.release(buffer)
    }
  }

  #check(tokens: ArrayLike<number>, outputs: number): void {
    this.#checkLive()
    const { maxBatch, model } = this.#host
    const count = tokens.length
    if (count < 1 || count > maxBatch) {
      throw new EngineError('invalid-argument', `forward() takes 1 to ${maxBatch} tokens, got ${count}.`)
    }
    if (!Number.isInteger(outputs) || outputs < 0 || outputs > count) {
      throw new EngineError('invalid-argument', `outputs must be 0 to ${count}, got ${outputs}.`)
    }
    this.#checkRoom(count)
    for (let i = 0; i < count; i++) {
      const token = tokens[i]!
      if (!Number.isInteger(token) || token < 0 || token >= model.vocabularySize) {
        throw new EngineError(
          'invalid-argument',
          `Token ids are 0 to ${model.vocabularySize - 1}, got ${String(token)}.`,
        )
      }
    }
  }

  #checkRoom(count: number): void {
    if (this.#length + count <= this.contextLength) return
    throw new EngineError(
      'context-overflow',
      `The context holds ${this.contextLength} tokens; ${this.#length} are in it and ${count} more do not fit.`,
      { details: { contextLength: this.contextLength, length: this.#length, tokens: count } },
    )
  }

  #checkLive(): void {
    if (this.#disposed) throw new EngineError('disposed', 'This session was disposed of; create another.')
    this.#host.health.check()
  }
}

/** Positions that a KV cache of so many tokens may have room for. */
function largestCapacity(contextLength: number): number {
  return Math.max(PAGE, padded(contextLength))
}

/** Keys and values of a layer: half floats. */
function bytesPerPosition({ kvHeadCount, headDim }: ModelDefinition): number {
  return 2 * kvHeadCount * headDim * 2
}

interface Wanted {
  readonly detail: LogitDetail
  readonly temperature: number | undefined
}

interface StepCounts {
  readonly count: number
  readonly firstOutput: number
  readonly outputs: number
}

/** Dispatches over a number of tokens. */
type Pass = readonly [dispatches: readonly Dispatch[], tokens: number]

function record(pass: GPUComputePassEncoder, dispatches: readonly Dispatch[], count: number): void {
  for (const { kernel, bindings, x, tokens } of dispatches) {
    pass.setPipeline(kernel.pipeline)
    pass.setBindGroup(0, bindings)
    pass.dispatchWorkgroups(x, Math.ceil(count / tokens))
  }
}

/** (count, headDim / 2) cosine and sine of each rotated pair, from a position on; pairs that are not rotated stay. */
function rotationTable(rope: Rope, headDim: number, first: number, count: number): Float32Array {
  const pairs = headDim / 2
  const table = new Float32Array(count * pairs * 2)
  for (let position = 0; position < count; position++) {
    for (let i = 0; i < pairs; i++) {
      const angle = i < rope.dimensionCount / 2 ? (first + position) * rope.frequencies[i]! : 0
      table[(position * pairs + i) * 2] = Math.cos(angle)
      table[(position * pairs + i) * 2 + 1] = Math.sin(angle)
    }
  }
  return table
}

/** The distinct rotations of a model. */
function ropesOf(model: ModelDefinition): Rope[] {
  return [...new Set(model.layers.map(({ rope }) => rope))]
}
