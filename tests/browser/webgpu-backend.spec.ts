import { expect } from '@playwright/test'
import { loadReference } from '../../src/backend/reference/load'
import type { Draw } from '../../src/backend/backend'
import type { WebGpuVariantName } from '../../src/backend/webgpu'
import { parseGguf } from '../../src/gguf/parse'
import type { GgmlType } from '../../src/gguf/types'
import { readModel } from '../../src/model/read-model'
import { memorySource } from '../../src/store/memory-source'
import { findChromium } from '../../scripts/find-chromium'
import { tinyModel, type TinyArchitecture, type TinyModelOptions } from '../fixtures/tiny-models'
import { AgreementCounter, logSoftmax, type Agreement } from '../conformance/agreement'
import type { GpuWork } from './backend-page/backend-worker'
import { openBackend, readRecording, runSteps, smolLm2, test } from './backend-page-fixture'
import { runScript, type Output, type SessionStep, type StepResult } from './backend-page/session-script'

// Chromium's software adapter (SwiftShader) proves results, not speed.

const { executablePath, args } = findChromium()
test.use({ launchOptions: { executablePath, args: [...args, '--enable-unsafe-webgpu'] } })
test.setTimeout(240_000)

/** Every type and every family. */
const TINY_MODELS: readonly (readonly [TinyArchitecture, GgmlType])[] = [
  ['llama', 'F32'],
  ['qwen2', 'F16'],
  ['qwen3', 'BF16'],
  ['llama', 'Q4_0'],
  ['gemma3', 'Q4_1'],
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

type TinyModel = (typeof TINY_MODELS)[number]

/**
 * What runs on the adapter. Compiling takes seconds for kernels with barriers, whose every type is tested alone
 * (webgpu-kernels/): these get one model.
 */
const VARIANTS: Partial<Record<WebGpuVariantName, readonly TinyModel[]>> = {
  serial: TINY_MODELS,
  workgroup: [['qwen3', 'Q6_K']],
  subgroup: [['qwen2', 'Q4_K']],
  'serial-i8': [
    ['llama', 'Q4_0'],
    ['gemma3', 'Q8_0'],
  ],
}
const names = Object.keys(VARIANTS) as WebGpuVariantName[]

/** What a GPU lacks that is given a variant by choice; the others are asked for by name. */
const CHOSEN_WITHOUT: Partial<Record<WebGpuVariantName, readonly GPUFeatureName[]>> = {
  workgroup: ['shader-f16', 'subgroups'],
  subgroup: ['shader-f16'],
}

/** Longer than Gemma's window. */
const TOKENS = Array.from({ length: 60 }, (_, i) => (i * i * 7 + i * 31 + 5) % 301)

/** A batch, single tokens, and a batch behind them. */
const CALLS: SessionStep[] = [
  [0, 37],
  [37, 38],
  [38, 39],
  [39, 60],
].map(([from, to]) => ({ forward: TOKENS.slice(from, to), outputs: to! - from! }))

async function onReference(
  options: TinyModelOptions,
  contextLength: number,
  steps: readonly SessionStep[],
): Promise<StepResult[]> {
  const bytes = memorySource(tinyModel(options))
  const reference = await loadReference({ model: await readModel(await parseGguf(bytes), bytes), bytes })
  const results = await runScript(reference, contextLength, steps)
  reference.dispose()
  return results
}

/** The largest difference of any logit. Logits of these models spread by 3, up to about 20. */
function largestDifference(wanted: readonly StepResult[], got: readonly StepResult[]): number {
  const others = outputsOf(got)
  expect(others).toHaveLength(outputsOf(wanted).length)
  let largest = 0
  outputsOf(wanted).forEach(({ values }, row) =>
    values!.forEach((value, i) => {
      const difference = Math.abs(value - others[row]!.values![i]!)
      // What is not a number shall not pass.
      if (!(difference <= largest)) largest = difference
    }),
  )
  return largest
}

function outputsOf(results: readonly StepResult[]): Output[] {
  return results.flatMap(({ outputs }) => outputs)
}

/** Quantised types whose scales are products, rounded to half floats here: 2^−11 of every weight. */
function roundsScales(type: GgmlType): boolean {
  return type.endsWith('_K')
}

for (const variant of names) {
  const roundsActivations = variant.endsWith('-i8')
  for (const [architecture, type] of VARIANTS[variant]!) {
    test(`${variant}: a tiny ${architecture} in ${type} agrees with the reference`, async ({
      isolatedPage,
    }) => {
      const tiny = { architecture, type }
      const wanted = await onReference(tiny, 64, CALLS)
      const without = CHOSEN_WITHOUT[variant]
      const choice = without ? ({ variant: null, without } as const) : { variant }
      const facts = await openBackend(isolatedPage, { tiny }, { kind: 'webgpu', ...choice })
      expect(facts.variant).toMatch(new RegExp(`^${variant} on ${without ? 'masked' : ''}`))
      const got = await runSteps(isolatedPage, 64, CALLS)
      const agreement = agreementOf(wanted, got)
      console.info(variant, architecture, type, largestDifference(wanted, got), agreement.meanKl)
      if (roundsActivations) {
        // As the WebAssembly kernels do, and with their bounds (wasm-tiny.test.ts).
        expect(agreement.top1ApartFromNearTies).toBeGreaterThanOrEqual(0.95)
        expect(agreement.meanKl).toBeLessThanOrEqual(0.004)
        return
      }
      expect(agreement.top1ApartFromNearTies).toBe(1)
      expect(agreement.meanKl).toBeLessThanOrEqual(roundsScales(type) ? 1e-4 : 1e-5)
      expect(largestDifference(wanted, got)).toBeLessThanOrEqual(roundsScales(type) ? 0.2 : 0.05)
    })
  }
}

const sessionModels = { serial: 'gemma3', workgroup: 'llama' } as const

for (const variant of ['serial', 'workgroup'] as const) {
  test(`${variant}: a session follows the reference however it is driven`, async ({ isolatedPage }) => {
    const tiny = { architecture: sessionModels[variant], type: 'Q8_0' } as const
    const long = Array.from({ length: 250 }, (_, i) => (i * i * 7 + i * 31 + 5) % 301)
    const steps: SessionStep[] = [
      { forward: long, detail: 'summary' },
      // Two calls under way while the KV cache grows beyond its first 256 positions.
      { follow: 12, detail: 'summary' },
      { truncate: 255 },
      { forward: [7], detail: 'top' },
      { follow: 2, detail: 'top' },
      { shift: [4, 100] },
      { forward: [9, 8, 7], outputs: 2 },
      { truncate: 20 },
      { forward: long.slice(20, 60), outputs: 40 },
      { forward: long.slice(0, 200), outputs: 0 },
      { forward: long.slice(0, 101) },
      { forward: [3], detail: 'summary' },
    ]
    const wanted = await onReference(tiny, 300, steps)
    await openBackend(isolatedPage, { tiny }, { kind: 'webgpu', variant })
    const got = await runSteps(isolatedPage, 300, steps)
    expect(got.map(({ length, error }) => [length, error])).toEqual(
      wanted.map(({ length, error }) => [length, error]),
    )
    expect(got.at(-2)!.error).toBe('context-overflow')
    for (const [i, step] of got.entries()) {
      expect(step.outputs).toHaveLength(wanted[i]!.outputs.length)
      for (const [row, output] of step.outputs.entries()) {
        expectSimilar(output, wanted[i]!.outputs[row]!, `step ${i}, output ${row}`)
      }
    }
    const [top, alone] = [got[3]!.outputs[0]!, got[11]!.outputs[0]!]
    expect(top.top!.ids).toHaveLength(256)
    expect(top.values).toBeNull()
    expect(alone.top).toBeNull()
  })
}

test('a session goes on with the tokens that it draws', async ({ isolatedPage }) => {
  await openBackend(
    isolatedPage,
    { tiny: { architecture: 'qwen3', type: 'Q4_1' } },
    { kind: 'webgpu', variant: 'serial' },
  )
  for (const draw of [
    { temperature: 1.2, topK: 40, topP: 0.95, minP: 0.01, quantile: 0.8 },
    { temperature: 1.2, topK: 0, topP: 0.6, minP: 0, quantile: 0.7 },
    { temperature: 0.8, topK: 0, topP: 1, minP: 0, quantile: 0.6 },
  ]) {
    const { temperature } = draw
    const begin: SessionStep = { forward: TOKENS.slice(0, 9), detail: 'top', temperature }
    const follow: SessionStep = { follow: 12, detail: 'top', temperature, draw }
    const drawn = outputsOf(await runSteps(isolatedPage, 64, [begin, follow]))
    const tokens = drawn.slice(1).map(({ token }) => token!)
    // A sampler whose next random number is the quantile.
    tokens.forEach((token, i) => expect(token, `step ${i}`).toBe(drawOf(drawn[i]!, draw)))
    expect(tokens.some((token, i) => token !== drawn[i]!.argmax)).toBe(true)
    const forced = tokens.map((token): SessionStep => ({ forward: [token], detail: 'top', temperature }))
    const alike = outputsOf(await runSteps(isolatedPage, 64, [begin, ...forced]))
    expect(drawn.map((output) => ({ ...output, token: null }))).toEqual(alike)
  }
})

// One variant: every part is another kernel to compile.
test('matrices cut for small bindings give the same logits', async ({ isolatedPage }) => {
  const tiny = { architecture: 'qwen2', type: 'Q4_0' } as const
  const results: StepResult[][] = []
  // 20,000 bytes hold 19 groups of 8 rows of 256 columns: most matrices are cut, those with rows joined as well.
  for (const maxMatrixBytes of [undefined, 20_000]) {
    await openBackend(isolatedPage, { tiny }, { kind: 'webgpu', variant: 'serial', maxMatrixBytes })
    results.push(await runSteps(isolatedPage, 64, CALLS))
  }
  expect(results[1]).toEqual(results[0])
})

test('a token makes no GPU object and reads back no more than 4 KiB', async ({ isolatedPage }) => {
  await openBackend(
    isolatedPage,
    { tiny: { architecture: 'llama', type: 'Q4_1' } },
    { kind: 'webgpu', variant: 'serial' },
  )
  const work: GpuWork[] = []
  for (const detail of ['summary', 'top'] as const) {
    // The first script makes what later ones use again.
    for (const follow of [4, 4, 12]) {
      await runSteps(isolatedPage, 64, [
        { forward: TOKENS.slice(0, 9), detail },
        { follow, detail },
      ])
      work.push(await isolatedPage.evaluate(() => backendPage.gpuWork()))
    }
    const [first, second, third] = work.slice(-3) as [GpuWork, GpuWork, GpuWork]
    // Eight tokens more.
    expect(third.objects - second.objects).toBe(second.objects - first.objects)
    const bytes = (third.bytesRead - second.bytesRead - (second.bytesRead - first.bytesRead)) / 8
    expect(bytes).toBeGreaterThan(0)
    expect(bytes).toBeLessThanOrEqual(4096)
  }
})

// In the variant for such adapters alone: barriers take ten times as long there.
test('SmolLM2 chooses the tokens of the recorded reference', async ({ isolatedPage }) => {
  // The slow adapter: the shortest prompt, whose steps go one by one and, behind them, in a batch.
  const { cases } = await readRecording('reference')
  const { tokens, firstStep, steps } = cases.toSorted((a, b) => a.firstStep - b.firstStep)[0]!
  const count = 16
  const together = 6
  const forced = tokens.slice(firstStep + 1, firstStep + 1 + count)
  await openBackend(isolatedPage, smolLm2, { kind: 'webgpu', variant: 'serial' })
  const results = await runSteps(isolatedPage, 256, [
    { forward: tokens.slice(0, firstStep + 1) },
    ...forced.slice(0, -1).map((token) => ({ forward: [token] })),
    { truncate: firstStep + 1 },
    { forward: forced.slice(0, together), outputs: together },
  ])
  const counter = new AgreementCounter()
  const outputs = outputsOf(results)
  for (const [i, output] of outputs.entries()) {
    const step = steps[i < count ? i : i - count + 1]!
    counter.add(step, logSoftmax(Float32Array.from(output.values!), output.logSumExp))
  }
  const agreement = counter.result()
  console.info('SmolLM2', agreement)
  expect(outputs).toHaveLength(count + together)
  expect(agreement.top1ApartFromNearTies).toBe(1)
  expect(agreement.meanKl).toBeLessThanOrEqual(1e-4)

  // Beside weights and KV cache, of which 256 positions are held now, at most a tenth of both at 2,048 positions.
  const { memoryBytes, weightsBytes } = await isolatedPage.evaluate(() => backendPage.gpuWork())
  const positionBytes = 30 * 2 * 3 * 64 * 2
  // The session is over and so its cache is gone; a table of rotations grows with the context.
  const others = memoryBytes - weightsBytes + 2048 * 64 * 4
  console.info('SmolLM2: MB beside weights and KV cache', others / 2 ** 20)
  expect(others).toBeLessThanOrEqual(0.1 * (weightsBytes + 2048 * positionBytes))
})

/** Everything an output tells, against the reference's; both have the same detail or the reference has more. */
function expectSimilar(got: Output, wanted: Output, what: string): void {
  expect(Math.abs(got.maximum - wanted.maximum), what).toBeLessThanOrEqual(0.05)
  expect(Math.abs(got.logSumExp - wanted.logSumExp), what).toBeLessThanOrEqual(0.05)
  expect(Math.abs(got.margin - wanted.margin), what).toBeLessThanOrEqual(0.05)
  expect(Math.abs(got.entropy - wanted.entropy), what).toBeLessThanOrEqual(0.02)
  if (wanted.margin > 0.05) expect(got.argmax, what).toBe(wanted.argmax)
  if (got.values !== null) {
    expect(got.values.indexOf(Math.max(...got.values)), what).toBe(got.argmax)
    expect(cosine(got.hidden!, wanted.hidden!), what).toBeGreaterThan(0.9999)
  }
}

function drawOf(
  { top, maximum, logSumExp, tempered }: Output,
  { temperature, topK, topP, minP, quantile }: Draw,
): number {
  const { ids, logits } = top!
  const weights = (t: number): number[] =>
    logits.slice(0, topK || logits.length).map((logit) => Math.exp((logit - logits[0]!) / t))
  const sumOf = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0)
  const reach = (all: readonly number[], target: number): number => {
    let sum = 0
    return all.findIndex((weight) => (sum += weight) >= target)
  }
  // Without top-k shares are those of all tokens.
  const mass = topK === 0 ? Math.exp(logSumExp - maximum) : sumOf(weights(1))
  const kept = topP === 1 ? logits.length : reach(weights(1), topP * mass) + 1
  const likely = logits.slice(0, kept).filter((logit) => logit >= logits[0]! + Math.log(minP)).length
  const drawn = weights(temperature).slice(0, likely)
  const isOfAll = topK === 0 && topP === 1
  return ids[reach(drawn, quantile * (isOfAll ? tempered! : sumOf(drawn)))]!
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]): number =>
    x.reduce((sum, value, i) => sum + value * y[i]!, 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}

function agreementOf(wanted: readonly StepResult[], got: readonly StepResult[]): Agreement {
  const counter = new AgreementCounter()
  const rows = [wanted, got].map((results) =>
    outputsOf(results).map(({ values, logSumExp }) => logSoftmax(Float32Array.from(values!), logSumExp)),
  ) as [Float32Array[], Float32Array[]]
  rows[0].forEach((logprobs, i) => counter.add({ ids: null, logprobs }, rows[1][i]!))
  return counter.result()
}
