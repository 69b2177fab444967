import { EngineError } from '../../contract/error'

/** A GPU that was opened, and how it went with it. */
export interface OpenGpu {
  readonly device: GPUDevice
  /** For people and for what is remembered about this device: vendor, architecture, description. */
  readonly adapterName: string
  /** A software adapter: right, but slower than WebAssembly. */
  readonly isFallback: boolean
}

/**
 * Opens the device with the largest buffers the adapter has.
 * @throws EngineError 'unsupported' where the browser has no WebGPU, no adapter, or one that is too small.
 */
export async function openGpu(options: {
  powerPreference?: GPUPowerPreference | undefined
  signal?: AbortSignal | undefined
}): Promise<OpenGpu> {
  const { powerPreference, signal } = options
  const { gpu } = globalThis.navigator as { gpu?: GPU }
  if (gpu === undefined) {
    throw new EngineError('unsupported', 'This browser has no WebGPU here; use the WebAssembly backend.')
  }
  const adapter = await gpu.requestAdapter(powerPreference === undefined ? {} : { powerPreference })
  signal?.throwIfAborted()
  if (adapter === null) {
    throw new EngineError(
      'unsupported',
      'WebGPU found no adapter on this device; use the WebAssembly backend.',
    )
  }
  const { limits, info } = adapter
  let device: GPUDevice
  try {
    device = await adapter.requestDevice({
      label: 'Minnow',
      requiredLimits: {
        maxBufferSize: limits.maxBufferSize,
        maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      },
    })
  } catch (cause) {
    throw new EngineError('unsupported', `The GPU could not be opened: ${String(cause)}`, { cause })
  }
  signal?.throwIfAborted()
  const { vendor, architecture, description } = info
  return {
    device,
    adapterName: [vendor, architecture, description].filter(Boolean).join(' ') || 'unnamed adapter',
    isFallback:
      info.isFallbackAdapter ||
      /swiftshader|llvmpipe|lavapipe|basic render/i.test(description + architecture),
  }
}
