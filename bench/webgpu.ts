import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { BenchBrowser, type BenchPage } from './browser'
import { checkChoices, type ChoiceAgreement } from './choices'
import { prepareModels, readHeader } from './models'
import { writeOnnxModel } from './onnx/write-model'
import type { GpuWork } from './page/gpu-work'
import type { Prompt, SubjectRequest } from './page/subject'
import { makePrompt } from './prompt'
import { describeMachine } from './report'
import { median, ratio } from './statistics'
import { layOut } from './table'
import { formatFigure } from './targets'
import { WEBGPU_BUDGET, webGpuBytes } from '../scripts/webgpu-bytes'

/**
 * `npm run bench -- webgpu [--context N] [--tokens N] [--rounds N] [--only NAME,…] [--json FILE]`: decoding by
 * Minnow's WebGPU backend and by onnxruntime-web's WebGPU provider, on the same adapter, with the same weights, in
 * turns. Few tokens by default: a software adapter takes seconds for one.
 */
const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    context: { type: 'string', default: '8' },
    tokens: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    json: { type: 'string' },
  },
})

const SUBJECTS = [
  { name: 'minnow', kind: 'minnow', modelUrl: '/models/smollm2-q4_1.gguf' },
  { name: 'onnxruntime', kind: 'onnxruntime', modelUrl: '/models/smollm2-q4_1.onnx' },
] as const
/** Chromium gives a software adapter (SwiftShader) only with this; a real one it gives in any case. */
const CHROMIUM_ARGS = ['--enable-unsafe-webgpu']
/** One call. onnxruntime-web blocks its thread for good after a lost device: its page is then closed. */
const LIMIT_MS = 300_000

interface Opened {
  readonly name: string
  readonly page: BenchPage
  readonly description: Record<string, unknown>
  readonly choices: ChoiceAgreement
}

interface DecodeSample {
  readonly subject: string
  readonly tokensPerSecond: number
  /** For one token: means over the run. */
  readonly perToken: Omit<GpuWork, 'bufferBytes'>
  /** Held by the GPU's buffers, afterwards. */
  readonly bufferBytes: number
}

const context = positiveInteger('context')
const count = positiveInteger('tokens')
const rounds = positiveInteger('rounds')
const wanted = values.only?.split(',')
const subjects = SUBJECTS.filter(({ name }) => wanted?.includes(name) ?? true)

