import { expect } from '@playwright/test'
import type { Variant } from '../../src/backend/wasm'
import type { GgmlType } from '../../src/gguf/types'
import type { TinyArchitecture } from '../fixtures/tiny-models'
import { forcedCases, openBackend, openPage, readRecording, smolLm2, test } from './backend-page-fixture'

// The functions given to evaluate() run in the page: what they need comes as their argument.

const VARIANTS: readonly Variant[] = ['simd', 'relaxed16', 'relaxed32']

/** Of the 20 recorded prompts; 64 steps each. */
const PROMPTS = 8

test.setTimeout(240_000)

for (const variant of VARIANTS) {
  test(`${variant} agrees with the recordings of llama.cpp and of the reference`, async ({
    isolatedPage,
  }) => {
    const recordings = [await readRecording('native'), await readRecording('reference')].map((recording) =>
      forcedCases(recording, PROMPTS),
    )
    const facts = await openBackend(isolatedPage, smolLm2, { kind: 'wasm', variant, threads: 2 })
    expect(facts).toEqual({ variant, threads: 2 })
    const [native, reference] = await isolatedPage.evaluate(
      (cases) => backendPage.agreement(cases),
      recordings,
    )
    console.info(`${variant} against llama.cpp`, native, 'against the reference', reference)
    for (const agreement of [native!, reference!]) {
      expect(agreement.steps).toBe(PROMPTS * 64)
      expect(agreement.top1ApartFromNearTies).toBeGreaterThanOrEqual(0.97)
      expect(agreement.meanKl).toBeLessThanOrEqual(0.01)
    }
  })
}

test('bits are the same for any threads and calls, and for both relaxed builds', async ({ isolatedPage }) => {
  const tokens = [...(await readRecording('native')).cases[0]!.tokens]
  // More than one call takes and more than a chunk of the KV cache holds.
  expect(tokens.length).toBeGreaterThan(64)
  const digests: Record<string, Set<string>> = {}
  for (const variant of VARIANTS) {
    const seen = (digests[variant] = new Set<string>())
    for (const threads of [1, 2]) {
      const facts = await openBackend(isolatedPage, smolLm2, { kind: 'wasm', variant, threads })
      expect(facts.threads).toBe(threads)
      for (const sizes of [[64], [1], [5, 1, 7, 2, 16, 3]]) {
        seen.add(
          await isolatedPage.evaluate(([ids, calls]) => backendPage.digest(ids, calls), [
            tokens,
            sizes,
          ] as const),
        )
      }
    }
    expect([...seen], variant).toHaveLength(1)
  }
  expect(digests['relaxed16']).toEqual(digests['relaxed32'])
})

/** Every type that the embedded model has not, and every family. */
const TINY_MODELS: readonly (readonly [TinyArchitecture, GgmlType])[] = [
  ['llama', 'F32'],
  ['qwen2', 'F16'],
  ['qwen3', 'BF16'],
  ['llama', 'Q4_0'],
  ['qwen2', 'Q4_K'],
  ['gemma3', 'Q8_0'],
  ['qwen3', 'IQ4_NL'],
  ['llama', 'Q5_0'],
  ['qwen2', 'Q5_1'],
  ['qwen3', 'Q5_K'],
  ['llama', 'Q6_K'],
  ['qwen2', 'Q2_K'],
  ['qwen3', 'Q3_K'],
]

// 60 steps: bounds and why as in tests/conformance/wasm-tiny.test.ts.
for (const [architecture, type] of TINY_MODELS) {
  test(`a tiny ${architecture} in ${type} agrees with the reference in every build`, async ({
    isolatedPage,
  }) => {
    const tiny = { architecture, type }
    const tokens = Array.from({ length: 60 }, (_, i) => (i * i * 7 + i * 31 + 5) % 301)
    const isFloat = type === 'F32' || type === 'F16' || type === 'BF16'
    const digests = new Map<string, string>()
    for (const variant of VARIANTS) {
      for (const threads of [1, 2]) {
        await openBackend(isolatedPage, { tiny }, { kind: 'wasm', variant, threads })
        const agreement = await isolatedPage.evaluate(
          ([options, ids]) => backendPage.againstReference(options, ids),
          [tiny, tokens] as const,
        )
        expect(agreement.top1ApartFromNearTies, variant).toBeGreaterThanOrEqual(isFloat ? 0.98 : 0.95)
        expect(agreement.meanKl, variant).toBeLessThanOrEqual(isFloat ? 2e-5 : 0.004)
        for (const sizes of [[64], [1], [3, 4, 9]]) {
          const digest = await isolatedPage.evaluate(([ids, calls]) => backendPage.digest(ids, calls), [
            tokens,
            sizes,
          ] as const)
          if (!digests.has(variant)) digests.set(variant, digest)
          expect(digest, `${variant}, ${threads} threads, calls of ${sizes.join(', ')}`).toBe(
            digests.get(variant),
          )
        }
      }
    }
    expect(digests.get('relaxed16')).toBe(digests.get('relaxed32'))
  })
}

test('a page that is not isolated gets one thread, and the same bits', async ({ page, origins }) => {
  const tiny = { tiny: { architecture: 'llama' as const, type: 'Q4_1' as const } }
  const tokens = Array.from({ length: 40 }, (_, i) => (i * 37) % 301)
  const digests: string[] = []
  for (const [origin, threads] of [
    [origins.isolated, 2],
    [origins.plain, 1],
  ] as const) {
    await openPage(page, origin)
    const facts = await openBackend(page, tiny, { kind: 'wasm', variant: 'relaxed32', threads: 2 })
    expect(facts.threads).toBe(threads)
    digests.push(await page.evaluate((ids) => backendPage.digest(ids, [64]), tokens))
  }
  expect(digests[0]).toBe(digests[1])
})

test('the backend chooses a relaxed build in Chromium', async ({ isolatedPage }) => {
  const tiny = { architecture: 'llama', type: 'Q4_0' } as const
  const facts = await openBackend(isolatedPage, { tiny }, { kind: 'wasm', variant: null, threads: 2 })
  expect(['relaxed16', 'relaxed32']).toContain(facts.variant)
  expect(facts.threads).toBe(2)
})
