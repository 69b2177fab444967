import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { serve, type RunningServer } from './serve'

/**
 * `tsx scripts/preview.ts [--port N] [--host NAME]` serves the built page and prints its URL. Without `--port` it
 * takes 4173, or any free one where that is taken.
 */

const { values } = parseArgs({
  options: { port: { type: 'string' }, host: { type: 'string', default: 'localhost' } },
})
const site = fileURLToPath(new URL('../dist/site', import.meta.url))

async function start(port: number): Promise<RunningServer> {
  return serve({ mounts: { '/': site }, port, host: values.host })
}

async function startOnFreePort(): Promise<RunningServer> {
  try {
    return await start(4173)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return start(0)
    throw error
  }
}

if (!existsSync(site)) throw new Error(`${site} does not exist. Run "npm run build".`)
const { origin } = values.port === undefined ? await startOnFreePort() : await start(Number(values.port))
console.log(`Minnow is at ${origin}/ (stop with Ctrl+C)`)
