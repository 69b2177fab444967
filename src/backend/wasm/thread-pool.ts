import { EngineError } from '../../contract/error'
import { foreignWorkerScript, isForeign } from '../../contract/worker-script'

/** The library build puts the built file's name here. Bundlers shall not follow it: they follow the one below. */
const THREAD_ENTRY = './thread.ts'

/** What a thread of the kernels starts with. */
export interface ThreadStart {
  module: WebAssembly.Module
  memory: WebAssembly.Memory
  index: number
  count: number
}

/** The other threads of the kernels: workers that sleep in WebAssembly until there is a job. */
export interface ThreadPool {
  /** Ends the threads at once, wherever they are. */
  terminate(): void
}

/** The same as thread.ts, for Node, whose workers need no file of their own for six lines. */
const nodeThread = `
const { parentPort } = require('node:worker_threads')
parentPort.once('message', ({ module, memory, index, count }) => {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  parentPort.postMessage('ready')
  exports.serve(index, count)
})`

interface NodeWorker {
  postMessage(message: unknown): void
  once(event: 'message' | 'error', listener: (value: unknown) => void): void
  unref(): void
  terminate(): Promise<number>
}

/** Starts `count` − 1 threads and waits until they are ready. */
export async function startThreads(start: Omit<ThreadStart, 'index'>): Promise<ThreadPool> {
  const isBrowser = typeof Worker !== 'undefined'
  const indexes = Array.from({ length: start.count - 1 }, (_, i) => i + 1)
  const threads = await Promise.all(
    indexes.map((index) =>
      isBrowser ? startWorker({ ...start, index }) : startNodeWorker({ ...start, index }),
    ),
  )
  return {
    terminate() {
      for (const terminate of threads) terminate()
    },
  }
}

function startWorker(start: ThreadStart): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const url = new URL(THREAD_ENTRY, import.meta.url)
    const worker = isForeign(url)
      ? new Worker(foreignWorkerScript(url), { type: 'module', name: 'minnow-thread' })
      : new Worker(new URL('./thread.ts', import.meta.url), { type: 'module', name: 'minnow-thread' })
    worker.onmessage = () => resolve(() => worker.terminate())
    worker.onerror = (event) => {
      worker.terminate()
      reject(
        new EngineError('unsupported', `A thread could not start: ${event.message || 'its script failed'}.`),
      )
    }
    worker.postMessage(start)
  })
}

async function startNodeWorker(start: ThreadStart): Promise<() => void> {
  const specifier = 'node:worker_threads'
  const { Worker: NodeThread } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ specifier)) as {
    Worker: new (code: string, options: { eval: true }) => NodeWorker
  }
  const worker = new NodeThread(nodeThread, { eval: true })
  // A program that forgets to dispose of its engine can still end.
  worker.unref()
  return new Promise((resolve, reject) => {
    worker.once('message', () => resolve(() => void worker.terminate()))
    worker.once('error', (cause) =>
      reject(new EngineError('unsupported', 'A thread could not start.', { cause })),
    )
    worker.postMessage(start)
  })
}
