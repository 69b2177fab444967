import { EngineError } from '../../contract/error'
import { BufferUsage } from './gpu-flags'

/** Buffers of one device: counts their bytes, keeps them within its limits, and destroys them all. */
export class GpuMemory {
  readonly #device: GPUDevice
  readonly #buffers = new Set<GPUBuffer>()
  #usedBytes = 0
  /** Buffers ever made: a step of decoding makes none. */
  created = 0

  constructor(device: GPUDevice) {
    this.#device = device
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Most bytes one binding may show a kernel. */
  get maxBindingBytes(): number {
    const { maxStorageBufferBindingSize, maxBufferSize } = this.#device.limits
    return Math.min(maxStorageBufferBindingSize, maxBufferSize)
  }

  /** @throws EngineError 'out-of-memory' naming `what`, where the device's limits forbid the size. */
  create(sizeBytes: number, usage: GPUBufferUsageFlags, what: string, mapped = false): GPUBuffer {
    const size = Math.max(16, Math.ceil(sizeBytes / 16) * 16)
    const limit = usage & BufferUsage.storage ? this.maxBindingBytes : this.#device.limits.maxBufferSize
    if (size > limit) {
      throw new EngineError(
        'out-of-memory',
        `${what} needs ${size} bytes in one piece; this GPU allows ${limit}.`,
        { details: { sizeBytes: size, limitBytes: limit } },
      )
    }
    let buffer: GPUBuffer
    try {
      buffer = this.#device.createBuffer({ label: what, size, usage, mappedAtCreation: mapped })
    } catch (cause) {
      // A mapped buffer is refused with a RangeError where memory is short.
      throw new EngineError('out-of-memory', `${what} needs ${size} bytes; the GPU has no room for them.`, {
        cause,
        details: { sizeBytes: size },
      })
    }
    this.created++
    this.#buffers.add(buffer)
    this.#usedBytes += size
    return buffer
  }

  /** A storage buffer for kernels alone. */
  createStorage(sizeBytes: number, what: string): GPUBuffer {
    return this.create(sizeBytes, BufferUsage.storage | BufferUsage.copySource | BufferUsage.copyTarget, what)
  }

  /** A storage buffer whose contents are to be written through `getMappedRange()`. */
  createMapped(sizeBytes: number, what: string): GPUBuffer {
    return this.create(sizeBytes, BufferUsage.storage, what, true)
  }

  upload(values: Float32Array, what: string): GPUBuffer {
    const buffer = this.createMapped(values.byteLength, what)
    new Float32Array(buffer.getMappedRange()).set(values)
    buffer.unmap()
    return buffer
  }

  release(buffer: GPUBuffer): void {
    if (!this.#buffers.delete(buffer)) return
    this.#usedBytes -= buffer.size
    buffer.destroy()
  }

  dispose(): void {
    for (const buffer of this.#buffers) this.release(buffer)
  }
}
