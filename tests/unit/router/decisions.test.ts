import { describe, expect, test } from 'vitest'
import { EngineError } from '../../../src/contract/error'
import type { MockEngine } from '../../../src/testing'
import { ask, LOCAL_ANSWER, localEngine, REMOTE_ANSWER, remoteEngine, setup } from './fixtures'

const calls = (engine: unknown): number => (engine as MockEngine).calls.length
const last = ({ action, stage, reason }: { action: string; stage: string; reason: string }): string[] => [
  action,
  stage,
  reason,
]

describe('local first', () => {
  test('a confident answer stays here', async () => {
    const { router, remote } = setup({ says: { before: 0.9, during: 0.8, after: 0.7 } })
    const { text, settled } = await ask(router)
    expect(text).toBe(LOCAL_ANSWER)
    expect(settled.source).toEqual({ kind: 'local', model: 'small', verifiedBy: null })
    expect(settled.confidence).toBe(0.7)
    expect(last(settled.decision)).toEqual(['local', 'after', 'confident'])
    expect(settled.sent).toEqual([])
    expect(calls(remote)).toBe(0)
  })

  test('without a calibration the local answer is taken as it is', async () => {
    const { settled } = await ask(setup().router)
    expect(last(settled.decision)).toEqual(['local', 'after', 'uncalibrated'])
    expect(settled.source.kind).toBe('local')
  })

  test.each(['before', 'during'] as const)(
    'unsure %s anything is shown: only the remote answer is',
    async (stage) => {
      const { router } = setup({ says: { [stage]: 0.2 }, policy: { holdBackTokens: 8 } })
      const { text, dropped, events, settled } = await ask(router)
      expect(text).toBe(REMOTE_ANSWER)
      expect(dropped).toEqual([])
      expect(events.map(({ type }) => type)).toEqual(['asking', 'settled'])
      expect(settled.source).toEqual({ kind: 'remote', model: 'large', verifiedBy: null })
      expect(last(settled.decision)).toEqual([
        'escalate',
        stage === 'before' ? 'before' : 'first-tokens',
        'unsure',
      ])
      const [entry] = await router.ledger.list()
      expect(entry?.tokens.wastedLocal).toBe(stage === 'before' ? 0 : 8)
    },
  )

  test('unsure after all is shown: the draft is replaced as a whole', async () => {
    const { router } = setup({ says: { after: 0.2 }, policy: { holdBackTokens: 4 } })
    const { text, dropped, events, settled } = await ask(router)
    expect(text).toBe(REMOTE_ANSWER)
    expect(dropped).toEqual([LOCAL_ANSWER])
    expect(events.map(({ type }) => type)).toEqual(['asking', 'upgrading', 'settled'])
    expect(last(settled.decision)).toEqual(['escalate', 'after', 'unsure'])
  })

  test('an answer that repeats itself is replaced, calibration or not', async () => {
    const { router } = setup({ local: localEngine({ reply: 'well then, yes. '.repeat(40) }) })
    const { text, settled } = await ask(router)
    expect(text).toBe(REMOTE_ANSWER)
    expect(settled.decision.reason).toBe('repetition')
  })

  test('broken JSON is replaced where JSON is required', async () => {
    const { router } = setup()
    const { settled } = await ask(router, 'x', { requires: ['json'] })
    expect(last(settled.decision)).toEqual(['escalate', 'after', 'broken-json'])
    const kept = await ask(setup({ local: localEngine({ reply: '{"a": 1}' }) }).router, 'x', {
      requires: ['json'],
    })
    expect(kept.settled.source.kind).toBe('local')
  })

  test.each([
    [16, 'first-tokens'],
    [4, 'during'],
  ] as const)(
    'what can no longer become JSON is not written to its end (%i held back)',
    async (held, stage) => {
      const numbers = (from: number, to: number): string =>
        Array.from({ length: to - from }, (_, index) => `${(from + index) ** 2}, `).join('')
      const reply = `{"list": [ ${numbers(0, 10)}oh ${numbers(20, 60)}3]}`
      const { router } = setup({ local: localEngine({ reply }), policy: { holdBackTokens: held } })
      const { text, settled } = await ask(router, 'x', { requires: ['json'] })
      expect(text).toBe(REMOTE_ANSWER)
      expect(last(settled.decision)).toEqual(['escalate', stage, 'broken-json'])
      expect((await router.ledger.list())[0]?.tokens.wastedLocal).toBeLessThan(40)
      const whole = await ask(
        setup({ local: localEngine({ reply: reply.replace('oh', '9,') }), policy: { holdBackTokens: held } })
          .router,
        'x',
        { requires: ['json'] },
      )
      expect(whole.settled.source.kind).toBe('local')
    },
  )
})

