import type { Endpoint } from 'comlink'
import type { WorkerHandle } from './worker-link'

/** The library build puts the built file's name here. Not written into `new URL`: bundlers for the page would follow it. */
const WORKER_ENTRY = '../worker/node-entry.ts'

/** What is used of `node:worker_threads`. */
interface NodeThreads {
  Worker: new (url: URL) => NodeWorker
}

interface NodeWorker {
  postMessage(message: unknown, transferables?: Transferable[]): void
  on(event: 'message' | 'error' | 'messageerror' | 'exit', listener: (value: unknown) => void): void
  off(event: 'message', listener: (value: unknown) => void): void
  terminate(): Promise<number>
}

/** Starts the engine's worker as a thread of Node. */
export async function spawnNodeWorker(): Promise<WorkerHandle> {
  // Bundlers for the page must leave this import alone: it never runs there.
  const specifier = 'node:worker_threads'
  const { Worker } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ specifier)) as NodeThreads
  const worker = new Worker(new URL(WORKER_ENTRY, import.meta.url))
  return {
    endpoint: nodeEndpoint(worker),
    usesLifeLock: false,
    onLost(listener) {
      worker.on('error', (error) =>
        listener(`failed: ${error instanceof Error ? error.message : String(error)}`),
      )
      worker.on('messageerror', () => listener('sent what cannot be read'))
      worker.on('exit', (code) => listener(`ended with exit code ${String(code)}`))
    },
    terminate: () => void worker.terminate(),
  }
}

type Listener = (event: MessageEvent) => void

/** Node's emitter of values as the event target that comlink talks to. */
function nodeEndpoint(worker: NodeWorker): Endpoint {
  const handlers = new Map<unknown, (data: unknown) => void>()
  return {
    postMessage: (message: unknown, transferables?: Transferable[]) =>
      worker.postMessage(message, transferables),
    addEventListener(_type: string, listener: EventListenerOrEventListenerObject) {
      const handler = (data: unknown): void => (listener as Listener)({ data } as MessageEvent)
      handlers.set(listener, handler)
      worker.on('message', handler)
    },
    removeEventListener(_type: string, listener: EventListenerOrEventListenerObject) {
      const handler = handlers.get(listener)
      if (handler === undefined) return
      handlers.delete(listener)
      worker.off('message', handler)
    },
  }
}
