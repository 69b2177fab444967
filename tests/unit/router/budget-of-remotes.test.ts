import { expect, test } from 'vitest'
import type { Price } from '../../../src/contract/route'
import { EngineError } from '../../../src/contract/error'
import { createRemotePool } from '../../../src/router/providers/remote-pool'
import type { MockEngine } from '../../../src/testing'
import { scriptedAnswer } from '../../remote-server/answers'
import type { Fault } from '../../remote-server/faults'
import { QUICK, remoteOf, startServer } from '../remote-harness'
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

test('each request that was lost after it was sent is paid for, and one that was refused is not', async () => {
  const server = await startServer({ answer: scriptedAnswer('two words') })
  const options = { price: PRICE, timeouts: { firstTokenMs: 1000 } }
  const [remote, other] = [
    remoteOf(server, options),
    remoteOf(server, { ...options, model: 'other', price: DEAR }),
  ]
  const question = 'x'.repeat(39)
  const spent = async (...faults: Fault[]): Promise<number> => {
    server.faults.push(...faults)
    const router = setup({
      remote: createRemotePool([remote, other]),
      policy: { mode: 'prefer-in-cloud' },
    }).router
    return (await ask(router, question)).settled.cost.spentUsd
  }
  const hang: Fault = { kind: 'hang', after: 0 }
  const busy: Fault = { kind: 'status', status: 503 }
  const answer = (PRICE.inputPerMillion + 2 * PRICE.outputPerMillion) / 1e6
  const prompt = (10 * PRICE.inputPerMillion) / 1e6
  expect(await spent()).toBeCloseTo(answer, 9)
  expect(await spent(busy, busy)).toBeCloseTo(answer, 9)
  expect(await spent(busy, hang)).toBeCloseTo(prompt + answer, 9)
  expect(await spent(hang, hang)).toBeCloseTo(2 * prompt + answer, 9)
  const dear = (DEAR.inputPerMillion + 2 * DEAR.outputPerMillion) / 1e6
  expect(await spent(hang, busy, hang)).toBeCloseTo(2 * prompt + dear, 9)
  // Where none answers, as well.
  expect(await spent(hang, busy, busy, busy, busy, busy)).toBeCloseTo(prompt, 9)
})

test('there must be room for the prompts of all retries', async () => {
  const server = await startServer()
  const remote = remoteOf(server, { ...QUICK, price: { ...PRICE, outputPerMillion: 0 } })
  const { router } = setup({ remote, policy: { mode: 'prefer-in-cloud' } })
  const reasonUnder = async (maxCostUsd: number): Promise<string> =>
    (await ask(router, 'x'.repeat(300), { maxCostUsd })).settled.decision.reason
  expect(await reasonUnder(0.3)).toBe('budget')
  expect(server.requests).toHaveLength(0)
  expect(await reasonUnder(0.4)).toBe('mode')
})
