import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { serve } from './serve'

/** `tsx scripts/preview.ts [--port N] [--host NAME]` serves the built page and prints its URL. */

const { values } = parseArgs({
  options: { port: { type: 'string', default: '4173' }, host: { type: 'string', default: 'localhost' } },
})

const site = fileURLToPath(new URL('../dist/site', import.meta.url))
if (!existsSync(site)) throw new Error(`${site} does not exist. Run "npm run build".`)
const { origin } = await serve({ mounts: { '/': site }, port: Number(values.port), host: values.host })
console.log(`Minnow is at ${origin}/ (stop with Ctrl+C)`)
