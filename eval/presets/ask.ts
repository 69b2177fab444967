import type { Engine } from '../../src/contract/engine'
import type { Preset } from '../../src/widget/presets/preset'
import { createPresetEngine } from '../../src/widget/presets/preset-engine'
import type { PresetCase } from './cases'
import { scoreAnswer } from './scores'

export interface ScoredAnswer {
  readonly score: number
  readonly fault: string | null
  readonly answer: string
}

/** Lets an engine do a preset's job once, as the page does, and scores what it made. */
export async function askPreset(engine: Engine, preset: Preset, one: PresetCase): Promise<ScoredAnswer> {
  const { before = '', after = '' } = preset.frame ?? {}
  const stream = await createPresetEngine(engine, preset, one.values).chat.completions.create({
    messages: [{ role: 'user', content: preset.title.en }],
    stream: true,
  })
  let answer = ''
  let fault: string | null = null
  for await (const { choices, minnow } of stream) {
    answer += choices[0]?.delta.content ?? ''
    fault = minnow?.preset?.fault ?? fault
  }
  return {
    score: scoreAnswer(preset, answer.slice(before.length, answer.length - after.length), one),
    fault,
    answer,
  }
}