const report = await run()
console.log(tableOf(report))
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`)
if (Object.keys(report.failures).length > 0) process.exitCode = 1

async function run() {
  await prepareModels(['q4_1'])
  await writeOnnxModel()
  const header = await readHeader()
  const prompt = makePrompt(header, context)
  const startedAt = new Date().toISOString()
  const machine = describeMachine()
  const failures: Record<string, string> = {}
  const samples: DecodeSample[] = []
  const browser = await BenchBrowser.start(CHROMIUM_ARGS)
  try {
    const opened: Opened[] = []
    for (const subject of subjects) {
      const one = await orFailure(subject.name, failures, () => open(browser, subject, prompt))
      if (one !== null) opened.push(one)
    }
    for (let round = 0; round < rounds; round++) {
      for (const { name, page } of opened) {
        if (name in failures) continue
        const sample = await orFailure(name, failures, () => decode(name, page))
        if (sample === null) await page.close()
        else samples.push(sample)
      }
    }
    const layers = Number(header.metadata.get('llama.block_count'))
    const rate = (name: string): number | null =>
      median(samples.filter(({ subject }) => subject === name).map(({ tokensPerSecond }) => tokensPerSecond))
    return {
      version: 1,
      startedAt,
      machine,
      chromium: browser.version,
      adapter: await adapterOf(browser),
      context,
      tokens: count,
      layers,
      subjects: Object.fromEntries(
        opened.map(({ name, description, choices }) => [name, { ...description, choices }]),
      ),
      tokensPerSecond: { minnow: rate('minnow'), onnxruntime: rate('onnxruntime') },
      webgpu_decode_vs_onnxruntime: ratio(rate('minnow'), rate('onnxruntime')),
      ...minnowFigures(samples, opened.find(({ name }) => name === 'minnow')?.description ?? {}, layers),
      failures,
      samples,
    }
  } finally {
    await browser.close()
  }
}

/** What a token asks of the GPU, and what is held beside weights and cache; null where Minnow was not measured. */
function minnowFigures(
  samples: readonly DecodeSample[],
  { weightsBytes, cacheBytes, pageCacheBytes }: Record<string, unknown>,
  layers: number,
) {
  const sample = samples.findLast(({ subject }) => subject === 'minnow')
  const beside = (sample?.bufferBytes ?? NaN) - Number(weightsBytes) - Number(cacheBytes)
  return {
    // Embedding, head and choice take fewer than a layer has.
    dispatches_per_layer: sample === undefined ? null : Math.floor(sample.perToken.dispatches / layers),
    bytes_read_per_token: sample?.perToken.bytesRead ?? null,
    objects_per_token: sample?.perToken.objects ?? null,
    // In a conversation as long as the page's may be.
    memory_beside: sample === undefined ? null : beside / (Number(weightsBytes) + Number(pageCacheBytes)),
    backend_bytes_brotli: webGpuBytes(),
  }
}

async function open(
  browser: BenchBrowser,
  { name, kind, modelUrl }: (typeof SUBJECTS)[number],
  prompt: Prompt,
): Promise<Opened> {
  const page = await browser.openPage()
  try {
    const request: SubjectRequest = {
      kind,
      provider: 'webgpu',
      threads: 1,
      modelUrl,
      contextLength: context + count + 1,
      prompt,
    }
    const description = await limited(page.page.evaluate((given) => bench.open(given), request))
    const choices = await limited(checkChoices(name, page.page, { prompts: 1, steps: 8 }))
    // Fills the cache and compiles what is not compiled yet.
    await limited(page.page.evaluate(([at, tokens]) => bench.decode(at, tokens), [context, 1] as const))
    return { name, page, description, choices }
  } catch (error) {
    await page.close()
    throw error
  }
}

async function decode(subject: string, { page }: BenchPage): Promise<DecodeSample> {
  await page.evaluate(() => bench.gpuWork())
  const milliseconds = await limited(
    page.evaluate(([at, tokens]) => bench.decode(at, tokens), [context, count] as const),
  )
  const { bufferBytes, ...work } = await page.evaluate(() => bench.gpuWork())
  // The last token of the prompt is evaluated too, outside of the time.
  const each = (value: number): number => value / (count + 1)
  return {
    subject,
    tokensPerSecond: (count / milliseconds) * 1000,
    perToken: {
      submits: each(work.submits),
      dispatches: each(work.dispatches),
      objects: each(work.objects),
      bytesRead: each(work.bytesRead),
    },
    bufferBytes,
  }
}

async function adapterOf(browser: BenchBrowser): Promise<Record<string, unknown> | null> {
  const { page, close } = await browser.openPage()
  const adapter = await page.evaluate(() => bench.adapter())
  await close()
  return adapter
}

async function limited<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`No answer in ${LIMIT_MS / 1000} s`)), LIMIT_MS)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/** What one engine can't do is reported; the other is measured all the same. */
async function orFailure<T>(
  name: string,
  failures: Record<string, string>,
  work: () => Promise<T>,
): Promise<T | null> {
  try {
    return await work()
  } catch (error) {
    failures[name] = error instanceof Error ? error.message : String(error)
    return null
  }
}

function tableOf(result: Awaited<ReturnType<typeof run>>): string {
  const { adapter, samples, failures } = result
  const figures: [string, number | null, 'at least' | 'at most', number][] = [
    [
      `decode at ${context}, against onnxruntime-web on the same adapter and weights`,
      result.webgpu_decode_vs_onnxruntime,
      'at least',
      5,
    ],
    ['dispatches a layer', result.dispatches_per_layer, 'at most', 6],
    ['bytes read back a token', result.bytes_read_per_token, 'at most', 4096],
    ['new GPU objects a token', result.objects_per_token, 'at most', 0],
    ['memory beside weights and KV cache of 2,048', result.memory_beside, 'at most', 0.1],
    ["the backend's code, bytes in Brotli", result.backend_bytes_brotli, 'at most', WEBGPU_BUDGET],
  ]
  const judged = figures.map(([label, value, sense, bound]) => [
    label,
    value === null ? 'not measured' : formatFigure(value),
    `${sense} ${formatFigure(bound)}`,
    value === null ? '' : (sense === 'at least' ? value >= bound : value <= bound) ? 'yes' : 'NO',
  ])

  const head = ['', 'tokens/s', 'submits', 'dispatches', 'new objects', 'bytes read', 'MiB in buffers']
  const rows = samples.map(({ subject, tokensPerSecond, perToken, bufferBytes }) => [
    subject,
    formatFigure(tokensPerSecond),
    ...[perToken.submits, perToken.dispatches, perToken.objects, perToken.bytesRead].map(formatFigure),
    formatFigure(bufferBytes / 2 ** 20),
  ])
  return [
    `Adapter: ${JSON.stringify(adapter)}`,
    layOut(head, rows),
    layOut(['', 'measured', 'wanted', 'met'], judged),
    ...Object.entries(failures).map(([name, message]) => `FAILED: ${name}: ${message}`),
  ].join('\n\n')
}

function positiveInteger(name: 'context' | 'tokens' | 'rounds'): number {
  const value = Number(values[name])
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`--${name} is ${values[name]}; give a whole number from 1`)
  return value
}
