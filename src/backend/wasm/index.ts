export { loadWasm, loadWasmVariant } from './load'
export type { Variant } from './kernel-module'
