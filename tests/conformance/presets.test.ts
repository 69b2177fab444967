import { setFlagsFromString } from 'node:v8'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askPreset } from '../../eval/presets/ask'
import { levelOf } from '../../eval/presets/page'
import { PRESET_TESTS } from '../../eval/presets/scores'
import type { Engine } from '../../src/contract/engine'
import { createLocalEngine } from '../../src/engine/local-engine'
import { loadWasm } from '../../src/backend/wasm'
import { parseGguf } from '../../src/gguf/parse'
import { loadChatTemplate } from '../../src/tokenizer/chat-template'
import { createTokenizer } from '../../src/tokenizer/tokenizer'
import { PRESETS } from '../../src/widget/presets/presets'
import { openSmolLm2 } from './model-files'

// As in wasm.test.ts.
if (Number(process.versions.node.split('.')[0]) < 21) setFlagsFromString('--experimental-wasm-relaxed-simd')

/** Of each preset the first examples only: all of them are for `npm run eval:presets`. */
const CASES = 3

describe('presets with the embedded model', () => {
  let engine: Engine
  beforeAll(async () => {
    const { model, bytes } = await openSmolLm2()
    const gguf = await parseGguf(bytes)
    const tokenizer = createTokenizer(gguf)
    const backend = await loadWasm({ model, bytes, threads: 1 })
    const chatTemplate = await loadChatTemplate(gguf, tokenizer)
    engine = createLocalEngine({ id: 'smollm2', backend, tokenizer, chatTemplate, contextLength: 4096 })
  })
  afterAll(async () => {
    await engine?.dispose()
  })

  it.each(
    PRESETS.filter(({ level }) => level !== 'better-with-bigger').map(
      (preset) => [preset.id, preset] as const,
    ),
  )('%s does what it is offered for, more often than not', async (id, preset) => {
    const scores: number[] = []
    for (const one of PRESET_TESTS[id]!.cases.slice(0, CASES)) {
      const { score, answer } = await askPreset(engine, preset, one)
      expect(answer).not.toBe('')
      scores.push(score)
    }
    expect(scores.reduce((sum, score) => sum + score, 0) / CASES).toBeGreaterThanOrEqual(0.5)
  })

  it('gives labels of the list, whatever the ticket', async () => {
    const triage = PRESETS.find(({ id }) => id === 'triage')!
    for (const one of PRESET_TESTS['triage']!.cases.slice(0, CASES)) {
      expect(await askPreset(engine, triage, one)).toMatchObject({ fault: null })
    }
  })
})

describe('levels', () => {
  it('follow the score', () => {
    expect([0.9, 0.8, 0.79, 0.6, 0.59, 0].map(levelOf)).toEqual([
      'good',
      'good',
      'fair',
      'fair',
      'better-with-bigger',
      'better-with-bigger',
    ])
  })
})