test('an empty answer is replaced, calibration or not', async () => {
  for (const says of [undefined, { after: 1 }]) {
    const { router } = setup({ local: localEngine({ reply: '' }), ...(says === undefined ? {} : { says }) })
    const { text, settled } = await ask(router)
    expect(text).toBe(REMOTE_ANSWER)
    expect(last(settled.decision)).toEqual(['escalate', 'after', 'empty-answer'])
  }
  const alone = await ask(setup({ local: localEngine({ reply: '' }), remote: null }).router)
  expect(alone.settled.source.kind).toBe('unverified')
})

describe('verification', () => {
  const policy = { accept: 0.9, verifyFrom: 0.3 }
  test('a doubtful answer goes on to its end where it may be checked there', async () => {
    const says = { before: 0.4, during: 0.4, after: 0.4 }
    const checked = await ask(setup({ says, policy, remote: remoteEngine({ reply: 'Yes' }) }).router)
    expect(checked.settled).toMatchObject({ source: { kind: 'verified' }, sent: [{ purpose: 'verify' }] })
    const hopeless = await ask(setup({ says: { ...says, before: 0.2 }, policy }).router)
    expect(last(hopeless.settled.decision)).toEqual(['escalate', 'before', 'unsure'])
  })

  test('yes: one token of the remote confirms the local answer', async () => {
    const remote = remoteEngine({ reply: 'Yes' })
    const { text, settled } = await ask(setup({ says: { after: 0.5 }, policy, remote }).router)
    expect(text).toBe(LOCAL_ANSWER)
    expect(settled.source).toEqual({ kind: 'verified', model: 'small', verifiedBy: 'large' })
    expect(remote.calls).toHaveLength(1)
    expect(remote.calls[0]?.max_tokens).toBe(1)
    expect(settled.sent.map(({ purpose }) => purpose)).toEqual(['verify'])
    expect(settled.sent[0]?.text).toContain(LOCAL_ANSWER)
  })

  test.each(['no', 'perhaps'])("'%s': the remote is asked for its own answer", async (word) => {
    const remote = remoteEngine({
      reply: (messages) => (messages.length === 2 ? word : REMOTE_ANSWER),
    })
    const { text, settled } = await ask(setup({ says: { after: 0.5 }, policy, remote }).router)
    expect(text).toBe(REMOTE_ANSWER)
    expect(settled.decision.reason).toBe(word === 'no' ? 'refuted' : 'unsure')
    expect(settled.sent.map(({ purpose }) => purpose)).toEqual(['verify', 'answer'])
  })

  test('below the band it is not tried', async () => {
    const remote = remoteEngine()
    const { settled } = await ask(setup({ says: { after: 0.2 }, policy, remote }).router)
    expect(settled.sent.map(({ purpose }) => purpose)).toEqual(['answer'])
  })
})

