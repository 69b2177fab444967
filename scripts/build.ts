import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * `tsx scripts/build.ts [--if-stale] [kernels] [library] [page]` builds those parts (default: all) in this order.
 * With `--if-stale` a part whose inputs are those of its last build is left alone.
 * Everything is reported on standard error, so that `npm run ask -- --json` can be piped.
 */

interface Part {
  /** Files and folders it is made of; a change of any makes it stale. */
  readonly inputs: readonly string[]
  /** What must exist after it. */
  readonly output: string
}

const COMMON_INPUTS = ['package-lock.json', 'tsconfig.base.json']

const PARTS: Readonly<Record<string, Part>> = {
  kernels: {
    inputs: [...COMMON_INPUTS, 'scripts/build-kernels.mjs', 'src/backend/wasm/kernels'],
    output: 'build/kernels',
  },
  library: {
    inputs: [
      ...COMMON_INPUTS,
      'package.json',
      'scripts/build-library.ts',
      'tsconfig.declarations.json',
      'src',
    ],
    output: 'dist/index.js',
  },
  page: {
    inputs: [
      ...COMMON_INPUTS,
      'vite.config.ts',
      'docs/images/page-conversation-desktop-light.png',
      'docs/images/page-conversation-phone-light.png',
      'src',
      'bench/site',
      'bench/statistics.ts',
      'public',
      'models',
    ],
    output: 'dist/site/index.html',
  },
}

const ROOT = fileURLToPath(new URL('..', import.meta.url))

function build(names: readonly string[], onlyIfStale: boolean): void {
  for (const [name, part] of Object.entries(PARTS)) {
    if (!names.includes(name)) continue
    const fingerprint = fingerprintOf(part.inputs)
    if (onlyIfStale && isFresh(name, part, fingerprint)) continue
    console.error(`Building ${name}`)
    run(`build:${name}`)
    if (!existsSync(join(ROOT, part.output))) {
      throw new Error(`npm run build:${name} succeeded without making ${part.output}.`)
    }
    mkdirSync(dirname(stampPath(name)), { recursive: true })
    writeFileSync(stampPath(name), fingerprint)
  }
}

function run(script: string): void {
  // Standard output becomes standard error: see above. A shell is what finds npm on Windows.
  const { status } = spawnSync(`npm run --silent ${script}`, {
    cwd: ROOT,
    stdio: ['inherit', 2, 2],
    shell: true,
  })
  if (status !== 0) {
    console.error(`npm run ${script} failed.`)
    process.exit(1)
  }
}

function isFresh(name: string, part: Part, fingerprint: string): boolean {
  const stamp = stampPath(name)
  return (
    existsSync(join(ROOT, part.output)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint
  )
}

function stampPath(name: string): string {
  return join(ROOT, 'build', 'stamps', name)
}

/** Of names, sizes and times of change: the embedded model is too large to be hashed at every start. */
function fingerprintOf(inputs: readonly string[]): string {
  const hash = createHash('sha256')
  for (const path of inputs.flatMap((input) => filesOf(input))) {
    const { size, mtimeMs } = statSync(join(ROOT, path))
    hash.update(`${path}\0${size}\0${mtimeMs}\n`)
  }
  return hash.digest('hex')
}

function filesOf(input: string): string[] {
  const path = join(ROOT, input)
  if (!existsSync(path)) return []
  if (!statSync(path).isDirectory()) return [input]
  const entries = readdirSync(path, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length))
    .toSorted()
}

const names = process.argv.slice(2).filter((argument) => argument !== '--if-stale')
const unknown = names.filter((name) => !(name in PARTS))
if (unknown.length > 0) {
  console.error(`Unknown part ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}.`)
  process.exit(2)
}
build(names.length > 0 ? names : Object.keys(PARTS), process.argv.includes('--if-stale'))
