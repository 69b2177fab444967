import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { calibrationError, rankQuality, reliability } from '../src/router/calibration/figures'
import { formatCounts, formatTasks, parseCounts, parseTasks, type Asked } from './counts'
import { evaluateRouting, isRouting } from './evaluate-routing'
import { figuresOf, judgeFew, scoreItems, withConfidence, type ScoredItem } from './evaluate-task'
import { readTask, type Task } from './items'
import { leaveOneTaskOut } from './leave-one-task-out'
import { bootstrap, eceFloor, riskCoverage, seededRandom } from './metrics'
import { measureOverhead } from './overhead'
import { openBareModel, readModelHash, type BareModel } from '../src/workbench/node-open-model'
import { readPersonalItems, sendPrivateItems, type PrivateFigures } from './private-items'
import { RECORDS, recordTask, type Records } from './record-cache'
import type { Method } from './records'
import { formatReport, type EvalReport, type Line, type PooledFigures, type TaskCurves } from './report'
import { qualityCurve, type RoutedItem } from './routing-metrics'

const ROOT = join(import.meta.dirname, '..')
const USAGE = `Usage: npm run eval -- --data DIR --tasks a,b [--limit N] [--json FILE]
Runs the engine over labelled questions and says how well its confidence tells right answers from wrong ones.

  --data DIR      folder of NAME.jsonl files; eval/README.md lists their forms
  --tasks a,b     names of files, without ".jsonl"; a:N takes only the first N items of a
  --limit N       first N items of each (default: all)
  --json FILE     write all figures there
  --generate N    also let the model answer the first N items of each task freely; a:N,b:N of these (default: 0)
  --strong X      accuracy of the simulated strong model where none is recorded (default: 0.95)
  --hidden N      let the model read the first N prompts of each routing task, "all" or a:N,b:N, and use its hidden
                  state (slow; default: 0)
  --overhead      also measure what reading all signals adds to decoding
  --private       also send the texts of DIR/pii.json, labelled private, through routers that fail in every way
  --cached        use what is recorded already; ask the model nothing
  --records DIR   where answers of the model are kept (default: .cache/eval)
  --model PATH    a GGUF file, or a folder made by "npm run models:add" (default: the embedded model)
  --threads N     default 1`

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    tasks: { type: 'string' },
    limit: { type: 'string' },
    json: { type: 'string' },
    generate: { type: 'string', default: '0' },
    strong: { type: 'string', default: '0.95' },
    hidden: { type: 'string', default: '0' },
    overhead: { type: 'boolean', default: false },
    private: { type: 'boolean', default: false },
    cached: { type: 'boolean', default: false },
    records: { type: 'string', default: RECORDS },
    model: { type: 'string', default: join(ROOT, 'models', 'smollm2-135m-instruct-q4_1') },
    threads: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help || values.data === undefined || values.tasks === undefined) {
  console.log(USAGE)
  process.exit(values.help ? 0 : 2)
}
const limit = values.limit === undefined ? Infinity : wholeNumber('--limit', values.limit)
const wantedTasks = readOption(() => parseTasks(values.tasks!))
const generate = readOption(() => parseCounts(values.generate))
const hidden = readOption(() => parseCounts(values.hidden))
const threads = wholeNumber('--threads', values.threads)
const strongAccuracy = Number(values.strong)
if (!(strongAccuracy > 0 && strongAccuracy <= 1))
  fail(`--strong takes a number above 0 and up to 1, got ${values.strong}.`)

const { id, hash, quantization } = await readModelHash(values.model)
let model: Promise<BareModel> | null = null
const opened = (): Promise<BareModel> => (model ??= openBareModel(values.model, threads))

