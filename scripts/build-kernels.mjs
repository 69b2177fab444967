/**
 * Compiles the AssemblyScript kernels (src/backend/wasm/kernels) to build/kernels: three builds of the dot product
 * (constant DOT, see kernels/dot.ts), each for shared and for plain memory, and the probe that chooses among them.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import asc from 'assemblyscript/asc'

const root = join(import.meta.dirname, '..')
const outDir = join(root, 'build', 'kernels')

const variants = { simd: 0, relaxed16: 1, relaxed32: 2 }

/** 4 GiB, all that a 32-bit memory can hold. */
const MAXIMUM_PAGES = '65536'

async function compile(entry, name, options) {
  const { error, stdout, stderr } = await asc.main([
    join('src/backend/wasm/kernels', entry),
    '--baseDir',
    root,
    '--outFile',
    join('build/kernels', `${name}.wasm`),
    '-O3',
    '--converge',
    '--noAssert',
    '--runtime',
    'stub',
    '--importMemory',
    '--noExportMemory',
    '--initialMemory',
    '1',
    '--maximumMemory',
    MAXIMUM_PAGES,
    ...options,
  ])
  const messages = stdout.toString() + stderr.toString()
  if (messages !== '') console.error(messages)
  if (error) throw error
}

await mkdir(outDir, { recursive: true })
for (const [variant, dot] of Object.entries(variants)) {
  const features = dot === 0 ? 'simd,threads' : 'simd,relaxed-simd,threads'
  for (const shared of [true, false]) {
    await compile('index.ts', shared ? `${variant}-shared` : variant, [
      '--enable',
      features,
      '--use',
      `DOT=${dot}`,
      ...(shared ? ['--sharedMemory'] : []),
    ])
  }
}
await compile('probe.ts', 'probe', ['--enable', 'simd,relaxed-simd'])
