import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync } from 'node:zlib'
import { z } from 'zod'
import { WEBGPU_BUDGET, webGpuBytes } from './webgpu-bytes'

/**
 * Checks what `npm publish` would send: every file that package.json promises, the embedded model whole, the
 * licence, and nothing of the sources, tests or the built page.
 */

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** Bytes in Brotli of the script that a page with a widget loads before the widget is opened. */
const FIRST_SCRIPT_BUDGET = 12 * 1024
const MODEL = 'models/smollm2-135m-instruct-q4_1'

const MANIFEST = z.object({
  exports: z.record(z.string(), z.unknown()),
  bin: z.record(z.string(), z.string()),
  customElements: z.string(),
})
const PACKED = z.array(z.object({ unpackedSize: z.number(), files: z.array(z.object({ path: z.string() })) }))
const MODEL_MANIFEST = z.object({ chunks: z.array(z.object({ file: z.string() })) })

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(ROOT, path), 'utf8'))
}

/** All paths of an `exports` value: strings, or conditions to any depth. */
function pathsOf(target: unknown): string[] {
  if (typeof target === 'string') return [target]
  return typeof target === 'object' && target !== null ? Object.values(target).flatMap(pathsOf) : []
}

/** What a page with a closed widget loads, and what of it is in other files. */
function firstScript(): { sizeBytes: number; imports: string[] } {
  const script = readFileSync(join(ROOT, 'dist/widget.js'))
  const imports = script.toString().match(/\b(?:import|from)\s*["'`][^"'`]+["'`]/g) ?? []
  return { sizeBytes: brotliCompressSync(script).length, imports }
}

const packed = spawnSync('npm pack --dry-run --json --silent', { cwd: ROOT, encoding: 'utf8', shell: true })
if (packed.status !== 0) throw new Error(`npm pack failed: ${packed.stderr}`)
const [archive] = PACKED.parse(JSON.parse(packed.stdout))
if (archive === undefined) throw new Error('npm pack reported no archive.')
const files = new Set(archive.files.map(({ path }) => path))

const { exports, bin, customElements } = MANIFEST.parse(readJson('package.json'))
const { chunks } = MODEL_MANIFEST.parse(readJson(`${MODEL}/manifest.json`))
const wanted = [
  ...[...pathsOf(exports), ...Object.values(bin)].map((path) => path.replace(/^\.\//, '')),
  'dist/embed.html',
  'dist/embed.js',
  customElements,
  ...['manifest.json', 'LICENSE', ...chunks.map(({ file }) => file)].map((name) => `${MODEL}/${name}`),
  'LICENSE',
  'README.md',
]
const missing = wanted.filter((path) => !files.has(path))
const unwanted = [...files].filter((path) => /^(src|tests|bench|scripts|build|dist\/site)\//.test(path))

for (const path of missing)
  console.error(`The package lacks ${path}. Run "npm run build" or mend "files" in package.json.`)
for (const path of unwanted) console.error(`The package must not hold ${path}. Mend "files" in package.json.`)
const { sizeBytes: firstScriptBytes, imports } = firstScript()
if (imports.length > 0) console.error(`dist/widget.js must be one file, but imports ${imports.join(', ')}.`)
if (firstScriptBytes > FIRST_SCRIPT_BUDGET) {
  console.error(`dist/widget.js has ${firstScriptBytes} bytes in Brotli; ${FIRST_SCRIPT_BUDGET} are allowed.`)
}
const webGpu = webGpuBytes()
if (webGpu > WEBGPU_BUDGET) {
  console.error(`The WebGPU backend has ${webGpu} bytes in Brotli; ${WEBGPU_BUDGET} are allowed.`)
}
const isLight = webGpu <= WEBGPU_BUDGET
const isWidgetLight = imports.length === 0 && firstScriptBytes <= FIRST_SCRIPT_BUDGET
const megabytes = (archive.unpackedSize / 1e6).toFixed(1)
console.log(
  `Package: ${files.size} files, ${megabytes} MB, ${missing.length} missing, ${unwanted.length} unwanted.`,
)
console.log(`The WebGPU backend: ${webGpu} bytes in Brotli.`)
console.log(`The widget's first script: ${firstScriptBytes} bytes in Brotli.`)
process.exitCode = missing.length + unwanted.length === 0 && isWidgetLight && isLight ? 0 : 1