describe('modes and hard rules', () => {
  test('only-on-device sends nothing, however unsure', async () => {
    const { router, remote } = setup({
      says: { before: 0, during: 0, after: 0 },
      policy: { mode: 'only-on-device' },
    })
    const { text, settled } = await ask(router)
    expect(text).toBe(LOCAL_ANSWER)
    expect(settled.source.kind).toBe('unverified')
    expect(calls(remote)).toBe(0)
  })

  test('what stays on the device cannot be asked of the bigger model either', async () => {
    const { router, local, remote } = setup({ policy: { mode: 'only-on-device' } })
    await expect(ask(router, 'x', { mode: 'only-in-cloud' })).rejects.toMatchObject({
      code: 'forbidden',
      details: { reason: 'mode' },
    })
    // Nor is it answered again as if it had been.
    expect([calls(local), calls(remote)]).toEqual([0, 0])
  })

  test('prefer-in-cloud asks the remote, and falls back', async () => {
    const policy = { mode: 'prefer-in-cloud' } as const
    const { router, local } = setup({ policy })
    expect((await ask(router)).settled.source.kind).toBe('remote')
    expect(calls(local)).toBe(0)
    const failing = remoteEngine({ fail: { atWord: 0, error: new EngineError('unavailable', 'down') } })
    const { text, settled } = await ask(setup({ policy, remote: failing }).router)
    expect(text).toBe(LOCAL_ANSWER)
    expect(settled.source.kind).toBe('unverified')
    expect(settled.decision.reason).toBe('remote-failed')
  })

  test('only-in-cloud rejects with what the remote failed with', async () => {
    const remote = remoteEngine({ fail: { atWord: 0, error: new EngineError('rate-limited', 'slow down') } })
    const { router, local } = setup({ policy: { mode: 'only-in-cloud' }, remote })
    await expect(ask(router)).rejects.toMatchObject({ code: 'rate-limited' })
    expect(calls(local)).toBe(0)
    expect((await router.ledger.list())[0]).toMatchObject({ outcome: 'failed', errorCode: 'rate-limited' })
  })

  test('what the local engine cannot do goes to the remote', async () => {
    const { router } = setup()
    expect((await ask(router, 'x', { requires: ['tools'] })).settled.decision.reason).toBe('feature')
    expect((await ask(router, 'x', { modality: 'image' })).settled.decision.reason).toBe('modality')
    expect((await ask(router, 'word '.repeat(9000))).settled.decision.reason).toBe('context')
    await expect(ask(router, 'x', { requires: ['tools'], private: true })).rejects.toMatchObject({
      code: 'unsupported',
    })
  })

  test('a local engine that fails, or whose context is full, is stood in for', async () => {
    const full = localEngine({ fail: { atWord: 0, error: new EngineError('context-overflow', 'full') } })
    expect((await ask(setup({ local: full }).router)).settled.decision.reason).toBe('context')
    const broken = localEngine({ fail: { atWord: 3, error: new EngineError('worker-lost', 'gone') } })
    const { text, settled } = await ask(setup({ local: broken }).router)
    expect(text).toBe(REMOTE_ANSWER)
    expect(settled.decision.reason).toBe('local-failed')
    await expect(ask(setup({ local: broken, remote: null }).router)).rejects.toMatchObject({
      code: 'worker-lost',
    })
  })

  test('rules, experiments and the request itself choose the mode', async () => {
    const { router } = setup({
      policy: { rules: [{ id: 'maths', when: { tasks: ['math'] }, set: { mode: 'only-in-cloud' } }] },
    })
    const ruled = await ask(router, 'x', { task: 'math' })
    expect(ruled.settled.decision).toMatchObject({ reason: 'rule', rule: 'maths' })
    expect((await ask(router, 'What is 12 * 7?')).settled.decision.rule).toBe('maths')
    expect((await ask(router, 'x', { task: 'chat' })).settled.source.kind).toBe('local')
    expect((await ask(router, 'x', { task: 'math', mode: 'only-on-device' })).settled.source.kind).toBe(
      'local',
    )
    const split = setup({
      policy: { experiments: [{ id: 'cloud', share: 0.5, set: { mode: 'only-in-cloud' } }] },
    })
    const kinds = new Map<string, string>()
    for (let user = 0; user < 40; user++) {
      const { settled } = await ask(split.router, 'x', { user: String(user) })
      kinds.set(String(user), settled.source.kind)
    }
    const remote = [...kinds.values()].filter((kind) => kind === 'remote').length
    expect(remote).toBeGreaterThan(8)
    expect(remote).toBeLessThan(32)
    expect((await ask(split.router, 'x', { user: '7' })).settled.source.kind).toBe(kinds.get('7'))
    const arms = (await split.router.ledger.list()).filter((entry) => entry.arms.includes('cloud'))
    expect(arms.every(({ source }) => source?.kind === 'remote')).toBe(true)
  })
})

