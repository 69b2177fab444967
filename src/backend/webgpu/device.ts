import { EngineError } from '../../contract/error'
import { variantFeatures } from './variant'

export interface AdapterOptions {
  powerPreference?: GPUPowerPreference | undefined
  signal?: AbortSignal | undefined
}

/** What is known of a GPU before it is opened. */
export interface AdapterFacts {
  /** For people: vendor, architecture, description. */
  readonly name: string
  /** The same with the device, as far as the browser tells them: what is remembered of a GPU goes by it. */
  readonly key: string
  /** A software adapter: right, but slower than WebAssembly. */
  readonly isFallback: boolean
}

/** A GPU that was opened. */
export interface OpenGpu {
  readonly device: GPUDevice
  readonly facts: AdapterFacts
}

/**
 * What the GPU is that `openGpu()` would open.
 * @throws EngineError 'unsupported' where the browser has no WebGPU or no adapter.
 */
export async function findGpu(options: AdapterOptions = {}): Promise<AdapterFacts> {
  return factsOf(await requestAdapter(options))
}

/**
 * Opens the device with the largest buffers the adapter has.
 * @throws EngineError 'unsupported' where the browser has no WebGPU, no adapter, or one that is too small.
 */
export async function openGpu(options: AdapterOptions): Promise<OpenGpu> {
  const adapter = await requestAdapter(options)
  const { limits } = adapter
  let device: GPUDevice
  try {
    device = await adapter.requestDevice({
      label: 'Minnow',
      requiredFeatures: variantFeatures.filter((feature) => adapter.features.has(feature)),
      requiredLimits: {
        maxBufferSize: limits.maxBufferSize,
        maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      },
    })
  } catch (cause) {
    throw new EngineError('unsupported', `The GPU could not be opened: ${String(cause)}`, { cause })
  }
  if (options.signal?.aborted) {
    device.destroy()
    throw options.signal.reason
  }
  return { device, facts: factsOf(adapter) }
}

async function requestAdapter({ powerPreference, signal }: AdapterOptions): Promise<GPUAdapter> {
  const { gpu } = (globalThis.navigator ?? {}) as { gpu?: GPU }
  if (gpu === undefined) throw new EngineError('unsupported', 'This browser has no WebGPU here.')
  const adapter = await gpu.requestAdapter(powerPreference === undefined ? {} : { powerPreference })
  signal?.throwIfAborted()
  if (adapter === null) throw new EngineError('unsupported', 'WebGPU finds no GPU on this device.')
  return adapter
}

function factsOf({ info }: GPUAdapter): AdapterFacts {
  const { vendor, architecture, device, description, isFallbackAdapter } = info
  return {
    name: [vendor, architecture, description].filter(Boolean).join(' ') || 'unnamed GPU',
    key: [vendor, architecture, device, description].join('|'),
    isFallback:
      isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render/i.test(description + architecture),
  }
}
