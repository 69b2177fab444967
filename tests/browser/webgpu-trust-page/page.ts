import { wrap, type Remote } from 'comlink'
import type { TrustApi } from './trust-worker'

declare global {
  /** In the page of the tests of trust in a GPU. */
  var trust: Remote<TrustApi>
  /** Ends the worker whatever it does, and starts another. */
  var restartTrust: () => void
}

let worker: Worker

function start(): void {
  worker = new Worker(new URL('./trust-worker.ts', import.meta.url), { type: 'module' })
  globalThis.trust = wrap(worker)
}

globalThis.restartTrust = () => {
  worker.terminate()
  start()
}
start()
