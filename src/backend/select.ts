import type { Backend, LoadOptions } from './backend'

/**
 * The best backend this device has. Implementations come by dynamic import, in order of preference; one that rejects
 * with 'unsupported' makes room for the next.
 */
export async function loadBackend(options: LoadOptions): Promise<Backend> {
  const { loadWasm } = await import('./wasm')
  return loadWasm(options)
}
