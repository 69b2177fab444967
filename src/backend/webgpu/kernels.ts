import { EngineError } from '../../contract/error'
import { ShaderStage } from './gpu-flags'
import { type Shader, shaderText } from './shaders/shader'

/** A compiled shader with the layout of its bindings. */
export interface Kernel {
  readonly shader: Shader
  readonly pipeline: GPUComputePipeline
  readonly layout: GPUBindGroupLayout
}

/** Compiles shaders side by side; equal ones once. */
export class KernelCompiler {
  readonly #device: GPUDevice
  readonly #kernels = new Map<string, Promise<Kernel>>()

  constructor(device: GPUDevice) {
    this.#device = device
  }

  /** @throws EngineError 'unsupported' with the compiler's words, where this device refuses the shader. */
  compile(shader: Shader): Promise<Kernel> {
    const text = shaderText(shader)
    const key = text + JSON.stringify(shader.constants)
    let kernel = this.#kernels.get(key)
    if (kernel === undefined) {
      kernel = this.#compile(shader, text)
      this.#kernels.set(key, kernel)
    }
    return kernel
  }

  async #compile(shader: Shader, code: string): Promise<Kernel> {
    const device = this.#device
    const module = device.createShaderModule({ label: shader.label, code })
    const layout = device.createBindGroupLayout({
      label: shader.label,
      entries: shader.bindings.map(({ access }, binding) => ({
        binding,
        visibility: ShaderStage.compute,
        buffer: { type: bufferType(access) },
      })),
    })
    try {
      const pipeline = await device.createComputePipelineAsync({
        label: shader.label,
        layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: 'main', constants: { ...shader.constants } },
      })
      return { shader, pipeline, layout }
    } catch (cause) {
      const { messages } = await module.getCompilationInfo()
      const first = messages.find(({ type }) => type === 'error')
      const said = first ? `line ${first.lineNum}: ${first.message}` : String(cause)
      throw new EngineError('unsupported', `This GPU does not take the kernel '${shader.label}': ${said}`, {
        cause,
        details: { kernel: shader.label },
      })
    }
  }
}

function bufferType(access: 'uniform' | 'read' | 'read_write'): GPUBufferBindingType {
  if (access === 'uniform') return 'uniform'
  return access === 'read' ? 'read-only-storage' : 'storage'
}

/** One dispatch, ready to be recorded. */
export interface Dispatch {
  readonly kernel: Kernel
  readonly bindings: GPUBindGroup
  readonly x: number
  /** Workgroups a token (or output) takes, as a divisor: y = ⌈count / tokens⌉. */
  readonly tokens: number
}

export function bind(
  device: GPUDevice,
  kernel: Kernel,
  buffers: Readonly<Record<string, GPUBuffer>>,
): GPUBindGroup {
  return device.createBindGroup({
    label: kernel.shader.label,
    layout: kernel.layout,
    entries: kernel.shader.bindings.map(({ name }, binding) => {
      const buffer = buffers[name]
      if (buffer === undefined) {
        throw new EngineError('internal', `Kernel '${kernel.shader.label}' lacks buffer '${name}'.`)
      }
      return { binding, resource: { buffer } }
    }),
  })
}
