import { setFlagsFromString } from 'node:v8'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Backend } from '../../src/backend/backend'
import { loadReference } from '../../src/backend/reference/load'
import { loadWasmVariant, type Variant } from '../../src/backend/wasm'
import { parseGguf } from '../../src/gguf/parse'
import { readModel } from '../../src/model/read-model'
import { memorySource } from '../../src/store/memory-source'
import { tinyArchitectures, tinyModel, type TinyArchitecture } from '../fixtures/tiny-models'
import { AgreementCounter, logSoftmax } from './agreement'
import { describeBatches } from './batch-cases'
import { describeForcedDecoding } from './forced-decoding-cases'
import { describeSessions, expectSameRows, rowsOf, sentence } from './session-cases'

// The KV cache of 8 bits; the one of 16 is what wasm.test.ts and wasm-tiny.test.ts run on, as is the flag's reason.
if (Number(process.versions.node.split('.')[0]) < 21) setFlagsFromString('--experimental-wasm-relaxed-simd')
const kvCache = '8-bit'

// Bounds as for 16 bits.
describeForcedDecoding(
  'wasm relaxed16, 8-bit KV cache',
  (options) => loadWasmVariant({ ...options, kvCache }, 'relaxed16'),
  {
    threads: 1,
    againstNative: { top1ApartFromNearTies: 0.97, meanKl: 0.01 },
    againstNativeLive: { top1ApartFromNearTies: 0.93, meanKl: 0.01 },
    againstReference: { top1ApartFromNearTies: 0.97, meanKl: 0.01 },
  },
)

const variants: readonly Variant[] = ['simd', 'relaxed16']

describe.each(variants)('wasm %s, 8-bit KV cache, tiny random models', (variant) => {
  const load = async (architecture: TinyArchitecture, threads = 1): Promise<Backend> =>
    loadWasmVariant({ ...(await readTiny(architecture)), threads, kvCache }, variant)

  describe.each(tinyArchitectures)('%s', (architecture) => {
    let backend: Backend
    beforeAll(async () => {
      backend = await load(architecture)
    })
    afterAll(() => backend?.dispose())

    describeSessions(() => backend)
    describeBatches(() => backend)

    it('gives the same bits across chunks of 64 tokens, however grouped', async () => {
      const long = [...sentence, ...sentence, ...sentence, ...sentence]
      const whole = await rowsOf(backend, [long.slice(0, 60), long.slice(60)])
      expectSameRows(
        await rowsOf(
          backend,
          long.map((token) => [token]),
        ),
        whole,
      )
    })

    it.each([2, 3])('gives the same bits on %i threads as on one', async (threads) => {
      const calls = [sentence, sentence.slice(0, 1), sentence.slice(0, 7)]
      const other = await load(architecture, threads)
      const rows = await rowsOf(other, calls)
      other.dispose()
      expectSameRows(rows, await rowsOf(backend, calls))
    })

    it('takes half the memory of 16 bits, scales aside', async () => {
      const wide = await loadWasmVariant({ ...(await readTiny(architecture)), threads: 1 }, variant)
      const bytes: number[] = []
      for (const one of [wide, backend]) {
        const session = one.createSession({ contextLength: 64 })
        const before = one.memoryBytes
        await session.forward([1])
        bytes.push(one.memoryBytes - before)
        expect(bytes.at(-1)).toBe(one.cacheBytesFor!(1))
        session.dispose()
      }
      wide.dispose()
      const { model } = await readTiny(architecture)
      const lanes = model.layers.length * model.kvHeadCount * 256
      expect(bytes[0]! - bytes[1]!).toBe(lanes * model.headDim * 2)
    })

    // As wasm-tiny.test.ts bounds shifts of quantised models.
    it('shifts as the reference does', async () => {
      const reference = await loadReference(await readTiny(architecture))
      const [want, got] = [await shifted(reference), await shifted(backend)]
      reference.dispose()
      const counter = new AgreementCounter()
      want.forEach((logprobs, i) => counter.add({ ids: null, logprobs }, got[i]!))
      const { top1ApartFromNearTies, meanKl } = counter.result()
      expect(want).toHaveLength(60)
      expect(meanKl).toBeLessThanOrEqual(0.004)
      expect(top1ApartFromNearTies).toBeGreaterThanOrEqual(0.95)
    })
  })
})

async function readTiny(architecture: TinyArchitecture) {
  const bytes = memorySource(tinyModel({ architecture, type: 'Q8_0' }))
  return { model: await readModel(await parseGguf(bytes), bytes), bytes }
}

/** Log-probabilities of tokens given after some before them were forgotten. */
async function shifted(backend: Backend): Promise<Float32Array[]> {
  const session = backend.createSession({ contextLength: 128 })
  await session.forward([...sentence, ...sentence])
  session.shift(4, 16)
  // Enough of them that one more or less is within the bound's 5 %.
  const next = [...sentence, ...sentence.toReversed(), ...sentence]
  const rows = await session.forward(next, { outputs: next.length })
  const logprobs = rows.map((row) => logSoftmax(row.values(), row.logSumExp))
  session.dispose()
  return logprobs
}
