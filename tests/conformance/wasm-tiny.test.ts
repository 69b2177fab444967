import { setFlagsFromString } from 'node:v8'
import { describe, it } from 'vitest'
import { loadWasmVariant, type Variant } from '../../src/backend/wasm'
import { parseGguf } from '../../src/gguf/parse'
import type { GgmlType } from '../../src/gguf/types'
import { readModel } from '../../src/model/read-model'
import { memorySource } from '../../src/store/memory-source'
import { tinyArchitectures, tinyModel } from '../fixtures/tiny-models'
import { expectSameRows, rowsOf, sentence } from './session-cases'
import { describeTinyModels } from './tiny-model-cases'

// As in wasm.test.ts.
if (Number(process.versions.node.split('.')[0]) < 21) setFlagsFromString('--experimental-wasm-relaxed-simd')
const variants: readonly Variant[] = ['simd', 'relaxed16']

// 60 steps each, so that one more or less is 1.7 % of top-1; the KL divergence is the finer measure.
// Float models: keys and values are rounded to 13 bits and a scale, which the reference does not; llama.cpp has half
// floats there and rounds inputs of BF16 weights to BF16. Quantised ones: inputs are rounded to 8 bits a block of 32.
// llama.cpp does that too, but for K types a block of 256; its roundings and ours are independent, so that both count.
for (const variant of variants) {
  describeTinyModels(`wasm ${variant}`, (options) => loadWasmVariant(options, variant), {
    floats: { top1ApartFromNearTies: 0.98, meanKl: 2e-4 },
    quantised: { top1ApartFromNearTies: 0.9, meanKl: 0.008 },
    floatsAgainstReference: { top1ApartFromNearTies: 0.98, meanKl: 2e-5 },
    quantisedAgainstReference: { top1ApartFromNearTies: 0.95, meanKl: 0.004 },
  })
}

/** One of each kind of matrix in memory. */
const types: readonly GgmlType[] = ['Q4_1', 'Q8_0', 'Q6_K', 'F16']

describe.each(variants)('threads of wasm %s, tiny random models', (variant) => {
  describe.each(tinyArchitectures)('%s', (architecture) => {
    it.each(types)('give the same bits in %s, one, two or three', async (type) => {
      const bytes = memorySource(tinyModel({ architecture, type }))
      const model = await readModel(await parseGguf(bytes), bytes)
      const rows: Float32Array[][] = []
      for (const threads of [1, 2, 3]) {
        const backend = await loadWasmVariant({ model, bytes, threads }, variant)
        rows.push(await rowsOf(backend, [sentence, sentence.slice(0, 1), sentence.slice(0, 7)]))
        backend.dispose()
      }
      expectSameRows(rows[1]!, rows[0]!)
      expectSameRows(rows[2]!, rows[0]!)
    })

    it('gives the same bits across pages of the KV cache, on one thread or two, alone or beside others', async () => {
      const bytes = memorySource(tinyModel({ architecture, type: 'Q4_1' }))
      const model = await readModel(await parseGguf(bytes), bytes)
      const tokens = Array.from({ length: 270 }, (_, i) => sentence[(i * 7) % sentence.length]!)
      const calls = Array.from({ length: 5 }, (_, i) => tokens.slice(i * 60, (i + 1) * 60))
      let whole: Float32Array[] | null = null
      for (const threads of [1, 2]) {
        const backend = await loadWasmVariant({ model, bytes, threads }, variant)
        whole ??= await rowsOf(backend, calls)
        const [long, short] = [270, 40].map((contextLength) => backend.createSession({ contextLength }))
        await long!.forward(tokens.slice(0, 50), { outputs: 0 })
        for (let at = 50; at < tokens.length; at += 20) {
          short!.truncate(0)
          const [rows] = await backend.forwardMany!([
            { session: long!, tokens: tokens.slice(at, at + 20), options: { outputs: 20 } },
            { session: short!, tokens: tokens.slice(0, 40) },
          ])
          expectSameRows(
            rows!.map((row) => row.values().slice()),
            whole.slice(at, at + 20),
          )
        }
        backend.dispose()
      }
    })
  })
})
