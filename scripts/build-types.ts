import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Writes the declarations of the library to `dist/types`. Our sources import without extensions, as bundlers do;
 * declarations must name files as Node does, or users with `moduleResolution: nodenext` get `any`.
 */

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const TYPES = join(ROOT, 'dist', 'types')

rmSync(TYPES, { recursive: true, force: true })
const { status } = spawnSync('npx tsc --project tsconfig.library.json', {
  cwd: ROOT,
  stdio: 'inherit',
  shell: true,
})
if (status !== 0) process.exit(1)

for (const name of readdirSync(TYPES, { recursive: true, encoding: 'utf8' })) {
  if (!name.endsWith('.d.ts')) continue
  const path = join(TYPES, name)
  const declarations = readFileSync(path, 'utf8')
  writeFileSync(
    path,
    declarations.replaceAll(/((?:from |import\()['"])(\.{1,2}\/[^'"]+)(?=['"])/g, '$1$2.js'),
  )
}
