import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'

/** Of the WebGPU backend, with its shaders: bytes in Brotli that its own chunks of the library may have. */
export const WEBGPU_BUDGET = 30 * 1024

const DIST = join(import.meta.dirname, '../dist')

/** What they have in the built library; Infinity where there is none. */
export function webGpuBytes(): number {
  const chunks = readdirSync(DIST).filter((name) => /^chunk-(webgpu|device)-/.test(name))
  if (!chunks.some((name) => name.startsWith('chunk-webgpu-'))) return Infinity
  const sizes = chunks.map((name) => brotliCompressSync(readFileSync(join(DIST, name))).length)
  return sizes.reduce((sum, size) => sum + size, 0)
}
