import { wrap, type Remote } from 'comlink'
import type { WasmBackendApi } from './backend-worker'

declare global {
  /** In the page of the WASM backend's tests. */
  var wasmBackend: Remote<WasmBackendApi>
}

// In a worker, as in the library: a page's own thread may not wait for others.
globalThis.wasmBackend = wrap(new Worker(new URL('./backend-worker.ts', import.meta.url), { type: 'module' }))
