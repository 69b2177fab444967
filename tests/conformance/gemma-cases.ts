import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { LoadBackend } from '../../src/backend/backend'
import { AgreementCounter } from './agreement'
import { logprobsOf, shortfalls, type AgreementBound } from './forced-decoding-cases'
import { cacheFolder, openModelFile } from './model-files'
import { loadNative } from './native'

const path = join(cacheFolder, 'gemma-3-270m-q4_k_m.gguf')
const sha256 = 'a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818'
const required = process.env['MINNOW_REQUIRE_GEMMA'] === '1'

const text =
  'The lighthouse at the end of the harbour was built in 1857 by a family of stonemasons. Every evening the ' +
  'keeper climbed its 122 steps, lit the lamp and wrote the weather into a thick green book.'

/**
 * Gemma 3 270M Q4_K_M: opt-in, as its licence keeps it out of the repository. `python3 scripts/fetch-gemma.py` gets it.
 * Without it the case is reported as skipped; with MINNOW_REQUIRE_GEMMA=1 it fails.
 */
export function describeGemma(name: string, load: LoadBackend, bound: AgreementBound): void {
  describe(`${name} backend, Gemma 3 270M Q4_K_M`, () => {
    it('agrees with llama.cpp', async ({ skip }) => {
      const missing = !existsSync(path)
      skip(missing && !required, 'Gemma 3 270M is not here: run python3 scripts/fetch-gemma.py')
      expect(missing, 'Gemma 3 270M is not here: run python3 scripts/fetch-gemma.py').toBe(false)
      const opened = await openModelFile(path)
      expect(opened.sha256).toBe(sha256)

      const native = await loadNative(path)
      const beginningOfSequence = 2
      const tokens = [beginningOfSequence, ...native.tokenize(text)]
      const base = await native.logprobs(tokens)
      await native.dispose()

      const backend = await load({ model: opened.model, bytes: opened.bytes })
      const rows = await logprobsOf(backend, tokens, tokens.length)
      backend.dispose()
      const counter = new AgreementCounter()
      base.forEach((logprobs, i) => counter.add({ ids: null, logprobs }, rows[i]!))
      expect(shortfalls(`${name} against llama.cpp, Gemma 3 270M`, counter.result(), bound)).toEqual([])
    })
  })
}
