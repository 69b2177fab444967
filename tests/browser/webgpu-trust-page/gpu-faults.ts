/** Faults to order: the GPU's own objects, with what the tests need done to them. */

/** Devices opened so far, the newest last. */
export const devices: GPUDevice[] = []
let refusedLabel: string | null = null
let mutation: { label: RegExp; from: string; to: string } | null = null
let mutated = 0

/** Buffers whose label holds `part` ask for 1 GiB, which the software adapter really has not. null: none. */
export function enlarge(part: string | null): void {
  refusedLabel = part
}

/** In shaders whose label matches, `from` becomes `to`. null: no change. */
export function mutate(change: { label: string; from: string; to: string } | null): void {
  mutation = change && { ...change, label: new RegExp(change.label) }
  mutated = 0
}

/** How many shaders the last mutation changed. */
export function mutatedShaders(): number {
  return mutated
}

const requestDevice = GPUAdapter.prototype.requestDevice
GPUAdapter.prototype.requestDevice = async function (descriptor) {
  const device = await requestDevice.call(this, descriptor)
  devices.push(device)
  return device
}

const createBuffer = GPUDevice.prototype.createBuffer
GPUDevice.prototype.createBuffer = function (descriptor) {
  const isRefused = refusedLabel !== null && descriptor.label?.includes(refusedLabel)
  return createBuffer.call(this, isRefused ? { ...descriptor, size: 2 ** 30 } : descriptor)
}

const createShaderModule = GPUDevice.prototype.createShaderModule
GPUDevice.prototype.createShaderModule = function (descriptor) {
  if (mutation === null || !mutation.label.test(descriptor.label ?? '')) {
    return createShaderModule.call(this, descriptor)
  }
  const code = descriptor.code.replaceAll(mutation.from, mutation.to)
  if (code !== descriptor.code) mutated++
  return createShaderModule.call(this, { ...descriptor, code })
}
