export { loadWebGpu, loadWebGpuVariant } from './load'
export type { Variant } from './variant'
