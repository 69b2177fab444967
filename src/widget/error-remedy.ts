import { isEngineError, type EngineErrorCode } from '../contract/error'

/** What a button can do about an error. */
export type Remedy = 'retry' | 'new-conversation' | 'settings' | 'models' | 'processor'

/** The remedies that can be had now; what a button does for each. */
export type Remedies = { readonly [kind in Remedy]?: (() => void) | undefined }

/** What mends an error, best first; empty where nothing does. */
const REMEDIES: Readonly<Record<EngineErrorCode, readonly Remedy[]>> = {
  aborted: ['retry'],
  disposed: ['retry'],
  'invalid-argument': [],
  unsupported: ['processor', 'models'],
  'invalid-model': ['models'],
  integrity: ['retry'],
  network: ['retry'],
  timeout: ['retry'],
  unauthorized: ['settings'],
  'rate-limited': ['retry'],
  'quota-exceeded': ['settings'],
  'content-policy': [],
  unavailable: ['retry'],
  'invalid-response': ['retry'],
  offline: ['retry'],
  forbidden: ['settings'],
  'out-of-memory': ['processor', 'retry'],
  'storage-full': ['models'],
  'storage-busy': ['retry'],
  'context-overflow': ['new-conversation'],
  'worker-lost': ['retry'],
  'device-lost': ['processor', 'retry'],
  internal: ['retry'],
}

/** The best of the remedies that can be had; null: none of them helps. */
export function chooseRemedy(
  error: unknown,
  remedies: Remedies,
): { readonly kind: Remedy; readonly run: () => void } | null {
  for (const kind of REMEDIES[isEngineError(error) ? error.code : 'internal']) {
    const run = remedies[kind]
    if (run !== undefined) return { kind, run }
  }
  return null
}
