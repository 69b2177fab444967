import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadReference } from '../../src/backend/reference/load'
import type { WebGpuVariantName } from '../../src/backend/webgpu'
import { parseGguf } from '../../src/gguf/parse'
import type { GgmlType } from '../../src/gguf/types'
import { readModel } from '../../src/model/read-model'
import { memorySource } from '../../src/store/memory-source'
import { runScript, type SessionStep } from '../browser/backend-page/session-script'
import { AgreementCounter, logSoftmax } from '../conformance/agreement'
import { type TinyArchitecture, tinyModel } from '../fixtures/tiny-models'
import { findFirefox, type FirefoxPage, openFirefox } from './firefox'

// Half floats, which Chromium's software adapter lacks: Firefox on Mesa's software driver has them, and compiles with
// naga. Debian: apt-get install firefox-esr mesa-vulkan-drivers. Run by `npm test -- webgpu-f16`.

const program = findFirefox()

const CASES: readonly (readonly [WebGpuVariantName, TinyArchitecture, GgmlType])[] = [
  ['serial-f16', 'llama', 'Q4_1'],
  ['serial-f16', 'qwen2', 'Q4_0'],
  ['serial-f16', 'gemma3', 'Q8_0'],
  ['serial-f16', 'qwen3', 'Q6_K'],
  ['serial-f16', 'llama', 'Q2_K'],
  ['workgroup-f16', 'llama', 'Q5_1'],
  ['workgroup-f16', 'gemma3', 'Q4_K'],
  ['workgroup', 'qwen2', 'IQ4_NL'],
]

const tokens = Array.from({ length: 60 }, (_, i) => (i * i * 7 + i * 31 + 5) % 301)
const steps: SessionStep[] = [
  { forward: tokens.slice(0, 37), outputs: 37 },
  { forward: tokens.slice(37, 38) },
  { forward: tokens.slice(38, 39) },
  { forward: tokens.slice(39), outputs: 21 },
]

describe.skipIf(program === null)('WebGPU with half floats (needs Firefox: see tests/firefox)', () => {
  let page: FirefoxPage
  beforeAll(async () => {
    page = await openFirefox(program!)
  })
  afterAll(() => page?.close())

  it.each(CASES)('%s: a tiny %s in %s agrees with the reference', async (variant, architecture, type) => {
    const bytes = memorySource(tinyModel({ architecture, type }))
    const reference = await loadReference({ model: await readModel(await parseGguf(bytes), bytes), bytes })
    const wanted = await runScript(reference, 64, steps)
    const answer = await page.run({
      model: { tiny: { architecture, type } },
      backend: { kind: 'webgpu', variant },
      contextLength: 64,
      steps,
    })
    if ('error' in answer) throw new Error(answer.error)
    const [base, got] = [wanted, answer.results].map((results) =>
      results
        .flatMap(({ outputs }) => outputs)
        .map(({ values, logSumExp }) => logSoftmax(Float32Array.from(values!), logSumExp)),
    ) as [Float32Array[], Float32Array[]]
    expect(got).toHaveLength(60)
    const counter = new AgreementCounter()
    base.forEach((logprobs, i) => counter.add({ ids: null, logprobs }, got[i]!))
    const { top1ApartFromNearTies, meanKl } = counter.result()
    console.info(variant, architecture, type, meanKl)
    expect(top1ApartFromNearTies).toBe(1)
    // Products of halves, sums of four of them in floats: 2^−11 each.
    expect(meanKl).toBeLessThanOrEqual(1e-4)
  })
})
