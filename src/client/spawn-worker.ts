import { EngineError } from '../contract/error'
import type { WorkerHandle } from './worker-link'

/** Starts the engine's worker on this platform. Bundlers read the `new URL` below and bundle the worker. */
export async function spawnWorker(): Promise<WorkerHandle> {
  if (typeof Worker === 'undefined') {
    const { spawnNodeWorker } = await import('./node-worker')
    return spawnNodeWorker()
  }
  const worker = new Worker(new URL('../worker/worker.ts', import.meta.url), {
    type: 'module',
    name: 'minnow',
  })
  return { ...adoptWorker(worker), terminate: () => worker.terminate() }
}

/** A worker the caller made and owns: it is not terminated here. */
export function adoptWorker(worker: Worker): WorkerHandle {
  return {
    endpoint: worker,
    usesLifeLock: true,
    onLost(listener) {
      worker.addEventListener('error', (event) => {
        // A script that can't be fetched or parsed gives an event without a message.
        const message =
          event.message === undefined || event.message === '' ? 'could not start' : `failed: ${event.message}`
        listener(message)
      })
      worker.addEventListener('messageerror', () => listener('sent what cannot be read'))
    },
    terminate: null,
  }
}

/** Fails with 'invalid-argument' for anything but a Worker. */
export function checkWorker(value: unknown): asserts value is Worker {
  if (typeof value === 'object' && value !== null && 'postMessage' in value && 'addEventListener' in value)
    return
  throw new EngineError('invalid-argument', `worker must be a Worker, but is of type ${typeof value}.`)
}
