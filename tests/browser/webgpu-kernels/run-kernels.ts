import { BufferUsage, MapMode } from '../../../src/backend/webgpu/gpu-flags'
import type { Draw } from '../../../src/backend/backend'
import { type Shader, shaderText, STEP_WORDS } from '../../../src/backend/webgpu/shaders/shader'

// Kernels alone, with buffers made up for them: in a page (kernel-page.ts) or in Node (tests/dawn).

/** Fields of the uniform `step` (shaders/shader.ts). Default: zeros, and `outputs` as `count`. */
export interface StepFields {
  start?: number
  count: number
  capacity?: number
  firstOutput?: number
  outputs?: number
  newestRow?: number
  draw?: Draw
  sumTemperature?: number
}

export interface KernelCall {
  shader: Shader
  /** Buffers of bindings that are called otherwise. */
  named?: Readonly<Record<string, string>>
  x: number
  /** Tokens of one workgroup: y = ⌈rows / tokens⌉. Default 1. */
  tokens?: number
  /** What y counts. Default 'count'. */
  rows?: 'count' | 'outputs'
}

/** Kernels one behind the other over shared buffers, for each of the steps from the same beginning. */
export interface KernelRun {
  buffers: Readonly<Record<string, Float32Array | Uint32Array>>
  calls: readonly KernelCall[]
  steps: readonly StepFields[]
  /** Buffers that are read back. */
  read: readonly string[]
}

export type RunKernels = (run: KernelRun) => Promise<Record<string, Uint32Array<ArrayBuffer>>[]>

interface GpuCall {
  text: string
  constants: Record<string, number>
  /** Of each binding: its buffer and whether it is a uniform, read or written. */
  bindings: { buffer: string; type: GPUBufferBindingType }[]
  x: number
  /** One a step. */
  y: number[]
}

export interface GpuRun {
  buffers: Record<string, Uint32Array>
  steps: Uint32Array[]
  calls: GpuCall[]
  read: readonly string[]
  flags: { storage: number; uniform: number; staging: number; mapRead: number; compute: number }
}

function wordsOf(step: StepFields): Uint32Array {
  const {
    start = 0,
    count,
    capacity = 0,
    firstOutput = 0,
    outputs = count,
    newestRow = 0,
    draw,
    sumTemperature = 0,
  } = step
  const words = new Uint32Array(STEP_WORDS)
  words.set([start, count, capacity, firstOutput, outputs, newestRow, draw?.topK ?? 0])
  const floats = new Float32Array(words.buffer)
  if (draw !== undefined) floats.set([draw.temperature, draw.topP, draw.minP, draw.quantile], 7)
  floats[11] = sumTemperature
  return words
}

/** @param evaluate runs the function where the GPU is, with its argument */
export async function runKernels(
  evaluate: (work: typeof runOnGpu, run: GpuRun) => Promise<Record<string, Uint32Array>[]>,
  { buffers, calls, steps, read }: KernelRun,
): Promise<Record<string, Uint32Array<ArrayBuffer>>[]> {
  const run: GpuRun = {
    buffers: Object.fromEntries(
      Object.entries(buffers).map(([name, { buffer, byteOffset, length }]) => [
        name,
        new Uint32Array(buffer, byteOffset, length),
      ]),
    ),
    steps: steps.map((step) => wordsOf(step)),
    calls: calls.map(({ shader, named = {}, x, tokens = 1, rows = 'count' }) => ({
      text: shaderText(shader),
      constants: { ...shader.constants },
      bindings: shader.bindings.map(({ name, access }) => ({
        buffer: named[name] ?? name,
        type: access === 'uniform' ? 'uniform' : access === 'read' ? 'read-only-storage' : 'storage',
      })),
      x,
      y: steps.map((step) => Math.ceil((step[rows] ?? step.count) / tokens)),
    })),
    read,
    flags: {
      storage: BufferUsage.storage | BufferUsage.copySource | BufferUsage.copyTarget,
      uniform: BufferUsage.uniform | BufferUsage.copyTarget,
      staging: BufferUsage.mapRead | BufferUsage.copyTarget,
      mapRead: MapMode.read,
      compute: 4,
    },
  }
  const results = await evaluate(runOnGpu, run)
  return results.map((result) =>
    Object.fromEntries(Object.entries(result).map(([name, words]) => [name, Uint32Array.from(words)])),
  )
}

