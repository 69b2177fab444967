import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadReference } from '../../src/backend/reference/load'
import type { Backend, LoadBackend } from '../../src/backend/backend'
import { ggmlTypes } from '../../src/gguf/block-layout'
import { parseGguf } from '../../src/gguf/parse'
import type { GgmlType } from '../../src/gguf/types'
import { readModel } from '../../src/model/read-model'
import { memorySource } from '../../src/store/memory-source'
import {
  tinyArchitectures,
  tinyModel,
  tinySlidingWindow,
  tinyVocabularySize,
  type TinyModelOptions,
} from '../fixtures/tiny-models'
import { AgreementCounter, logSoftmax } from './agreement'
import { describeSessions, expectAgreement, logprobsOf, type AgreementBound } from './backend-cases'
import { loadNative } from './native'

export interface TinyModelExpectations {
  /** Against native llama.cpp, for models whose weights are F32, F16 or BF16. */
  readonly floats: AgreementBound
  /** Against native llama.cpp, for every other type: it rounds activations to 8 bits. */
  readonly quantised: AgreementBound
  /** Against the reference, for every type. */
  readonly againstReference: AgreementBound
}

const floatTypes: readonly GgmlType[] = ['F32', 'F16', 'BF16']

/** What a family's files may say beyond the usual. */
const variants: readonly (readonly [string, TinyModelOptions])[] = [
  ['llama with rope_freqs factors', { architecture: 'llama', ropeFactors: true }],
  [
    'llama with linear RoPE scaling',
    { architecture: 'llama', metadata: { 'llama.rope.scaling.factor': ['float32', 4] } },
  ],
  ['llama with tied head', { architecture: 'llama', tied: true }],
  [
    'qwen2 with YaRN',
    {
      architecture: 'qwen2',
      metadata: {
        'qwen2.rope.scaling.type': ['string', 'yarn'],
        'qwen2.rope.scaling.factor': ['float32', 4],
        'qwen2.rope.scaling.original_context_length': ['uint32', 128],
      },
    },
  ],
  ['qwen3 with tied head', { architecture: 'qwen3', tied: true }],
  ['gemma3 with tied head', { architecture: 'gemma3', tied: true }],
  [
    'gemma3 with linear RoPE scaling of global layers',
    {
      architecture: 'gemma3',
      metadata: {
        'gemma3.rope.scaling.type': ['string', 'linear'],
        'gemma3.rope.scaling.factor': ['float32', 8],
      },
    },
  ],
  [
    'gemma3 with capped logits',
    { architecture: 'gemma3', metadata: { 'gemma3.final_logit_softcapping': ['float32', 2] } },
  ],
  [
    'gemma3 with every other layer global',
    {
      architecture: 'gemma3',
      layers: 4,
      metadata: { 'gemma3.attention.sliding_window_pattern': ['uint32', 2] },
    },
  ],
  [
    'gemma3 without a window',
    { architecture: 'gemma3', metadata: { 'gemma3.attention.sliding_window': ['uint32', 0] } },
  ],
]

/** Longer than Gemma's window, so that keys fall out of it. */
const tokenCount = 3 * tinySlidingWindow
const tokens = Array.from({ length: tokenCount }, (_, i) => (i * i * 7 + i * 31 + 5) % tinyVocabularySize)

