/**
 * `npm run lighthouse [-- --json]`: what Lighthouse says of the page on its settings of a phone (a slow processor, a slow
 * network), before the model is loaded. Fails below 95 of 100.
 */
import { createServer } from 'node:net'
import { chromium } from '@playwright/test'
import lighthouse from 'lighthouse'
import { SITE_FOLDER } from './browse-site'
import { findChromium } from './find-chromium'
import { serve } from './serve'

const CATEGORIES = ['performance', 'accessibility', 'best-practices'] as const
const WANTED = 95

interface LighthouseFigures {
  /** Of 100 each. */
  scores: Record<string, number>
  /** Milliseconds, or a score of shift. */
  metrics: Record<string, number>
  /** What was found wanting, in Lighthouse's words. */
  findings: string[]
}

const METRICS = [
  'first-contentful-paint',
  'largest-contentful-paint',
  'speed-index',
  'total-blocking-time',
  'cumulative-layout-shift',
]

async function measureLighthouse(): Promise<LighthouseFigures> {
  const server = await serve({ mounts: { '/': SITE_FOLDER } })
  const { executablePath, args } = findChromium()
  const port = await freePort()
  const browser = await chromium.launch({
    executablePath,
    args: [...args, `--remote-debugging-port=${port}`],
  })
  try {
    const result = await lighthouse(server.origin, {
      port,
      output: 'json',
      onlyCategories: [...CATEGORIES],
      logLevel: 'error',
    })
    if (result === undefined) throw new Error('Lighthouse gave no result.')
    const { lhr } = result
    if (lhr.runtimeError !== undefined) throw new Error(`Lighthouse failed: ${lhr.runtimeError.message}`)
    const scores = CATEGORIES.map((id) => [id, Math.round((lhr.categories[id]?.score ?? 0) * 100)] as const)
    const metrics = METRICS.map((id) => [id, lhr.audits[id]?.numericValue ?? NaN] as const)
    const findings = Object.values(lhr.audits)
      .filter(
        ({ score, scoreDisplayMode }) => score !== null && score < 0.9 && scoreDisplayMode !== 'informative',
      )
      .map(({ id, title, displayValue }) => `${id}: ${title}${displayValue ? ` (${displayValue})` : ''}`)
    return { scores: Object.fromEntries(scores), metrics: Object.fromEntries(metrics), findings }
  } finally {
    await browser.close()
    await server.close()
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, 'localhost', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}

const figures = await measureLighthouse()
if (process.argv.includes('--json')) console.log(JSON.stringify(figures))
else {
  for (const [name, score] of Object.entries(figures.scores)) console.log(`${name.padEnd(28)}${score}`)
  for (const [name, value] of Object.entries(figures.metrics)) {
    console.log(`${name.padEnd(28)}${value < 10 ? value.toFixed(3) : `${value.toFixed(0)} ms`}`)
  }
  for (const finding of figures.findings) console.log(`- ${finding}`)
}
if (Object.values(figures.scores).some((score) => score < WANTED)) process.exitCode = 1
