import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** What Dawn's package for Node (npm: webgpu) exports. */
interface DawnModule {
  create(options: string[]): GPU
  globals: Record<string, unknown>
}

/**
 * WebGPU in Node by Dawn: Chromium's implementation on any Vulkan driver, with the features that Chromium's own
 * software adapter lacks. The package has 130 MB and serves this alone, so it is no dependency: `MINNOW_DAWN` is its
 * folder. null: there is none, or no driver with what is wanted.
 */
export async function openDawn(features: readonly GPUFeatureName[]): Promise<GPU | null> {
  const folder = process.env['MINNOW_DAWN']
  if (folder === undefined || !existsSync(folder)) return null
  const { create, globals } = (await import(pathToFileURL(join(folder, 'index.js')).href)) as DawnModule
  Object.assign(globalThis, globals)
  const gpu = create([])
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true })
  const adapter = await gpu.requestAdapter()
  return features.every((feature) => adapter?.features.has(feature)) ? gpu : null
}
