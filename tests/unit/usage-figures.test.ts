import { describe, expect, it } from 'vitest'
import { createMemoryStorage } from '../../src/router/storage/tables'
import type { LedgerEntry } from '../../src/router/ledger'
import type { Feedback } from '../../src/router/queues'
import { differ } from '../../src/widget/usage-drift'
import { usagePlots } from '../../src/widget/usage-figures'
import { pricesOf } from '../../src/widget/settings-remote'
import { ask, setup } from './router/fixtures'

/** Real entries of the ledger, moved to other days and confidences. */
async function entriesOf(confidences: readonly (readonly number[])[]): Promise<LedgerEntry[]> {
  const { router } = setup({ says: { after: 0.9 }, storage: createMemoryStorage() })
  await ask(router)
  const [entry] = await router.ledger.list()
  const noon = new Date(2025, 0, 1, 12).getTime()
  return confidences.flatMap((day, d) =>
    day.map((confidence, i) => ({ ...entry!, id: `${d}-${i}`, at: noon + d * 86_400_000, confidence })),
  )
}

const driftOf = async (confidences: readonly (readonly number[])[], feedback: readonly Feedback[] = []) =>
  usagePlots(await entriesOf(confidences), feedback).find(({ title }) => title === 'Confidence over time')

describe('the plot of drift', () => {
  it('tells a fall of confidence from chance', async () => {
    const day = (around: number): number[] => [-0.2, -0.1, 0, 0, 0.1, 0.2].map((by) => around + by)
    const steady = await driftOf(Array.from({ length: 12 }, () => day(0.6)))
    expect(steady?.summary).toContain('no change beyond chance')
    const fallen = await driftOf([
      ...Array.from({ length: 5 }, () => day(0.7)),
      ...Array.from({ length: 7 }, () => day(0.4)),
    ])
    expect(fallen?.summary).toContain('were 70 % sure before the last seven days, and 40 % in them')
    expect(fallen?.groups).toHaveLength(12)
  })

  it('shows what people said of the same days, and nothing for a single day', async () => {
    const feedback = (entry: string, kind: 'up' | 'down'): Feedback => ({
      id: entry,
      at: 0,
      user: 'local',
      entry,
      kind,
      text: null,
      task: null,
      confidence: 0.5,
      source: 'local',
    })
    const drift = await driftOf(
      [
        [0.5, 0.7],
        [0.6, 0.6],
      ],
      [feedback('0-0', 'up'), feedback('0-1', 'down')],
    )
    expect(drift?.groups.map(({ values }) => values)).toEqual([
      [expect.closeTo(0.6), 0.5],
      [expect.closeTo(0.6), null],
    ])
    expect(await driftOf([[0.5]])).toBeUndefined()
  })

  it('few answers differ by nothing', () => {
    const five = [0.1, 0.1, 0.2, 0.1, 0.1]
    expect(differ(five, [0.9, 0.9, 0.8, 0.9, 0.9])).toBe(false)
    expect(differ([...five, ...five], [0.9, 0.9, 0.8, 0.9, 0.9, 0.9, 0.9, 0.8, 0.9, 0.9])).toBe(true)
  })
})

it('a chosen model brings its price along, without crumbs', () => {
  const price = { inputPerMillion: 0.1 + 0.2, outputPerMillion: 2, date: '2025-01-01' }
  const models = [
    { id: 'a', contextLength: null, price },
    { id: 'b', contextLength: 8, price: null },
  ]
  expect(pricesOf(models, 'a')).toEqual({ inputPrice: '0.3', outputPrice: '2' })
  expect(pricesOf(models, 'b')).toEqual({})
  expect(pricesOf(models, 'c')).toEqual({})
})
