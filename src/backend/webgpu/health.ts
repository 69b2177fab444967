import { EngineError } from '../../contract/error'

/** How long a failed readback waits to be told that its device is lost. */
const TOLD_WITHIN_MS = 1000

/**
 * Whether a device's results can be trusted. A GPU tells of its errors later and elsewhere: here they are kept until
 * somebody asks. That a device is lost stays; any other error is thrown once, by the step behind it.
 */
export class GpuHealth {
  readonly #device: GPUDevice
  readonly #told: Promise<void>
  #lost: EngineError | null = null
  #fault: EngineError | null = null
  /** Bytes of the device's buffers, for messages; GpuMemory keeps it. */
  usedBytes = 0

  constructor(device: GPUDevice) {
    this.#device = device
    this.#told = device.lost.then(({ reason, message }) => {
      this.#lost = new EngineError(
        'device-lost',
        `The GPU was lost (${reason}): ${message || 'no word why'}`,
        {
          details: { reason },
        },
      )
    })
    device.addEventListener('uncapturederror', (event) => {
      event.preventDefault()
      this.report(this.#errorOf(event.error))
    })
  }

  /** Keeps an error for the next `check()`. */
  report(error: EngineError): void {
    this.#fault ??= error
  }

  /** @throws EngineError 'device-lost', or what went wrong since the last time */
  check(): void {
    const error = this.#lost ?? this.#fault
    this.#fault = null
    if (error !== null) throw error
  }

  /** Why waiting for the GPU failed with `cause`: it says so in another place, perhaps a little later. */
  async explain(cause: unknown): Promise<EngineError> {
    const error = (await this.lostSoon()) ?? this.#fault
    this.#fault = null
    return error ?? new EngineError('internal', `The GPU gave no result: ${String(cause)}`, { cause })
  }

  /** Where something failed: whether the device is lost, waiting a little for the word; null: it is not. */
  async lostSoon(): Promise<EngineError | null> {
    if (this.#lost !== null) return this.#lost
    let timer: ReturnType<typeof setTimeout> | undefined
    const enough = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, TOLD_WITHIN_MS)
    })
    await Promise.race([this.#told, enough])
    clearTimeout(timer)
    return this.#lost
  }

  /** Runs `work` and makes what the GPU refuses meanwhile its error. Not for two at once. */
  async guard<Result>(work: () => Promise<Result>): Promise<Result> {
    const device = this.#device
    device.pushErrorScope('internal')
    device.pushErrorScope('validation')
    let errors: (GPUError | null)[] = []
    try {
      return await work()
    } finally {
      errors = await Promise.all([device.popErrorScope(), device.popErrorScope()]).catch(() => [])
      for (const error of errors) if (error !== null) this.report(this.#errorOf(error))
    }
  }

  #errorOf(error: GPUError): EngineError {
    const { usedBytes } = this
    const code = error.constructor.name === 'GPUOutOfMemoryError' ? 'out-of-memory' : 'internal'
    return new EngineError(code, `The GPU reported, with ${usedBytes} bytes in use: ${error.message}`, {
      cause: error,
      details: { usedBytes },
    })
  }
}
