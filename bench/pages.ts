import { join } from 'node:path'
import { build } from 'vite'
import { CACHE_FOLDER, MODEL_FOLDER } from './models'

const PAGE_FOLDER = join(CACHE_FOLDER, 'page')
const SOURCES = join(import.meta.dirname, 'page')

/** What the benchmark's server serves. */
export const MOUNTS: ReadonlyMap<string, string> = new Map([
  ['/', PAGE_FOLDER],
  ['/wllama/', join(import.meta.dirname, '../node_modules/@wllama/wllama/esm/wasm')],
  ['/onnxruntime/', join(import.meta.dirname, '../node_modules/onnxruntime-web/dist')],
  ['/models/', CACHE_FOLDER],
  ['/default-model/', MODEL_FOLDER],
])

/** The pages with the sources of this working tree; Vite's minified output, as a user's bundler would make it. */
export async function buildPages(): Promise<void> {
  await build({
    configFile: false,
    root: SOURCES,
    base: './',
    logLevel: 'warn',
    build: {
      outDir: PAGE_FOLDER,
      emptyOutDir: true,
      target: 'es2022',
      assetsInlineLimit: 0,
      reportCompressedSize: false,
      rolldownOptions: { input: [join(SOURCES, 'index.html'), join(SOURCES, 'memory.html')] },
    },
    worker: { format: 'es' },
  })
}
