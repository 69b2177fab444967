import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadReference } from '../../src/backend/reference/load'
import type { Backend, LoadBackend, LoadOptions, Logits } from '../../src/backend/backend'
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
import { AgreementCounter, logSoftmax, type Agreement } from './agreement'
import { describeBatches } from './batch-cases'
import { logprobsOf, shortfalls, type AgreementBound } from './forced-decoding-cases'
import { loadNative } from './native'
import { describeLifetime, describeSessions } from './session-cases'

export interface TinyModelExpectations {
  /** Against native llama.cpp, for models whose weights are F32, F16 or BF16. */
  readonly floats: AgreementBound
  /** Against native llama.cpp, for every other type: it rounds activations to 8 bits. */
  readonly quantised: AgreementBound
  /** Against the reference: as `floats` and as `quantised`. */
  readonly floatsAgainstReference: AgreementBound
  readonly quantisedAgainstReference: AgreementBound
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
  ['qwen3 with its own head', { architecture: 'qwen3', tied: false }],
  ['gemma3 with its own head', { architecture: 'gemma3', tied: false }],
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
    { architecture: 'gemma3', metadata: { 'gemma3.final_logit_softcapping': ['float32', 10] } },
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
const tokenCount = 2.5 * tinySlidingWindow
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

    /** What misses the bounds. */
    const compare = async (what: string, options: TinyModelOptions): Promise<string[]> => {
      const file = tinyModel(options)
      const path = join(folder, `${what.replaceAll(' ', '-')}.gguf`)
      await writeFile(path, file)
      const native = await loadNative(path, { contextLength: 256 })
      const base = await native.logprobs(tokens)
      await native.dispose()
      const rows = await logprobsOfTiny(load, file)
      const areFloats = floatTypes.includes(options.type ?? 'F32')
      const missed = shortfalls(
        `${name} against llama.cpp, ${what}`,
        agreementOf(base, rows),
        areFloats ? expectations.floats : expectations.quantised,
      )
      if (load === loadReference) return missed
      const referenceRows = await logprobsOfTiny(loadReference, file)
      return [
        ...missed,
        ...shortfalls(
          `${name} against the reference, ${what}`,
          agreementOf(referenceRows, rows),
          areFloats ? expectations.floatsAgainstReference : expectations.quantisedAgainstReference,
        ),
      ]
    }

    describe.each(tinyArchitectures)('%s', (architecture) => {
      it.each(ggmlTypes)('agrees with llama.cpp in %s', async (type) => {
        expect(await compare(`${architecture} ${type}`, { architecture, type })).toEqual([])
      })
    })

    it.each(variants)('agrees with llama.cpp on %s', async (what, options) => {
      expect(await compare(what, options)).toEqual([])
    })

    describe.each(tinyArchitectures)('sessions of %s', (architecture) => {
      let backend: Backend
      beforeAll(async () => {
        backend = await loadTiny(load, tinyModel({ architecture, type: 'Q8_0' }))
      })
      afterAll(() => backend?.dispose())
      describeSessions(() => backend)
      describeBatches(() => backend)
      describeLifetime((more) => loadTiny(load, tinyModel({ architecture }), more))

      it('has the hidden states of the reference', async () => {
        const reference = await loadTiny(loadReference, tinyModel({ architecture, type: 'Q8_0' }))
        const [wanted, got] = await Promise.all(
          [reference, backend].map(async (side) => {
            const session = side.createSession({ contextLength: 64 })
            return (await session.forward(tokens.slice(0, 20), { outputs: 3 })).map((logits) =>
              logits.hidden(),
            )
          }),
        )
        reference.dispose()
        for (const [row, hidden] of wanted!.entries()) {
          expect(cosine(hidden, got![row]!)).toBeGreaterThan(0.999)
          expect(got![row]).toHaveLength(hidden.length)
        }
      })

      it('shifts as the reference does', async () => {
        const reference = await loadTiny(loadReference, tinyModel({ architecture, type: 'Q8_0' }))
        const agreement = agreementOf(await shifted(reference), await shifted(backend))
        reference.dispose()
        const what = `${name} against the reference, ${architecture} shifted`
        expect(shortfalls(what, agreement, expectations.quantisedAgainstReference)).toEqual([])
      })

      // Keys and values of a first layer depend on nothing but their own token, so there a shift is exact, but for
      // keys that are rounded anew. Floats: rounding inputs to 8 bits would make more of that.
      it('shifts a model of one layer as if what is forgotten had never been', async () => {
        const oneLayer = await loadTiny(load, tinyModel({ architecture, layers: 1 }))
        const fresh = await logprobsOf(oneLayer, [...tokens.slice(0, 4), ...tokens.slice(20, 48)], 8)
        const session = oneLayer.createSession({ contextLength: 64 })
        await session.forward(tokens.slice(0, 40))
        session.shift(4, 20)
        expect(session.length).toBe(24)
        const rows = (await session.forward(tokens.slice(40, 48), { outputs: 8 })).map(logprobsIn)
        oneLayer.dispose()
        const what = `${name} against fresh, ${architecture} shifted`
        const bound = { top1ApartFromNearTies: 1, meanKl: 1e-4 }
        expect(shortfalls(what, agreementOf(fresh, rows), bound)).toEqual([])
      })
    })
  })
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array): number =>
    x.reduce((sum, value, i) => sum + value * y[i]!, 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}

function agreementOf(base: readonly Float32Array[], rows: readonly Float32Array[]): Agreement {
  const counter = new AgreementCounter()
  base.forEach((logprobs, i) => counter.add({ ids: null, logprobs }, rows[i]!))
  return counter.result()
}

async function loadTiny(
  load: LoadBackend,
  file: Uint8Array,
  more: Partial<LoadOptions> = {},
): Promise<Backend> {
  const bytes = memorySource(file)
  return load({ model: await readModel(await parseGguf(bytes), bytes), bytes, ...more })
}

async function logprobsOfTiny(load: LoadBackend, file: Uint8Array): Promise<Float32Array[]> {
  const backend = await loadTiny(load, file)
  const rows = await logprobsOf(backend, tokens, tokens.length)
  backend.dispose()
  return rows
}

/** Twice shifted and gone on: what follows each of the last tokens. */
async function shifted(backend: Backend): Promise<Float32Array[]> {
  const session = backend.createSession({ contextLength: 64 })
  await session.forward(tokens.slice(0, 40))
  session.shift(4, 16)
  await session.forward(tokens.slice(40, 50))
  session.shift(4, 9)
  const rows = (await session.forward(tokens.slice(50), { outputs: tokens.length - 50 })).map(logprobsIn)
  session.dispose()
  return rows
}

function logprobsIn(logits: Logits): Float32Array {
  return logSoftmax(logits.values(), logits.logSumExp)
}
