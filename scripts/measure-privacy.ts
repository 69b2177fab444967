/**
 * What the scan for personal data finds in labelled texts, and what of private texts leaves a router whose every hop fails.
 *
 *   npm run measure:privacy -- --data DIR     DIR holds pii.json (full_text, spans of entity_type, start_position, end_position)
 *
 * Prints tables; ends with 1 if any private item was sent. A span counts as found where all its letters and digits are.
 */
import { parseArgs } from 'node:util'
import { readPersonalItems, sendPrivateItems } from '../eval/private-items'
import type { Finding } from '../src/router/privacy/finding'
import { createScan } from '../src/router/privacy/scan'

const { values } = parseArgs({ options: { data: { type: 'string' } } })
if (values.data === undefined)
  throw new Error('Say where the data lie: npm run measure:privacy -- --data DIR')
const items = await readPersonalItems(values.data)

function covers(text: string, findings: readonly Finding[], start: number, end: number): boolean {
  for (let index = start; index < end; index++) {
    if (!/[\p{L}\p{N}]/u.test(text.charAt(index))) continue
    if (!findings.some((finding) => finding.start <= index && index < finding.end)) return false
  }
  return true
}

function recall(level: 'standard' | 'strict'): Map<string, { found: number; all: number }> {
  const scan = createScan(level)
  const counts = new Map<string, { found: number; all: number }>()
  for (const { full_text: text, spans } of items) {
    const findings = scan(text)
    for (const { entity_type: type, start_position: start, end_position: end } of spans) {
      const count = counts.get(type) ?? { found: 0, all: 0 }
      count.all++
      if (covers(text, findings, start, end)) count.found++
      counts.set(type, count)
    }
  }
  return counts
}

const [standard, strict] = [recall('standard'), recall('strict')]
const percent = ({ found, all }: { found: number; all: number }): string =>
  `${((100 * found) / all).toFixed(0)} %`
console.log('| kind | spans | standard | strict |\n|---|---|---|---|')
for (const [type, count] of [...standard].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
  console.log(`| ${type} | ${count.all} | ${percent(count)} | ${percent(strict.get(type) ?? count)} |`)
}
for (const level of ['standard', 'strict'] as const) {
  const scan = createScan(level)
  const labelled = items.filter(({ spans }) => spans.length > 0)
  const held = labelled.filter(({ full_text: text }) => scan(text).length > 0).length
  const clean = items.filter(({ spans }) => spans.length === 0)
  const flagged = clean.filter(({ full_text: text }) => scan(text).length > 0).length
  console.log(
    `${level}: 'force-local' keeps ${held} of ${labelled.length} items with labels, and ${flagged} of ${clean.length} without.`,
  )
}
const { routers, sent, routersThatSend } = await sendPrivateItems(items.map((item) => item.full_text))
console.log(
  `Labelled private, each of ${items.length} items through ${routers} failing routers: ${sent} sent. Without the label ${routersThatSend} of them send.`,
)
process.exitCode = sent === 0 ? 0 : 1
