import { wrap, type Remote } from 'comlink'
import type { TrustApi } from './trust-worker'

declare global {
  /** In the page of the tests of trust in a GPU. */
  var trust: Remote<TrustApi>
}

globalThis.trust = wrap(new Worker(new URL('./trust-worker.ts', import.meta.url), { type: 'module' }))
