import { expect, test } from 'vitest'
import type { Price } from '../../../src/contract/route'
import { EngineError } from '../../../src/contract/error'
import { createRemotePool } from '../../../src/router/providers/remote-pool'
import type { MockEngine } from '../../../src/testing'
import { ask, PRICE, remoteEngine, setup } from './fixtures'

const DEAR = { inputPerMillion: 100_000, outputPerMillion: 1_000_000, date: '2025-01-01' }
const down = { atWord: 0, error: new EngineError('network', 'down') }

function member(model: string, price?: Price, fails = false): MockEngine {
  return remoteEngine({
    reply: `${model} one two three`,
    info: { model, ...(price && { price }) },
    ...(fails && { fail: down }),
  })
}

test('what is set aside for a pool is enough for the dearest that may answer', async () => {
  const [cheap, dear] = [member('cheap', PRICE, true), member('dear', DEAR)]
  const { router } = setup({
    remote: createRemotePool([cheap, { engine: dear, only: ['outage'] }]),
    policy: { mode: 'prefer-in-cloud', budget: { dayUsd: 1 } },
  })
  const { settled } = await ask(router, 'one two')
  expect(settled.decision.reason).toBe('budget')
  expect([cheap.calls, dear.calls]).toEqual([[], []])
  // With room for it, it is bounded by it and booked at its price.
  router.setPolicy({ mode: 'prefer-in-cloud', budget: { dayUsd: 20 } })
  const { settled: paid, text } = await ask(router, 'one two')
  expect(text).toBe('dear one two three')
  expect(dear.calls[0]?.max_tokens).toBeLessThanOrEqual(20)
  expect(paid.cost.spentUsd).toBeGreaterThan(4)
  expect(paid.cost.spentUsd).toBeLessThanOrEqual(20)
})

test('a pool with a member without a price is not asked under a budget, unless the embedder knows the price', async () => {
  const remote = createRemotePool([member('cheap', PRICE, true), member('unpriced')])
  const policy = { mode: 'prefer-in-cloud', budget: { dayUsd: 1 } } as const
  expect((await ask(setup({ remote, policy }).router)).settled.decision.reason).toBe('budget')
  const { settled } = await ask(setup({ remote, policy, prices: { unpriced: PRICE } }).router, 'one two')
  expect(settled.source).toMatchObject({ kind: 'remote', model: 'unpriced' })
  expect(settled.cost.spentUsd).toBe((2 * 1000 + 4 * 2000) / 1e6)
})

test('an answer of a member without a price is not booked at the price of another', async () => {
  const remote = createRemotePool([member('cheap', PRICE, true), member('unpriced')])
  const { settled } = await ask(setup({ remote, policy: { mode: 'prefer-in-cloud' } }).router, 'one two')
  expect(settled.cost).toMatchObject({ spentUsd: 0, priced: false })
})
