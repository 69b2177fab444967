/**
 * Compiles the AssemblyScript kernels (src/backend/wasm/kernels) to build/kernels: three builds of the dot product
 * (constant DOT, see kernels/dot.ts), each for shared and for plain memory, and the probe that chooses among them.
 * With the argument `testing` it compiles kernels/testing.ts to build/kernels-testing instead, for unit tests.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import asc from 'assemblyscript/asc'

const root = join(import.meta.dirname, '..')
const forTests = process.argv[2] === 'testing'
const outDir = forTests ? 'build/kernels-testing' : 'build/kernels'

const variants = { simd: 0, relaxed16: 1, relaxed32: 2 }

/** 4 GiB, all that a 32-bit memory can hold. */
const MAXIMUM_PAGES = '65536'

async function compile(entry, name, options) {
  const { error, stdout, stderr } = await asc.main([
    join('src/backend/wasm/kernels', entry),
    '--baseDir',
    root,
    '--outFile',
    join(outDir, `${name}.wasm`),
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

const featuresOf = (dot) => (dot === 0 ? 'simd,threads' : 'simd,relaxed-simd,threads')

async function compileForTests() {
  for (const [variant, dot] of Object.entries(variants)) {
    await compile('testing.ts', variant, ['--enable', featuresOf(dot), '--use', `DOT=${dot}`])
  }
}

async function compileAll() {
  for (const [variant, dot] of Object.entries(variants)) {
    for (const shared of [true, false]) {
      await compile('index.ts', shared ? `${variant}-shared` : variant, [
        '--enable',
        featuresOf(dot),
        '--use',
        `DOT=${dot}`,
        ...(shared ? ['--sharedMemory'] : []),
      ])
    }
  }
  await compile('probe.ts', 'probe', ['--enable', 'simd,relaxed-simd'])
}

await mkdir(join(root, outDir), { recursive: true })
await (forTests ? compileForTests() : compileAll())