describe('when the remote fails', () => {
  const error = new EngineError('network', 'gone')
  test('before its first word: the draft goes on as if nothing had been', async () => {
    const remote = remoteEngine({ fail: { atWord: 0, error } })
    const { router } = setup({ says: { during: 0.1, after: 0.1 }, policy: { holdBackTokens: 4 }, remote })
    const { text, dropped, settled } = await ask(router)
    expect(text).toBe(LOCAL_ANSWER)
    expect(dropped).toEqual([])
    expect(settled.source.kind).toBe('unverified')
    expect(remote.calls).toHaveLength(1)
  })

  test.each([
    { says: { during: 0.1 }, shownBefore: [] },
    { says: { after: 0.1 }, shownBefore: [LOCAL_ANSWER] },
  ])('after its first word, $says: the local answer comes back whole', async ({ says, shownBefore }) => {
    const remote = remoteEngine({ fail: { atWord: 2, error } })
    const { text, dropped, events, settled, chunks } = await ask(
      setup({ says, policy: { holdBackTokens: 4 }, remote }).router,
    )
    expect(text).toBe(LOCAL_ANSWER)
    expect(dropped).toEqual([...shownBefore, 'remote alpha'])
    expect(events.some(({ type }) => type === 'restoring')).toBe(true)
    expect(settled.source).toEqual({ kind: 'unverified', model: 'small', verifiedBy: null })
    expect(settled.decision.reason).toBe('remote-failed')
    expect(chunks.filter(({ choices }) => choices[0]?.finish_reason === 'stop')).toHaveLength(1)
  })

  test('an empty answer is a failure', async () => {
    const { settled } = await ask(setup({ says: { after: 0.1 }, remote: remoteEngine({ reply: '' }) }).router)
    expect(settled.source.kind).toBe('unverified')
  })

  test('a verification that fails leaves the answer unverified and asks no more', async () => {
    const remote = remoteEngine({ fail: { atWord: 0, error } })
    const { settled } = await ask(
      setup({ says: { after: 0.5 }, policy: { accept: 0.9, verifyFrom: 0.3 }, remote }).router,
    )
    expect(settled.source.kind).toBe('unverified')
    expect(remote.calls).toHaveLength(1)
  })
})

test('completions that are not streamed hold the answer that stands', async () => {
  const { router } = setup({ says: { after: 0.2 }, policy: { holdBackTokens: 4 } })
  const completion = await router.chat.completions.create({ messages: [{ role: 'user', content: 'x' }] })
  expect(completion.choices[0]?.message).toEqual({ role: 'assistant', content: REMOTE_ANSWER })
  expect(completion.model).toBe('large')
  expect(completion.minnow?.route?.source.kind).toBe('remote')
  expect(completion.usage.completion_tokens).toBe(4)
})

test('the first chunk of text names the role, and no chunk has readings that were not asked for', async () => {
  for (const says of [{ after: 0.9 }, { before: 0.1 }]) {
    const { chunks } = await ask(setup({ says }).router)
    const first = chunks.find(({ choices }) => choices.length > 0)
    expect(first?.choices[0]?.delta.role).toBe('assistant')
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1)
    expect(
      chunks.some(({ minnow }) => minnow?.signals !== undefined || minnow?.promptSignals !== undefined),
    ).toBe(false)
  }
})

test('abort and leaving the loop stop both engines and are written down', async () => {
  const abort = new AbortController()
  const { router } = setup({ local: localEngine({ wordMs: 5 }) })
  const stream = await router.chat.completions.create(
    { messages: [{ role: 'user', content: 'x' }], stream: true },
    { signal: abort.signal },
  )
  setTimeout(() => abort.abort(new Error('enough')), 20)
  await expect(async () => {
    for await (const _ of stream);
  }).rejects.toThrow('enough')
  const other = await router.chat.completions.create({
    messages: [{ role: 'user', content: 'y' }],
    stream: true,
  })
  for await (const { choices } of other) if (choices[0]?.delta.content) break
  const entries = await router.ledger.list()
  expect(entries.map(({ outcome }) => outcome)).toEqual(['aborted', 'aborted'])
  await router.dispose()
  await expect(ask(router)).rejects.toMatchObject({ code: 'disposed' })
})

test('a calibration of another model is refused', () => {
  expect(() => setup({ local: localEngine({ info: { modelHash: 'cd'.repeat(32) } }), says: {} })).toThrow(
    expect.objectContaining({ code: 'unsupported' }),
  )
})
