export { loadWebGpu, loadWebGpuVariant } from './load'
export type { VariantName as WebGpuVariantName } from './variant'