/** Nothing but its argument is known where it runs. */
export async function runOnGpu({
  buffers,
  steps,
  calls,
  read,
  flags,
}: GpuRun): Promise<Record<string, Uint32Array>[]> {
  interface Opened {
    device: GPUDevice
    kernels: Map<string, Promise<{ pipeline: GPUComputePipeline; layout: GPUBindGroupLayout }>>
    errors: string[]
  }
  const scope = globalThis as unknown as { opened?: Promise<Opened> }
  scope.opened ??= (async () => {
    const adapter = await navigator.gpu.requestAdapter()
    if (adapter === null) throw new Error('no adapter')
    const requiredFeatures = [...adapter.features].filter(
      (name) => name === 'subgroups' || name === 'shader-f16',
    ) as GPUFeatureName[]
    const device = await adapter.requestDevice({ requiredFeatures })
    const errors: string[] = []
    device.addEventListener('uncapturederror', ({ error }) => errors.push(error.message))
    return { device, kernels: new Map(), errors }
  })()
  const { device, kernels, errors } = await scope.opened
  const compiled = await Promise.all(
    calls.map(({ text, constants, bindings }) => {
      const key = text + JSON.stringify(constants)
      const known = kernels.get(key)
      if (known !== undefined) return known
      const kernel = (async () => {
        const layout = device.createBindGroupLayout({
          entries: bindings.map(({ type }, binding) => ({
            binding,
            visibility: flags.compute,
            buffer: { type },
          })),
        })
        const pipeline = await device.createComputePipelineAsync({
          layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
          compute: { module: device.createShaderModule({ code: text }), entryPoint: 'main', constants },
        })
        return { pipeline, layout }
      })()
      kernels.set(key, kernel)
      return kernel
    }),
  )
  const made: GPUBuffer[] = []
  const make = (size: number, usage: number): GPUBuffer => {
    const buffer = device.createBuffer({ size: Math.max(16, Math.ceil(size / 16) * 16), usage })
    made.push(buffer)
    return buffer
  }
  const gpu = Object.fromEntries(
    Object.entries(buffers).map(([name, { byteLength }]) => [name, make(byteLength, flags.storage)]),
  )
  gpu['step'] = make(steps[0]!.byteLength, flags.uniform)
  const groups = calls.map(({ bindings }, i) =>
    device.createBindGroup({
      layout: compiled[i]!.layout,
      entries: bindings.map(({ buffer }, binding) => ({ binding, resource: { buffer: gpu[buffer]! } })),
    }),
  )
  const staging = steps.map(() => read.map((name) => make(gpu[name]!.size, flags.staging)))
  for (const [s, step] of steps.entries()) {
    for (const [name, values] of Object.entries(buffers)) device.queue.writeBuffer(gpu[name]!, 0, values)
    device.queue.writeBuffer(gpu['step'], 0, step)
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    for (const [i, { x, y }] of calls.entries()) {
      pass.setPipeline(compiled[i]!.pipeline)
      pass.setBindGroup(0, groups[i]!)
      pass.dispatchWorkgroups(x, y[s])
    }
    pass.end()
    read.forEach((name, r) => {
      const to = staging[s]![r]!
      encoder.copyBufferToBuffer(gpu[name]!, 0, to, 0, to.size)
    })
    device.queue.submit([encoder.finish()])
  }
  const results: Record<string, Uint32Array>[] = []
  for (const ofStep of staging) {
    const result: Record<string, Uint32Array> = {}
    for (const [r, name] of read.entries()) {
      await ofStep[r]!.mapAsync(flags.mapRead)
      result[name] = new Uint32Array(ofStep[r]!.getMappedRange().slice(0, buffers[name]!.byteLength))
    }
    results.push(result)
  }
  for (const buffer of made) buffer.destroy()
  if (errors.length > 0) throw new Error(errors.splice(0).join('\n'))
  return results
}
