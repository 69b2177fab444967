import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const sources = join(root, 'src/backend/wasm/kernels')
const script = join(root, 'scripts/build-kernels.mjs')
// The last one that the script writes.
const output = join(root, 'build/kernels-testing/relaxed32.wasm')

/** Before the unit tests: compiles the kernels' entry for tests where a source is newer. */
export default function buildTestingKernels(): void {
  const inputs = [script, ...readdirSync(sources).map((file) => join(sources, file))]
  const newest = Math.max(...inputs.map((file) => statSync(file).mtimeMs))
  if (existsSync(output) && statSync(output).mtimeMs > newest) return
  execFileSync(process.execPath, [script, 'testing'], { cwd: root, stdio: 'inherit' })
}
