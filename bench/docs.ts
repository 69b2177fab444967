import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { barChart, type BarGroup } from './plots/bar-chart'
import type { Report } from './report'
import type { SpeedRow } from './summary'
import { benchmarkPage, nameOf, type Picture } from './docs-page'

/**
 * `npm run bench:docs -- FILE.json` writes docs/benchmarks.md and its pictures from what `npm run bench -- --json
 * FILE.json` measured, and keeps the figures beside them as docs/benchmarks.json.
 */
const DOCS = join(import.meta.dirname, '..', 'docs')
const PICTURES = join(DOCS, 'images')

const input = process.argv[2]
if (input === undefined) {
  console.error('Usage: npm run bench:docs -- FILE.json')
  process.exit(2)
}
const json = await readFile(input, 'utf8')
const report = JSON.parse(json) as Report
if (report.mode !== 'full') {
  console.error(
    `${input} is of a quick run, whose peers have shorter prompts: run "npm run bench -- --json FILE"`,
  )
  process.exit(2)
}
await mkdir(PICTURES, { recursive: true })
await writeFile(join(DOCS, 'benchmarks.json'), json)
const pictures = [
  await picture('benchmark-prefill.svg', 'Prefill', 'prefill'),
  await picture('benchmark-decode.svg', 'Decode', 'decode'),
]
await writeFile(join(DOCS, 'benchmarks.md'), benchmarkPage(report, pictures))

async function picture(file: string, title: string, measure: SpeedRow['measure']): Promise<Picture> {
  const rows = report.speeds.filter((row) => row.measure === measure)
  const path = join(PICTURES, file)
  await writeFile(path, barChart(title, 'tokens a second, median and range', groupsOf(rows)))
  return { path: relative(DOCS, path), title }
}

/** One group for each length and number of threads, the fastest first. */
function groupsOf(rows: readonly SpeedRow[]): BarGroup[] {
  const groups: BarGroup[] = []
  for (const tokens of [...new Set(rows.map((row) => row.tokens))].toSorted((a, b) => a - b)) {
    for (const threads of [1, 2]) {
      const bars = rows
        .filter((row) => row.tokens === tokens && row.subject.endsWith(`-${threads}t`))
        .toSorted((a, b) => b.tokensPerSecond - a.tokensPerSecond)
        .map((row) => ({
          label: nameOf(row.subject),
          value: row.tokensPerSecond,
          low: row.slowest,
          high: row.fastest,
          isOurs: row.subject.startsWith('minnow'),
        }))
      const title = `${lengthOf(rows[0]!.measure, tokens)}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`
      if (bars.length > 0) groups.push({ title, bars })
    }
  }
  return groups
}

function lengthOf(measure: SpeedRow['measure'], tokens: number): string {
  const count = tokens.toLocaleString('en')
  return measure === 'prefill' ? `${count} tokens` : `at a context of ${count}`
}
