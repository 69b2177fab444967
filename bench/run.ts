import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { measureBatches, type BatchSample } from './batch'
import { BenchBrowser, type BenchPage } from './browser'
import { measureBytes } from './bytes'
import { measureLoading } from './loading'
import { measureLookup, type LookupSample } from './lookup'
import { measureMemory, type MemoryFigures } from './memory'
import { prepareModels, readHeader } from './models'
import { writeOnnxModel } from './onnx/write-model'
import { fullPlan, onlySubjects, quickPlan, type Plan } from './plan'
import { makePrompt } from './prompt'
import { describeMachine, type Report } from './report'
import { measureSpeed } from './speed'
import { cpuRatios, ratios, speedRows, type RawFigures } from './summary'
import { formatReport } from './table'

/**
 * `npm run bench -- [--quick] [--json FILE] [--only NAME,…]`. NAME is the beginning of a subject's name
 * (`minnow`, `wllama-q4_1-1t`) or one of `speed`, `load`, `memory`, `lookup`, `batch`, `bytes`.
 */
const PARTS = ['speed', 'load', 'memory', 'lookup', 'batch', 'bytes'] as const
type Part = (typeof PARTS)[number]

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    only: { type: 'string' },
  },
})
const only = values.only?.split(',') ?? []
const wantedParts = only.filter((name): name is Part => PARTS.some((part) => part === name))
const wantedSubjects = only.filter((name) => !PARTS.some((part) => part === name))
const parts: readonly Part[] =
  only.length === 0 ? PARTS : wantedSubjects.length > 0 ? [...wantedParts, 'speed'] : wantedParts

const wholePlan = values.quick ? quickPlan() : fullPlan()
const plan = wantedSubjects.length === 0 ? wholePlan : onlySubjects(wholePlan, wantedSubjects)
const report = await run(plan)
console.log(formatReport(report))
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`)

async function run(chosen: Plan): Promise<Report> {
  const started = Date.now()
  const machine = describeMachine()
  const phaseSeconds: Record<string, number> = {}
  const phase = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const start = Date.now()
    const result = await work()
    phaseSeconds[name] = (Date.now() - start) / 1000
    return result
  }
  const part = <T>(name: Part, work: () => Promise<T[]>): Promise<T[]> =>
    parts.includes(name) ? phase(name, work) : Promise.resolve([])

  const header = await phase('models', async () => {
    await prepareModels([...new Set(['q4_1' as const, ...chosen.subjects.map(({ format }) => format)])])
    if (chosen.subjects.some(({ engine }) => engine === 'onnxruntime')) await writeOnnxModel()
    return readHeader()
  })
  const weightsBytes = [...header.tensors.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const browser = await phase('browser', () => BenchBrowser.start())
  try {
    // Its engines are measured further: whatever runs one thread on the embedded model.
    const loadPage = parts.includes('load') ? await browser.openPage() : null
    const loads =
      loadPage === null ? [] : await phase('load', () => measureLoading(loadPage, chosen.loadRounds))
    const lookups = await part('lookup', () => measureLookups(chosen, browser, loadPage))
    const batches = await part('batch', () => measureOneThreadBatches(chosen, browser, loadPage))
    // Neither is a matter of time.
    const [memory, bytes] = await Promise.all([
      part('memory', () => measureMemories(chosen, weightsBytes)),
      part('bytes', () => measureBytes(browser)),
    ])
    // Last: what is left of a quick run's time goes into more samples.
    const deadline = chosen.seconds === null ? Infinity : started + chosen.seconds * 1000
    const prompt = makePrompt(header, 1024)
    const pages = new Map(loadPage === null ? [] : [['wllama-q4_1-1t', loadPage]])
    const { samples, subjects } = parts.includes('speed')
      ? await phase('speed', () => measureSpeed(chosen, browser, pages, prompt, deadline))
      : { samples: [], subjects: {} }
    const raw: RawFigures = { samples, loads, memory, lookups, batches, bytes }
    return {
      version: 1,
      mode: values.quick ? 'quick' : 'full',
      startedAt: new Date(started).toISOString(),
      seconds: (Date.now() - started) / 1000,
      phaseSeconds,
      machine,
      versions: await versions(browser),
      subjects,
      speeds: speedRows(raw.samples),
      ratios: ratios(raw),
      cpuRatios: cpuRatios(raw.samples),
      // Once more at the top, where checks from outside look for them.
      ...ratios(raw),
      raw,
    }
  } finally {
    await browser.close()
  }
}

async function measureMemories({ lookup }: Plan, weightsBytes: number): Promise<MemoryFigures[]> {
  const memories: MemoryFigures[] = []
  for (const threads of lookup.threads) {
    const memory = await measureMemory(threads, weightsBytes)
    if (memory !== null) memories.push(memory)
  }
  return memories
}

/** @param oneThread a page with an engine of one thread, if there is one */
async function measureLookups(
  { lookup }: Plan,
  browser: BenchBrowser,
  oneThread: BenchPage | null,
): Promise<LookupSample[]> {
  const lookups: LookupSample[] = []
  for (const threads of lookup.threads) {
    const own = threads === 1 && oneThread !== null ? null : await browser.openPage()
    await own?.page.evaluate((count) => bench.openEngine('/default-model/manifest.json', count), threads)
    lookups.push(...(await measureLookup((own ?? oneThread)!, { ...lookup, threads })))
    await own?.close()
  }
  return lookups
}

/** @param oneThread a page with an engine of one thread, if there is one */
async function measureOneThreadBatches(
  { batch }: Plan,
  browser: BenchBrowser,
  oneThread: BenchPage | null,
): Promise<BatchSample[]> {
  const own = oneThread === null ? await browser.openPage() : null
  await own?.page.evaluate(() => bench.openEngine('/default-model/manifest.json', 1))
  const samples = await measureBatches((own ?? oneThread)!, batch)
  await own?.close()
  return samples
}

async function versions(browser: BenchBrowser): Promise<Record<string, string>> {
  const packageVersion = async (name: string): Promise<string> => {
    const path = join(import.meta.dirname, '..', 'node_modules', name, 'package.json')
    return (JSON.parse(await readFile(path, 'utf8')) as { version: string }).version
  }
  return {
    chromium: browser.version,
    node: process.version,
    wllama: await packageVersion('@wllama/wllama'),
    'onnxruntime-web': await packageVersion('onnxruntime-web'),
    'node-llama-cpp': await packageVersion('node-llama-cpp'),
  }
}