/** Random models of every family and quantisation: no meaning, but every formula takes part. */
export function describeTinyModels(
  name: string,
  load: LoadBackend,
  expectations: TinyModelExpectations,
): void {
  describe(`${name} backend, tiny random models`, () => {
    let folder: string
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'minnow-tiny-'))
    })
    afterAll(() => rm(folder, { recursive: true, force: true }))

    const compare = async (what: string, options: TinyModelOptions): Promise<void> => {
      const file = tinyModel(options)
      const path = join(folder, `${what.replaceAll(' ', '-')}.gguf`)
      await writeFile(path, file)
      const native = await loadNative(path, { contextLength: 256 })
      const base = await native.logprobs(tokens)
      await native.dispose()

      const backend = await loadTiny(load, file)
      const rows = await logprobsOf(backend, tokens, tokens.length)
      backend.dispose()
      const counter = new AgreementCounter()
      base.forEach((logprobs, i) => counter.add({ ids: null, logprobs }, rows[i]!))
      const bound = floatTypes.includes(options.type ?? 'F32') ? expectations.floats : expectations.quantised
      expectAgreement(`${name} against llama.cpp, ${what}`, counter.result(), bound)

      if (load === loadReference) return
      const reference = await loadTiny(loadReference, file)
      const referenceRows = await logprobsOf(reference, tokens, tokens.length)
      reference.dispose()
      const referenceCounter = new AgreementCounter()
      referenceRows.forEach((logprobs, i) => referenceCounter.add({ ids: null, logprobs }, rows[i]!))
      expectAgreement(
        `${name} against the reference, ${what}`,
        referenceCounter.result(),
        expectations.againstReference,
      )
    }

    // A random tied head expects each token to follow itself, so surely that it would hide differences.
    for (const architecture of tinyArchitectures) {
      it.each(ggmlTypes)(`agrees with llama.cpp on ${architecture} in %s`, (type) =>
        compare(`${architecture} ${type}`, { architecture, type, tied: false }),
      )
    }
    it.each(variants)('agrees with llama.cpp on %s', compare)

    describe.each(tinyArchitectures)('sessions of %s', (architecture) => {
      let backend: Backend
      beforeAll(async () => {
        backend = await loadTiny(load, tinyModel({ architecture, type: 'Q8_0' }))
      })
      afterAll(() => backend?.dispose())
      describeSessions(() => backend)

      it('shifts as the reference does', async () => {
        const reference = await loadTiny(loadReference, tinyModel({ architecture, type: 'Q8_0' }))
        const counter = new AgreementCounter()
        const [base, rows] = [await shifted(reference), await shifted(backend)]
        base.forEach((logprobs, i) => counter.add({ ids: null, logprobs }, rows[i]!))
        reference.dispose()
        expectAgreement(
          `${name} against the reference, ${architecture} shifted`,
          counter.result(),
          expectations.againstReference,
        )
      })
    })

    // Keys and values of a first layer depend on nothing but their own token, so there a shift is exact.
    it.each(tinyArchitectures)(
      'shifts a model of one layer as if what is forgotten had never been (%s)',
      async (architecture) => {
        const backend = await loadTiny(load, tinyModel({ architecture, type: 'Q8_0', layers: 1 }))
        const fresh = await logprobsOf(backend, [...tokens.slice(0, 4), ...tokens.slice(20, 48)], 8)
        const session = backend.createSession({ contextLength: 64 })
        await session.forward(tokens.slice(0, 40))
        session.shift(4, 20)
        expect(session.length).toBe(24)
        const rows = await session.forward(tokens.slice(40, 48), { outputs: 8 })
        const counter = new AgreementCounter()
        rows.forEach((row, i) =>
          counter.add({ ids: null, logprobs: fresh[i]! }, logSoftmax(row.values(), row.logSumExp)),
        )
        backend.dispose()
        expectAgreement(`${name} against fresh, ${architecture} shifted`, counter.result(), {
          top1ApartFromNearTies: 1,
          meanKl: 1e-4,
        })
      },
    )
  })
}

async function loadTiny(load: LoadBackend, file: Uint8Array): Promise<Backend> {
  const bytes = memorySource(file)
  return load({ model: await readModel(await parseGguf(bytes), bytes), bytes })
}

/** Twice shifted and gone on: what follows each of the last tokens. */
async function shifted(backend: Backend): Promise<Float32Array[]> {
  const session = backend.createSession({ contextLength: 64 })
  await session.forward(tokens.slice(0, 40))
  session.shift(4, 16)
  await session.forward(tokens.slice(40, 50))
  session.shift(4, 9)
  const rows = await session.forward(tokens.slice(50, 66), { outputs: 16 })
  const logprobs = rows.map((row) => logSoftmax(row.values(), row.logSumExp))
  session.dispose()
  return logprobs
}