const startedAt = new Date().toISOString()
const tasks: Record<string, EvalReport['tasks'][string]> = {}
const generated: Record<string, ReturnType<typeof figuresOf>> = {}
const scored: Record<string, ScoredItem[]> = {}
const curves: Record<string, TaskCurves> = {}
const asked = { tasks: new Array<Asked>(), generate: new Array<Asked>(), hidden: new Array<Asked>() }
const folder = values.data
for (const [name, most] of wantedTasks) {
  const task = await readTask(folder, name).catch((error: Error) => fail(error.message))
  const available = task.items.length
  const count = Math.min(limit, most, available)
  if (isRouting(task)) {
    const records = await record(task, 'read', Math.min(hidden(name), count))
    const { figures, routed } = evaluateRouting(task, records, count)
    asked.tasks.push({ task: name, count, available })
    if (records.length > 0) asked.hidden.push({ task: name, count: records.length, available })
    tasks[name] = figures
    curves[name] = { riskCoverage: [], reliability: [], ...escalationLines(routed) }
    continue
  }
  const method: Method = task.items[0]!.form === 'math' || task.items[0]!.form === 'sql' ? 'chat' : 'score'
  const records = await record(task, method, count)
  asked.tasks.push({ task: name, count: records.length, available })
  const items = scoreItems(task, records)
  const skipped = task.skippedLines + missing(records)
  tasks[name] = figuresOf(items, judgeFew(task, records), { available, skipped }, strongAccuracy)
  if (items.length > 0) {
    scored[name] = items
    curves[name] = curvesOf(items)
  }
  const freely = Math.min(generate(name), count)
  if (freely > 0 && method === 'score') {
    const free = await record(task, 'chat', freely)
    asked.generate.push({ task: name, count: free.length, available })
    const few = judgeFew(task, free)
    generated[name] = figuresOf(
      scoreItems(task, free),
      few,
      { available, skipped: missing(free) },
      strongAccuracy,
    )
  }
}
const report: EvalReport = {
  startedAt,
  command: commandLine(),
  model: { id, hash, quantization },
  tasks,
  generated,
  pooled: poolOf(Object.values(scored)),
  leave_one_task_out: leaveOneTaskOut(scored),
  overhead: values.overhead ? await measureOverhead(await opened()) : null,
  private_items: values.private ? await privateItems() : null,
  curves,
}
console.log(formatReport(report))
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(report, null, 1)}\n`)
;(await (model as Promise<BareModel> | null))?.backend.dispose()

/** What asks the same of the same items, wherever these lie. */
function commandLine(): string {
  const parts = ['npm run eval -- --data DIR --tasks', formatTasks(asked.tasks)]
  if (asked.generate.length > 0) parts.push('--generate', formatCounts(asked.generate))
  if (asked.hidden.length > 0) parts.push('--hidden', formatCounts(asked.hidden))
  if (values.strong !== '0.95') parts.push('--strong', values.strong)
  if (values.overhead) parts.push('--overhead')
  if (values.private) parts.push('--private')
  return parts.join(' ')
}

async function privateItems(): Promise<PrivateFigures> {
  const items = await readPersonalItems(folder).catch((error: Error) => fail(error.message))
  return sendPrivateItems(items.map((item) => item.full_text))
}

async function record(task: Task, method: Method, count: number): Promise<Records> {
  const records = await recordTask(opened, hash, task, method, count, {
    folder: values.records,
    mayAsk: !values.cached,
    onProgress: (done, total) => {
      if (done % 25 === 0 || done === total) console.error(`${task.name}, ${method}: ${done} of ${total}`)
    },
  })
  if (records.length < count)
    console.error(`${task.name}, ${method}: only ${records.length} of ${count} are recorded`)
  return records
}

function missing(records: Records): number {
  return records.filter((one) => one === null).length
}

function poolOf(parts: readonly ScoredItem[][]): PooledFigures | null {
  if (parts.length < 2) return null
  const items = parts.flat()
  const random = seededRandom(41)
  const by = (confidence: (item: ScoredItem) => number): number | null =>
    rankQuality(withConfidence(items, confidence))
  return {
    items: items.length,
    auroc: rankQuality(items),
    auroc_first16: by((item) => item.during),
    ece: calibrationError(items),
    ece_floor: eceFloor(items, random, 50),
    intervals: {
      auroc: bootstrap(items, rankQuality, random, 200),
      ece: bootstrap(items, calibrationError, random, 200),
    },
    baselines: {
      promptLength: by(({ example }) => -example.promptTokens),
      meanLogprob: by(({ example }) => example.meanLogprob),
    },
  }
}

function curvesOf(items: readonly ScoredItem[]): TaskCurves {
  const routed = items.map(({ confidence, right }) => ({
    score: -confidence,
    weak: right,
    strong: strongAccuracy,
  }))
  return {
    riskCoverage: thinned(riskCoverage(items).map(({ coverage, risk }) => [coverage, risk] as const)),
    reliability: reliability(items)
      .filter(({ count }) => count > 0)
      .map(({ confidence, accuracy }) => [confidence, accuracy] as const),
    ...escalationLines(routed),
  }
}

function escalationLines(routed: readonly RoutedItem[]): Pick<TaskCurves, 'escalation' | 'oracle'> {
  const line = (items: readonly RoutedItem[]): Line =>
    thinned(qualityCurve(items).map((quality, index) => [index / items.length, quality] as const))
  return {
    escalation: line(routed),
    oracle: line(routed.map((item) => ({ ...item, score: item.strong - item.weak }))),
  }
}

/** About a hundred points, the last among them; four decimals. */
function thinned(line: Line): Line {
  const step = Math.max(1, Math.ceil(line.length / 100))
  return line
    .filter((_, index) => index % step === 0 || index === line.length - 1)
    .map(([x, y]) => [Math.round(x * 1e4) / 1e4, Math.round(y * 1e4) / 1e4] as const)
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0) fail(`${name} takes a whole number, got ${text}.`)
  return value
}

function readOption<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    return fail((error as Error).message)
  }
}

function fail(message: string): never {
  console.error(message)
  process.exit(2)
}
