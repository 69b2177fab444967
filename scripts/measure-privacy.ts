/**
 * What the scan for personal data finds in labelled texts, and what of private texts leaves a router whose every hop fails.
 *
 *   npm run measure:privacy -- --data DIR     DIR holds pii.json (full_text, spans of entity_type, start_position, end_position)
 *
 * Prints tables; ends with 1 if any private item was sent. A span counts as found where all its letters and digits are.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { EngineError, type EngineErrorCode } from '../src/contract/error'
import { createRouter } from '../src/router/create-router'
import type { Finding } from '../src/router/privacy/finding'
import { createScan } from '../src/router/privacy/scan'
import { createMockEngine } from '../src/testing'

const itemsSchema = z.array(
  z.object({
    full_text: z.string(),
    spans: z.array(
      z.object({ entity_type: z.string(), start_position: z.number(), end_position: z.number() }),
    ),
  }),
)
type Item = z.infer<typeof itemsSchema>[number]

const { values } = parseArgs({ options: { data: { type: 'string' } } })
if (values.data === undefined)
  throw new Error('Say where the data lie: npm run measure:privacy -- --data DIR')
const items = itemsSchema.parse(JSON.parse(readFileSync(join(values.data, 'pii.json'), 'utf8')))

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

/** The way a router and all its hops fail. */
const CODES: readonly (EngineErrorCode | 'none')[] = [
  'none',
  'network',
  'timeout',
  'rate-limited',
  'unavailable',
  'internal',
]

/** How many of `private` items reach a remote: labelled by their caller, through routers that fail in every way there is. */
async function sentPrivately(item: Item): Promise<number> {
  let sent = 0
  for (const code of CODES) {
    for (const mode of ['prefer-on-device', 'prefer-in-cloud', 'only-in-cloud'] as const) {
      const fail = code === 'none' ? {} : { fail: { atWord: 0, error: new EngineError(code, 'injected') } }
      const remote = createMockEngine({ ...fail, info: { backend: 'remote', model: 'remote' } })
      const router = createRouter({
        local: createMockEngine({ reply: 'again and again, ok. '.repeat(8), ...fail }),
        remote,
        policy: {
          mode,
          verifyFrom: 0,
          shadow: { share: 1 },
          personalData: { action: 'allow', level: 'standard' },
        },
        consent: () => 'scope',
        isOnline: () => true,
      })
      const messages = [{ role: 'user' as const, content: item.full_text }]
      await router.chat.completions
        .create({ messages, minnow: { route: { private: true } } })
        .catch(() => undefined)
      await router.dispose()
      sent += remote.calls.length
    }
  }
  return sent
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
let sent = 0
for (const item of items) sent += await sentPrivately(item)
console.log(
  `Labelled private, each of ${items.length} items through ${CODES.length * 3} failing routers: ${sent} sent.`,
)
process.exitCode = sent === 0 ? 0 : 1
