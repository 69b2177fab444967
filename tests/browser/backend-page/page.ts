import { wrap, type Remote } from 'comlink'
import type { BackendPageApi } from './backend-worker'

declare global {
  /** In the page of the backends' tests. */
  var backendPage: Remote<BackendPageApi>
}

// In a worker, as in the library: a page's own thread may not wait for others.
export const remote: Remote<BackendPageApi> = wrap(
  new Worker(new URL('./backend-worker.ts', import.meta.url), { type: 'module' }),
)
globalThis.backendPage = remote
