import { expect, test } from 'vitest'
import { parsePolicy, type PolicyInput } from '../../../src/router/policy/schema'
import { settingsFor, unitHash, type RequestFacts } from '../../../src/router/policy/settings'

const facts: RequestFacts = {
  task: 'chat',
  language: 'en',
  complexity: 'low',
  modality: 'text',
  promptTokens: 100,
  user: 'u',
  at: new Date(2025, 0, 1, 23, 30),
}
type When = NonNullable<PolicyInput['rules']>[number]['when']

test('defaults, from nothing and from JSON', () => {
  expect(parsePolicy()).toEqual(parsePolicy('{}'))
  expect(parsePolicy()).toMatchObject({
    mode: 'prefer-on-device',
    accept: { kind: 'risk', most: 0.1 },
    personalData: { action: 'redact', level: 'standard' },
    cache: null,
  })
})

test.each([
  ['{', 'JSON'],
  ['{"mode":"cloud"}', 'mode'],
  ['{"budjet":{}}', 'budjet'],
  ['{"personalData":{"action":"redact"}}', 'personalData'],
  [
    '{"rules":[{"id":"a","when":{"hours":{"from":"25:00","to":"01:00"}},"set":{}}]}',
    'rules.0.when.hours.from',
  ],
  ['{"accept":2}', 'accept'],
])('%s is refused', (json, words) => {
  expect(() => parsePolicy(json)).toThrow(
    expect.objectContaining({ code: 'invalid-argument', message: expect.stringContaining(words) as string }),
  )
})

test.each<[When, boolean]>([
  [{}, true],
  [{ tasks: ['chat', 'math'] }, true],
  [{ tasks: ['math'] }, false],
  [{ languages: ['de'] }, false],
  [{ complexity: ['low'] }, true],
  [{ modalities: ['image'] }, false],
  [{ contextAtLeast: 101 }, false],
  [{ contextAtLeast: 100, contextAtMost: 100 }, true],
  [{ requiredAccuracyAtLeast: 0.9 }, true],
  [{ requiredAccuracyAtLeast: 0.96 }, false],
  [{ maxCostUsdAtMost: 1 }, false],
  [{ maxLatencyMsAtMost: 500 }, true],
  [{ hours: { from: '22:00', to: '06:00' } }, true],
  [{ hours: { from: '06:00', to: '22:00' } }, false],
  [{ tasks: ['chat'], languages: ['de'] }, false],
])('a rule for %j', (when, matches) => {
  const policy = parsePolicy({ rules: [{ id: 'r', when, set: { mode: 'only-in-cloud' } }] })
  const { mode, modeFrom } = settingsFor(policy, facts, { requiredAccuracy: 0.95, maxLatencyMs: 500 })
  expect(mode).toBe(matches ? 'only-in-cloud' : 'prefer-on-device')
  expect(modeFrom).toEqual(matches ? { reason: 'rule', rule: 'r' } : { reason: 'mode', rule: null })
})

test('the first rule that states a setting decides it; ceilings only shrink; null counts as stated', () => {
  const policy = parsePolicy({
    verifyFrom: 0.5,
    maxCostUsd: 2,
    budget: { requestUsd: 1 },
    rules: [
      { id: 'a', when: {}, set: { verifyFrom: null, maxCostUsd: 5 } },
      { id: 'b', when: {}, set: { verifyFrom: 0.1, human: 'always', maxCostUsd: 0.1 } },
    ],
    experiments: [{ id: 'e', share: 1, set: { human: 'never', maxLatencyMs: 9 } }],
  })
  expect(settingsFor(policy, facts, { maxCostUsd: 3 })).toMatchObject({
    verifyFrom: null,
    human: 'always',
    maxCostUsd: 1,
    maxLatencyMs: 9,
    arms: ['e'],
  })
})

test('what the policy keeps on the device no request takes off it', () => {
  const keeps: PolicyInput[] = [
    { mode: 'only-on-device' },
    { mode: 'prefer-in-cloud', rules: [{ id: 'r', when: {}, set: { mode: 'only-on-device' } }] },
    { mode: 'prefer-in-cloud', experiments: [{ id: 'e', share: 1, set: { mode: 'only-on-device' } }] },
  ]
  const settings = keeps.map((policy) => settingsFor(parsePolicy(policy), facts, { mode: 'only-in-cloud' }))
  expect(settings.map(({ mode, modeFrom }) => [mode, modeFrom.reason])).toEqual([
    ['only-on-device', 'mode'],
    ['only-on-device', 'rule'],
    ['only-on-device', 'experiment'],
  ])
  // Nor does a rule take off it what the policy as a whole keeps there.
  const ruled = parsePolicy({
    mode: 'only-on-device',
    rules: [{ id: 'r', when: {}, set: { mode: 'prefer-in-cloud' } }],
    experiments: [{ id: 'e', share: 1, set: { mode: 'only-in-cloud' } }],
  })
  expect(settingsFor(ruled, facts)).toMatchObject({
    mode: 'only-on-device',
    modeFrom: { reason: 'mode', rule: null },
  })
})

test('splits are even', () => {
  const values = Array.from({ length: 2000 }, (_, index) => unitHash(`arm${index}`))
  expect(values.every((value) => value >= 0 && value < 1)).toBe(true)
  const below = values.filter((value) => value < 0.3).length / values.length
  expect(below).toBeGreaterThan(0.26)
  expect(below).toBeLessThan(0.34)
})
