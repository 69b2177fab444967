import type { BackendPreference } from '../contract/engine'
import type { Backend, LoadOptions } from './backend'

/**
 * The backend that is wanted. Implementations come by dynamic import; 'auto' takes the WebAssembly one.
 * @throws EngineError 'unsupported' where the wanted one can't run here.
 */
export async function loadBackend(
  options: LoadOptions & { preference?: BackendPreference | undefined },
): Promise<Backend> {
  const { preference = 'auto', ...rest } = options
  if (preference === 'webgpu') {
    const { loadWebGpu } = await import('./webgpu')
    return loadWebGpu(rest)
  }
  const { loadWasm } = await import('./wasm')
  return loadWasm(rest)
}
