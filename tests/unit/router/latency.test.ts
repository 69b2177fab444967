import { expect, test } from 'vitest'
import { REMOTE_ANSWER, ask, remoteEngine, setup } from './fixtures'

const MINUTE = 60_000

test('a remote whose first text was late is left out, and tried again after a while', async () => {
  let clock = 0
  let firstTextMs = 3000
  const remote = remoteEngine({
    reply: () => {
      clock += firstTextMs
      return REMOTE_ANSWER
    },
  })
  const { router } = setup({ remote, policy: { mode: 'prefer-in-cloud' }, now: () => clock })
  const reason = async (maxLatencyMs?: number): Promise<string> =>
    (await ask(router, 'x', maxLatencyMs === undefined ? {} : { maxLatencyMs })).settled.decision.reason
  expect(await reason()).toBe('mode')
  expect(await reason(2000)).toBe('latency')
  expect(await reason(4000)).toBe('mode')
  firstTextMs = 10
  clock += 4 * MINUTE
  expect(await reason(2000)).toBe('latency')
  clock += 2 * MINUTE
  expect(await reason(2000)).toBe('mode')
  expect(await reason(2000)).toBe('mode')
})

test('neither a long answer nor a slow reader makes a remote slow', async () => {
  let clock = 0
  const { router } = setup({ policy: { mode: 'prefer-in-cloud' }, now: () => clock })
  const stream = await router.chat.completions.create({
    messages: [{ role: 'user', content: 'x' }],
    stream: true,
  })
  for await (const _ of stream) clock += MINUTE
  const { settled } = await ask(router, 'x', { maxLatencyMs: 100 })
  expect(settled.source.kind).toBe('remote')
})
