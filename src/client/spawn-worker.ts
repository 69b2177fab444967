import { EngineError } from '../contract/error'
import { foreignWorkerScript, isForeign } from '../contract/worker-script'
import type { WorkerHandle } from './worker-link'

/** The library build puts the built file's name here. Bundlers shall not follow it: they follow the one below. */
const WORKER_ENTRY = '../worker/worker.ts'

const COULD_NOT_START =
  'could not start: its script is missing, or its server (CORS) or the Content-Security-Policy (worker-src) forbids it'

/** Starts the engine's worker on this platform. Bundlers read the `new URL` below and bundle the worker. */
export async function spawnWorker(): Promise<WorkerHandle> {
  if (typeof Worker === 'undefined') {
    const { spawnNodeWorker } = await import('./node-worker')
    return spawnNodeWorker()
  }
  const worker = startWorker()
  return { ...adoptWorker(worker), terminate: () => worker.terminate() }
}

function startWorker(): Worker {
  const url = new URL(WORKER_ENTRY, import.meta.url)
  if (isForeign(url)) return new Worker(foreignWorkerScript(url), { type: 'module', name: 'minnow' })
  return new Worker(new URL('../worker/worker.ts', import.meta.url), { type: 'module', name: 'minnow' })
}

/** A worker the caller made and owns: it is not terminated here. */
export function adoptWorker(worker: Worker): WorkerHandle {
  return {
    endpoint: worker,
    usesLifeLock: true,
    onLost(listener) {
      worker.addEventListener('error', (event) => {
        // A script that can't be fetched or parsed gives an event without a message.
        const isSilent = event.message === undefined || event.message === ''
        listener(isSilent ? COULD_NOT_START : `failed: ${event.message}`)
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
