import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createLocalEngine } from '../../src/engine/local-engine'
import { PRESETS } from '../../src/widget/presets/presets'
import { openBareModel } from '../../src/workbench/node-open-model'
import { askPreset, type ScoredAnswer } from './ask'
import { levelOf, meanScore, presetsPage, type PresetResult } from './page'
import { PRESET_TESTS } from './scores'

const ROOT = join(import.meta.dirname, '../..')
const USAGE = `Usage: npm run eval:presets -- [--only a,b] [--show]
Lets the model do each preset's job over our own examples, and writes docs/presets.md.

  --only a,b      ids of presets; then nothing is written
  --show          also print every answer
  --model PATH    a GGUF file, or a folder made by "npm run models:add" (default: the embedded model)
  --threads N     default 1`

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    model: { type: 'string', default: join(ROOT, 'models', 'smollm2-135m-instruct-q4_1') },
    threads: { type: 'string', default: '1' },
    show: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(USAGE)
  process.exit(0)
}
const model = await openBareModel(values.model, Number(values.threads))
const { backend, tokenizer, template: chatTemplate, id, quantization } = model
const engine = createLocalEngine({ id, backend, tokenizer, chatTemplate, contextLength: 4096 })
const wanted = values.only?.split(',')
const results: PresetResult[] = []
for (const preset of PRESETS) {
  if (wanted?.includes(preset.id) === false) continue
  const { cases, meaning } = PRESET_TESTS[preset.id]!
  const scored: ScoredAnswer[] = []
  for (const one of cases) {
    const answered = await askPreset(engine, preset, one)
    scored.push(answered)
    if (values.show) {
      const { score, fault, answer } = answered
      console.log(`${score.toFixed(2)} ${fault ?? 'ok'} ${JSON.stringify(one.values)}`)
      console.log(`  → ${JSON.stringify(answer)} (${one.wanted.join(' & ')})`)
    }
  }
  const result = { preset, meaning, scored }
  results.push(result)
  const halves = [0, 1].map((rest) =>
    meanScore({ ...result, scored: scored.filter((_, i) => i % 2 === rest) }),
  )
  const wrong = scored.filter(({ fault }) => fault !== null).length
  const [even, odd] = halves.map((score) => score.toFixed(3))
  console.log(
    `${preset.id}: ${meanScore(result).toFixed(3)} (even ${even}, odd ${odd}), wrong form ${wrong}/${scored.length}`,
  )
}
await engine.dispose()
if (values.write && wanted === undefined) {
  writeFileSync(join(ROOT, 'docs/presets.md'), presetsPage(results, { id, quantization }))
}
const misnamed = results.filter((result) => levelOf(meanScore(result)) !== result.preset.level)
for (const result of misnamed) {
  console.error(
    `${result.preset.id} calls itself ${result.preset.level}, and is ${levelOf(meanScore(result))}.`,
  )
}
process.exit(misnamed.length > 0 ? 1 : 0)
