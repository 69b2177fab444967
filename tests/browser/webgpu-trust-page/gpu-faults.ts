/** Faults to order: the GPU's own objects, with what the tests need done to them. */

export interface Mutation {
  /** Pattern of the labels of the shaders that are changed. */
  label: string
  from: string
  to: string
}

/** Devices opened so far, the newest last. */
export const devices: GPUDevice[] = []
/** Of the devices, by whoever opened them. */
export const destroyed: GPUDevice[] = []
/** Buffers that were not destroyed. */
export const buffers = new Set<GPUBuffer>()

let enlarged: string | null = null
let mutation: Mutation | null = null
let mutated = 0
let kept: Promise<GPUDevice> | null = null
let keeps = false

/** Buffers whose label holds `part` ask for 1 GiB, which the software adapter really has not. null: none. */
export function enlarge(part: string | null): void {
  enlarged = part
}

/** In shaders whose label matches, `from` becomes `to`; null: no change. */
export function mutate(change: Mutation | null): void {
  mutation = change
  mutated = 0
}

/** How many shaders the mutation has changed. */
export function mutatedShaders(): number {
  return mutated
}

/** From now on all share one device, which nobody can destroy, and what was compiled for it: a software adapter takes seconds for that. */
export function keepDevice(): void {
  keeps = true
}

let seeming: Partial<GPUAdapterInfo> | null = null

/** The next adapter that is asked what it is says this. */
export function seemOnce(info: Partial<GPUAdapterInfo>): void {
  seeming = info
}

const { get: getInfo } = Object.getOwnPropertyDescriptor(GPUAdapter.prototype, 'info')!
Object.defineProperty(GPUAdapter.prototype, 'info', {
  get(this: GPUAdapter): Partial<GPUAdapterInfo> {
    const info = seeming ?? (getInfo!.call(this) as GPUAdapterInfo)
    seeming = null
    return info
  },
})

const requestDevice = GPUAdapter.prototype.requestDevice
GPUAdapter.prototype.requestDevice = async function (descriptor) {
  kept = (keeps ? kept : null) ?? requestDevice.call(this, descriptor)
  const device = await kept
  devices.push(device)
  return device
}

const destroyDevice = GPUDevice.prototype.destroy
GPUDevice.prototype.destroy = function () {
  destroyed.push(this)
  if (!keeps) destroyDevice.call(this)
}

const createBuffer = GPUDevice.prototype.createBuffer
GPUDevice.prototype.createBuffer = function (descriptor) {
  const isEnlarged = enlarged !== null && descriptor.label?.includes(enlarged)
  const buffer = createBuffer.call(this, isEnlarged ? { ...descriptor, size: 2 ** 30 } : descriptor)
  buffers.add(buffer)
  return buffer
}

const destroyBuffer = GPUBuffer.prototype.destroy
GPUBuffer.prototype.destroy = function () {
  buffers.delete(this)
  return destroyBuffer.call(this)
}

const texts = new WeakMap<GPUShaderModule, string>()
const createShaderModule = GPUDevice.prototype.createShaderModule
GPUDevice.prototype.createShaderModule = function (descriptor) {
  let { code } = descriptor
  if (mutation !== null && new RegExp(mutation.label).test(descriptor.label ?? '')) {
    code = code.replaceAll(mutation.from, mutation.to)
    if (code !== descriptor.code) mutated++
  }
  const module = createShaderModule.call(this, { ...descriptor, code })
  texts.set(module, code)
  return module
}

const pipelines = new WeakMap<GPUDevice, Map<string, Promise<GPUComputePipeline>>>()
const createPipeline = GPUDevice.prototype.createComputePipelineAsync
GPUDevice.prototype.createComputePipelineAsync = function (descriptor) {
  if (!keeps) return createPipeline.call(this, descriptor)
  const ofDevice = pipelines.get(this) ?? new Map<string, Promise<GPUComputePipeline>>()
  pipelines.set(this, ofDevice)
  const { module, constants } = descriptor.compute
  const key = JSON.stringify([texts.get(module), constants])
  const pipeline = ofDevice.get(key) ?? createPipeline.call(this, descriptor)
  ofDevice.set(key, pipeline)
  return pipeline
}
