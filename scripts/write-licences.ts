import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

/**
 * `tsx scripts/write-licences.ts FOLDER` writes FOLDER/THIRD-PARTY-LICENSES.txt: the licences of all packages whose
 * code is in the bundles. These licences ask to be passed on with every copy.
 */

const ROOT = fileURLToPath(new URL('..', import.meta.url))

const PACKAGE = z.object({
  name: z.string(),
  version: z.string(),
  license: z.string(),
  dependencies: z.record(z.string(), z.string()).optional(),
})

function readPackage(folder: string): z.infer<typeof PACKAGE> {
  return PACKAGE.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')))
}

function licenceOf(name: string): string {
  const folder = join(ROOT, 'node_modules', name)
  const { version, license, dependencies = {} } = readPackage(folder)
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice)/i.test(file))
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim())
  const own = `${name} ${version} (${license})\n\n${texts.join('\n\n')}`
  return [own, ...(name === COMPILER ? [] : Object.keys(dependencies).map(licenceOf))].join(SEPARATOR)
}

/** Its small runtime is compiled into the kernels; what the compiler itself depends on is not. */
const COMPILER = 'assemblyscript'
/** In the service worker of the page; no part of the library. */
const SERVICE_WORKER = 'workbox-precaching'
const SEPARATOR = `\n\n${'-'.repeat(80)}\n\n`

const [target] = process.argv.slice(2)
if (target === undefined || !existsSync(target))
  throw new Error('Name a folder that exists, for instance dist.')
const names = [...Object.keys(readPackage(ROOT).dependencies ?? {}), COMPILER, SERVICE_WORKER]
const text = names.map(licenceOf).join(SEPARATOR)
writeFileSync(join(target, 'THIRD-PARTY-LICENSES.txt'), `${text}\n`)
