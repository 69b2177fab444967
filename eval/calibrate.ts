import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fitCalibration, type LabelledAnswer } from '../src/router/calibration/fit-calibration'
import { readPrompt } from '../src/router/signals/prompt-signal'
import { conversed } from '../src/router/calibration/ask-item'
import { readTask } from './items'
import { seededRandom } from './metrics'
import { openBareModel, readModelHash, type BareModel } from '../src/workbench/node-open-model'
import { recordTask } from './record-cache'
import { unpackFloats } from './records'
import { show } from './report'
import { shuffled } from './shuffled'

const ROOT = join(import.meta.dirname, '..')
const USAGE = `Usage: npm run calibrate -- --data DIR --tasks a,b [--limit N] [--out FILE]
Asks the model labelled questions in a conversation and writes a calibration: how likely its answers are right,
before, during and after generating, with what thresholds need. It belongs to this very model file.

  --data DIR      folder of NAME.jsonl files; eval/README.md lists their forms
  --tasks a,b     names of files, without ".jsonl"
  --limit N       first N items of each (default: all)
  --out FILE      default: calibration.json
  --source TEXT   what the questions are, in words (default: names of the files and how many of each)
  --cached        use what is recorded already; ask the model nothing
  --model PATH    a GGUF file, or a folder made by "npm run models:add" (default: the embedded model)
  --threads N     default 1
  --embed         write it as the default calibration of the embedded model, in src/router/calibration`

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    tasks: { type: 'string' },
    limit: { type: 'string' },
    out: { type: 'string', default: 'calibration.json' },
    source: { type: 'string' },
    cached: { type: 'boolean', default: false },
    model: { type: 'string', default: join(ROOT, 'models', 'smollm2-135m-instruct-q4_1') },
    threads: { type: 'string', default: '1' },
    embed: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help || values.data === undefined || values.tasks === undefined) {
  console.log(USAGE)
  process.exit(values.help ? 0 : 2)
}
const limit = values.limit === undefined ? Infinity : Number(values.limit)
if (!(limit > 0)) {
  console.error(`--limit takes a whole number above 0, got ${values.limit}.`)
  process.exit(2)
}

const model = await readModelHash(values.model)
let loading: Promise<BareModel> | null = null
const opened = (): Promise<BareModel> => (loading ??= openBareModel(values.model, Number(values.threads)))
const answers: LabelledAnswer[] = []
const counts: string[] = []
for (const name of values.tasks.split(',')) {
  const task = await readTask(values.data, name)
  const records = await recordTask(opened, model.hash, task, 'chat', limit, {
    mayAsk: !values.cached,
    onProgress: (done, total) => {
      if (done % 25 === 0 || done === total) console.error(`${name}: ${done} of ${total}`)
    },
  })
  const own = records.flatMap((record, index): LabelledAnswer[] => {
    const question = conversed(task.items[index]!)
    if (record === null || question === null) return []
    const reading = { hidden: unpackFloats(record.hidden), tokens: record.promptTokens }
    const tokens = record.signals!.map(([logprob, margin, entropy]) => ({ logprob, margin, entropy }))
    return [{ prompt: readPrompt(question.context, reading), tokens, isRight: record.isRight === true }]
  })
  if (own.length === 0) console.error(`${name} has no question whose answer can be judged; it is left out.`)
  else counts.push(`${name} ${own.length}`)
  answers.push(...own)
}
const source = values.source ?? counts.join(', ')
const calibration = fitCalibration(shuffled(answers, seededRandom(1)), {
  model,
  source,
  createdAt: new Date().toISOString(),
})
for (const [task, { items, accuracy, stages }] of Object.entries(calibration.tasks)) {
  const figures = Object.entries(stages).map(
    ([
      stage,
      {
        figures: { auroc, ece },
      },
    ]) => `${stage} AUROC ${show(auroc)}, ECE ${show(ece)}`,
  )
  console.log(`${task}: ${items} answers, ${show(accuracy)} right; ${figures.join('; ')}`)
}
const json = JSON.stringify(calibration, (_, value: unknown) =>
  typeof value === 'number' ? Number(value.toPrecision(6)) : value,
)
if (values.embed) await embed(json)
else await writeFile(values.out, `${json}\n`)
;(await (loading as Promise<BareModel> | null))?.backend.dispose()

/** As a string, which parses faster than code and stays one line. */
async function embed(text: string): Promise<void> {
  const path = join(ROOT, 'src', 'router', 'calibration', 'embedded-calibration.ts')
  const quoted = `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const code = [
    '/** Written by `npm run calibrate -- --embed`: the calibration of the embedded model, as JSON. */',
    `export const embeddedCalibration =\n  ${quoted}`,
    '',
  ]
  await writeFile(path, code.join('\n'))
  console.log(`${path}: ${(await readFile(path)).length} bytes`)
}
