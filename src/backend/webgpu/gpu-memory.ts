import { EngineError } from '../../contract/error'
import { BufferUsage } from './gpu-flags'
import type { GpuHealth } from './health'

/** Buffers of one device: counts their bytes, keeps them within its limits, and destroys them all. */
export class GpuMemory {
  readonly #device: GPUDevice
  readonly #health: GpuHealth
  /** Allocations the GPU has not confirmed yet. */
  readonly #pending = new Set<Promise<void>>()
  readonly #buffers = new Set<GPUBuffer>()
  #usedBytes = 0
  /** Buffers ever made: a step of decoding makes none. */
  created = 0

  constructor(device: GPUDevice, health: GpuHealth) {
    this.#device = device
    this.#health = health
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Most bytes one binding may show a kernel. */
  get maxBindingBytes(): number {
    const { maxStorageBufferBindingSize, maxBufferSize } = this.#device.limits
    return Math.min(maxStorageBufferBindingSize, maxBufferSize)
  }

  /**
   * Whether there was room is known later: `confirmed()` waits for it.
   * @throws EngineError 'out-of-memory' naming `what`, where the device's limits forbid the size.
   */
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
    const refused = (cause: unknown): EngineError =>
      new EngineError(
        'out-of-memory',
        `${what} needs ${size} bytes; the GPU has no room for them beside the ${this.#usedBytes} in use.`,
        { cause, details: { sizeBytes: size, usedBytes: this.#usedBytes } },
      )
    this.#device.pushErrorScope('out-of-memory')
    let buffer: GPUBuffer
    try {
      buffer = this.#device.createBuffer({ label: what, size, usage, mappedAtCreation: mapped })
    } catch (cause) {
      // A mapped buffer is refused with a RangeError where memory is short.
      throw refused(cause)
    } finally {
      this.#confirm(this.#device.popErrorScope(), refused)
    }
    this.created++
    this.#buffers.add(buffer)
    this.#use(size)
    return buffer
  }

  /** Resolves when every buffer made so far has its memory. @throws EngineError 'out-of-memory', 'device-lost' */
  async confirmed(): Promise<void> {
    await Promise.all(this.#pending)
    this.#health.check()
  }

  #use(bytes: number): void {
    this.#usedBytes += bytes
    this.#health.usedBytes = this.#usedBytes
  }

  #confirm(outcome: Promise<GPUError | null>, refused: (cause: unknown) => EngineError): void {
    const pending = outcome
      .then(
        (error) => error && this.#health.report(refused(error)),
        // The device is lost, which is told elsewhere.
        () => undefined,
      )
      .then(() => void this.#pending.delete(pending))
    this.#pending.add(pending)
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
    this.#use(-buffer.size)
    buffer.destroy()
  }

  dispose(): void {
    for (const buffer of this.#buffers) this.release(buffer)
  }
}
