import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openBareModel } from '../../src/workbench/node-open-model'
import { quantizeModelFile } from '../../src/workbench/node-quantize-model'
import { measurePerplexity } from '../../src/workbench/perplexity'
import { tinyModel } from '../fixtures/tiny-models'
import { openSmolLm2 } from './model-files'
import { loadNative, type NativeModel } from './native'

const WINDOW = 128
const WINDOWS = 3

/** The second half of each window, as llama.cpp's perplexity tool counts it. */
async function nativePerplexity(native: NativeModel, ids: readonly number[]): Promise<number> {
  let sum = 0
  let count = 0
  for (let at = 0; at + WINDOW <= ids.length; at += WINDOW) {
    const window = ids.slice(at, at + WINDOW)
    const from = WINDOW / 2
    const rows = await native.logprobs(window, { from })
    for (let i = from; i < WINDOW - 1; i++, count++) sum -= rows[i - from]![window[i + 1]!]!
  }
  return Math.exp(sum / count)
}

it('perplexity of the embedded model on a text is that of llama.cpp', async () => {
  const { path } = await openSmolLm2()
  const text = await readFile(new URL('../../docs/security.md', import.meta.url), 'utf8')
  const model = await openBareModel(path, 1)
  const native = await loadNative(path, { contextLength: WINDOW })
  try {
    const ids = model.tokenizer.encode(text).slice(0, WINDOW * WINDOWS)
    const measured = await measurePerplexity(model, model.tokenizer.decode(ids), { windowLength: WINDOW })
    expect(measured).toMatchObject({ windows: WINDOWS, tokens: ids.length })
    const expected = await nativePerplexity(native, ids)
    console.log(`perplexity: ${measured.perplexity.toFixed(3)}, llama.cpp ${expected.toFixed(3)}`)
    // Both round what goes into matrices to 8 bits, each in its own way.
    expect(Math.abs(measured.perplexity / expected - 1)).toBeLessThan(0.02)
    expect(measured.bitsPerByte).toBeGreaterThan(0)
  } finally {
    model.backend.dispose()
    await native.dispose()
  }
})

it('llama.cpp reads a file that was quantised here, and foresees with it what we do', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'minnow-'))
  const from = join(folder, 'floats.gguf')
  const to = join(folder, 'quantised.gguf')
  await writeFile(from, tinyModel({ architecture: 'llama', type: 'F32' }))
  await quantizeModelFile(from, to, { type: 'Q4_1' })
  const model = await openBareModel(to, 1)
  const native = await loadNative(to, { contextLength: WINDOW })
  try {
    const ids = Array.from({ length: WINDOW }, (_, i) => 40 + ((i * 7) % 50))
    const expected = await nativePerplexity(native, ids)
    const text = model.tokenizer.decode(ids)
    expect(model.tokenizer.encode(text)).toEqual(ids)
    const { perplexity } = await measurePerplexity(model, text, { windowLength: WINDOW })
    expect(Math.abs(perplexity / expected - 1)).toBeLessThan(0.02)
  } finally {
    model.backend.dispose()
    await native.dispose()
    await rm(folder, { recursive: true })
  }
})
