import { describe, expect, it } from 'vitest'
import { GpuHealth } from '../../src/backend/webgpu/health'
import { GpuMemory } from '../../src/backend/webgpu/gpu-memory'

class GPUOutOfMemoryError {
  readonly message = 'no room'
}
class GPUValidationError {
  readonly message = 'a binding is missing'
}

/** A device that tells of errors when the test has it so. */
class Device extends EventTarget {
  readonly limits = { maxBufferSize: 1000, maxStorageBufferBindingSize: 1000 }
  /** What the error scopes that end next have caught, the inner one first. */
  caught: (object | null)[] = []
  lose!: (info: { reason: string; message: string }) => void
  readonly lost = new Promise((resolve) => {
    this.lose = resolve
  })
  scopes: string[] = []

  pushErrorScope(filter: string): void {
    this.scopes.push(filter)
  }

  async popErrorScope(): Promise<object | null> {
    this.scopes.pop()
    return this.caught.shift() ?? null
  }

  createBuffer({ size }: { size: number }): object {
    return { size, destroy: () => undefined }
  }

  tell(error: object): Event {
    const event = Object.assign(new Event('uncapturederror', { cancelable: true }), { error })
    this.dispatchEvent(event)
    return event
  }
}

function open(): { device: Device; health: GpuHealth; memory: GpuMemory } {
  const device = new Device()
  const health = new GpuHealth(device as unknown as GPUDevice)
  return { device, health, memory: new GpuMemory(device as unknown as GPUDevice, health) }
}

describe('the health of a GPU', () => {
  it('throws what nobody caught once, with its kind and the bytes in use', () => {
    const { device, health, memory } = open()
    memory.createStorage(640, 'A tensor')
    for (const [error, code] of [
      [new GPUOutOfMemoryError(), 'out-of-memory'],
      [new GPUValidationError(), 'internal'],
    ] as const) {
      expect(device.tell(error).defaultPrevented).toBe(true)
      expect(() => health.check()).toThrow(
        expect.objectContaining({
          code,
          message: `The GPU reported, with 640 bytes in use: ${error.message}`,
          details: { usedBytes: 640 },
        }),
      )
      expect(() => health.check()).not.toThrow()
    }
  })

  it('keeps what the GPU refuses in the middle of some work, and what the work gave', async () => {
    const { device, health } = open()
    device.caught = [new GPUValidationError(), null]
    expect(await health.guard(async () => device.scopes.length)).toBe(2)
    expect(device.scopes).toEqual([])
    expect(() => health.check()).toThrow(/a binding is missing/)
    const failure = new Error('the work failed')
    await expect(health.guard(() => Promise.reject(failure))).rejects.toBe(failure)
    expect(device.scopes).toEqual([])
  })

  it('tells of a lost device at every check, whatever else was reported', async () => {
    const { device, health } = open()
    device.tell(new GPUValidationError())
    device.lose({ reason: 'unknown', message: 'the process ended' })
    expect(await health.explain(new Error('aborted'))).toMatchObject({ code: 'device-lost' })
    for (const _ of [1, 2]) {
      expect(() => health.check()).toThrow(
        expect.objectContaining({ code: 'device-lost', details: { reason: 'unknown' } }),
      )
    }
  })

  it('reports memory that was refused behind the call, with sizes', async () => {
    const { device, memory } = open()
    memory.createStorage(320, 'A tensor')
    device.caught = [new GPUOutOfMemoryError()]
    memory.createStorage(500, 'Another tensor')
    await expect(memory.confirmed()).rejects.toMatchObject({
      code: 'out-of-memory',
      details: { sizeBytes: 512, usedBytes: expect.any(Number) as number },
    })
    expect(() => memory.createStorage(2000, 'A large one')).toThrow(
      expect.objectContaining({ code: 'out-of-memory', details: { sizeBytes: 2000, limitBytes: 1000 } }),
    )
  })
})
