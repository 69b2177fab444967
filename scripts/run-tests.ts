import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findChromium } from './find-chromium'
import { addTallies, tallyOfPlaywright, tallyOfVitest, type Tally } from './test-tally'

/**
 * `tsx scripts/run-tests.ts [unit] [conformance] [browser] [e2e] [webgpu-f16] [webgpu-dawn]` builds what is stale, runs
 * these suites (default: all but the last two, which need Firefox and Dawn) and ends with the line "N passed, N failed"
 * of all together.
 */

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const REPORTS = join(ROOT, 'build', 'test-reports')

interface Suite {
  readonly command: string
  /** Reads the runner's report. */
  readonly tally: (report: unknown) => Tally
  readonly inBrowser: boolean
  /** What it needs and not every machine has: runs only when named. */
  readonly needs?: string
}

const SUITES: Readonly<Record<string, Suite>> = {
  unit: vitest('unit'),
  conformance: vitest('conformance'),
  browser: playwright('browser'),
  e2e: playwright('e2e'),
  'webgpu-f16': { ...vitest('webgpu-f16'), needs: 'Firefox and Mesa' },
  'webgpu-dawn': { ...vitest('webgpu-dawn'), needs: 'Dawn and Mesa' },
}

function vitest(project: string): Suite {
  const command = `npx vitest run --project ${project} --reporter=default --reporter=json --outputFile="${reportPath(project)}"`
  return { command, tally: tallyOfVitest, inBrowser: false }
}

function playwright(project: string): Suite {
  return {
    command: `npx playwright test --project ${project} --reporter=list,json`,
    tally: tallyOfPlaywright,
    inBrowser: true,
  }
}

function reportPath(name: string): string {
  return join(REPORTS, `${name}.json`)
}

function runSuite(name: string, suite: Suite): Tally {
  console.log(`\n${name}`)
  rmSync(reportPath(name), { force: true })
  const env = { ...process.env, PLAYWRIGHT_JSON_OUTPUT_FILE: reportPath(name) }
  const { status } = spawnSync(suite.command, { cwd: ROOT, stdio: 'inherit', shell: true, env })
  if (!existsSync(reportPath(name))) {
    console.error(`The suite ${name} ended with status ${status ?? 'none'} and without a report.`)
    return { passed: 0, failed: [`${name}: no report`], skipped: [] }
  }
  const tally = suite.tally(JSON.parse(readFileSync(reportPath(name), 'utf8')))
  // A runner can fail with no test to blame: an error outside of tests, or no test at all.
  if (status !== 0 && tally.failed.length === 0) {
    return { ...tally, failed: [`${name}: the runner ended with status ${status ?? 'none'}`] }
  }
  return tally
}

function main(names: readonly string[]): void {
  const unknown = names.filter((name) => !(name in SUITES))
  if (unknown.length > 0) {
    throw new Error(`Unknown suite ${unknown.join(', ')}; there are ${Object.keys(SUITES).join(', ')}.`)
  }
  const suites = Object.entries(SUITES).filter(([name, { needs }]) =>
    names.length === 0 ? needs === undefined : names.includes(name),
  )
  // Before the long part: a missing browser shall be known at once. The suites inherit what was found.
  if (suites.some(([, suite]) => suite.inBrowser))
    process.env['MINNOW_CHROMIUM'] = findChromium().executablePath
  const built = spawnSync('npx tsx scripts/build.ts --if-stale', { cwd: ROOT, stdio: 'inherit', shell: true })
  if (built.status !== 0) throw new Error('The build failed; no test was run.')
  mkdirSync(REPORTS, { recursive: true })
  const total = addTallies(suites.map(([name, suite]) => runSuite(name, suite)))
  console.log('')
  if (names.length === 0) {
    for (const [name, { needs }] of Object.entries(SUITES)) {
      if (needs !== undefined) console.log(`not run, name it to run it: ${name} (needs ${needs})`)
    }
  }
  for (const title of total.skipped) console.log(`skipped: ${title}`)
  for (const title of total.failed) console.log(`failed: ${title}`)
  console.log(`${total.passed} passed, ${total.failed.length} failed`)
  process.exitCode = total.failed.length === 0 ? 0 : 1
}

try {
  main(process.argv.slice(2))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  console.log('0 passed, 1 failed')
  process.exitCode = 1
}
