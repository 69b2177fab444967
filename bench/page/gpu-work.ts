/** What was asked of WebGPU since it was last asked for, counted outside of the engine. */
export interface GpuWork {
  readonly submits: number
  readonly dispatches: number
  /** Buffers, bind groups, layouts, pipelines, textures, query sets and so on. Not encoders, which last one command. */
  readonly objects: number
  /** Mapped for reading. */
  readonly bytesRead: number
  /** Of all buffers that are not destroyed; not since the last time, but now. */
  readonly bufferBytes: number
}

/** GPUMapMode.READ, which TypeScript's library does not declare. */
const MAP_MODE_READ = 1

const none = { submits: 0, dispatches: 0, objects: 0, bytesRead: 0 }
let work = { ...none }
let bufferBytes = 0

export function takeGpuWork(): GpuWork {
  const taken = { ...work, bufferBytes }
  work = { ...none }
  return taken
}

/** Counts from now on, in this thread. */
export function watchGpu(): void {
  const alive = new WeakMap<object, number>()
  after(GPUQueue, 'submit', () => work.submits++)
  after(GPUComputePassEncoder, 'dispatchWorkgroups', () => work.dispatches++)
  after(GPUComputePassEncoder, 'dispatchWorkgroupsIndirect', () => work.dispatches++)
  for (const method of Object.keys(GPUDevice.prototype)) {
    if (!method.startsWith('create') || method === 'createCommandEncoder') continue
    after(GPUDevice, method, (_, result) => {
      work.objects++
      if (!(result instanceof GPUBuffer)) return
      alive.set(result, result.size)
      bufferBytes += result.size
    })
  }
  after(GPUBuffer, 'destroy', (buffer) => {
    bufferBytes -= alive.get(buffer) ?? 0
    alive.delete(buffer)
  })
  after(GPUBuffer, 'mapAsync', (buffer, _, [mode, offset, size]) => {
    if (!(buffer instanceof GPUBuffer) || ((mode as number) & MAP_MODE_READ) === 0) return
    work.bytesRead += (size as number | undefined) ?? buffer.size - ((offset as number | undefined) ?? 0)
  })
}

function after(
  { prototype }: { prototype: object },
  method: string,
  note: (self: object, result: unknown, given: readonly unknown[]) => void,
): void {
  const original = Reflect.get(prototype, method) as (...given: unknown[]) => unknown
  Reflect.set(prototype, method, function (this: object, ...given: unknown[]): unknown {
    const result = Reflect.apply(original, this, given)
    note(this, result, given)
    return result
  })
}
