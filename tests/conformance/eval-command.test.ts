import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const KEYS = ['accuracy', 'auroc', 'auroc_first16', 'ece', 'escalated_at_95', 'apgr'] as const
type Figures = Record<(typeof KEYS)[number] | 'items', number | null>

const folder = mkdtempSync(join(tmpdir(), 'minnow-eval-'))
afterAll(() => rmSync(folder, { recursive: true }))
const days = 'Monday Tuesday Wednesday Thursday Friday Saturday Sunday'.split(' ')
const numbers = Array.from({ length: 12 }, (_, n) => n)

function writeTask(name: string, item: (n: number) => object): void {
  const lines = numbers.map((n) => JSON.stringify(item(n)))
  writeFileSync(join(folder, `${name}.jsonl`), `${lines.join('\n')}\n`)
}

writeTask('days', (n) => ({
  query: `Question: Which day comes after ${days[n % 7]!}?`,
  choices: [days[(n + 1) % 7]!, days[(n + 4) % 7]!],
  gold: n === 3 ? 1 : 0,
}))
writeTask('going-on', (n) => ({
  context: 'The days are Monday, Tuesday, Wednesday, Thursday, Friday, Saturday and',
  continuation: n % 2 === 0 ? 'Sunday' : 'bread',
}))
writeTask('routed', (n) => ({
  domain: n % 2 === 0 ? 'even' : 'odd',
  question: `Is ${n} ${n % 2 === 0 ? 'an even' : 'an odd'} number?`,
  choices: ['yes', 'no'],
  gold: 0,
  mixtral_correct: n % 2,
  gpt4_correct: 1,
}))

interface Report {
  readonly command: string
  readonly tasks: Record<string, Figures>
}

function evaluate(...more: string[]): Report {
  const json = join(folder, 'figures.json')
  const command = ['run', 'eval', '--', '--data', folder, '--tasks', 'days,going-on,routed', '--json', json]
  const options = { cwd: join(import.meta.dirname, '../..'), encoding: 'utf8', shell: false } as const
  const { status, stderr } = spawnSync('npm', [...command, '--records', folder, ...more], options)
  expect(status, stderr).toBe(0)
  return JSON.parse(readFileSync(json, 'utf8')) as Report
}

test('the command gives each task its six figures', () => {
  const { command, tasks } = evaluate()
  expect(command).toBe('npm run eval -- --data DIR --tasks days,going-on,routed')
  const { days: choices, 'going-on': continued, routed } = tasks
  for (const figures of [choices, continued, routed]) {
    expect(figures).toMatchObject({ items: 12 })
    for (const key of KEYS) expect(figures).toHaveProperty(key)
  }
  // Two of three can only be right half of the time, or for what the model does not know.
  expect(continued!.accuracy).toBe(0.5)
  expect(choices!.accuracy).toBeGreaterThan(0.5)
  for (const { accuracy, auroc, auroc_first16: first, ece, escalated_at_95: share, apgr } of [
    choices!,
    continued!,
  ])
    for (const figure of [accuracy, auroc, first, ece, share, apgr]) {
      expect(figure).toBeGreaterThanOrEqual(0)
      expect(figure).toBeLessThanOrEqual(1)
    }
  expect([routed!.accuracy, routed!.ece, routed!.auroc_first16]).toEqual([0.5, null, null])
  expect(routed!.apgr).toBeGreaterThan(0.5)
})

test('a few items are too few for a fit, but not for their accuracy', () => {
  const { command, tasks } = evaluate('--limit', '4', '--cached')
  expect(command).toBe('npm run eval -- --data DIR --tasks days:4,going-on:4,routed:4')
  const { days: choices, 'going-on': continued, routed } = tasks
  expect(continued).toMatchObject({
    items: 4,
    available: 12,
    accuracy: 0.5,
    auroc: null,
    ece: null,
    escalated_at_95: null,
  })
  expect(choices!.items).toBe(4)
  expect(choices!.accuracy).toBeGreaterThan(0)
  expect(routed).toMatchObject({ items: 4, accuracy: 0.5 })
})
