import type { BenchBrowser, BenchPage } from './browser'
import { checkChoices } from './choices'
import { modelFile } from './models'
import { NativeLlama } from './native'
import type { Prompt, SubjectRequest } from './page/subject'
import type { Plan, Step, SubjectSpec } from './plan'
import { cpuSecondsOf } from './processes'

const CONTEXT_LENGTH = 1280
const WARM_UP_TOKENS = 8

/** One timed run, as it came. */
export interface Sample extends Step {
  readonly milliseconds: number
  readonly tokensPerSecond: number
  /** Of the process that did the work; null where that can't be read. */
  readonly cpuSeconds: number | null
}

/** A loaded subject, wherever it runs. */
interface Runner {
  prefill(count: number): Promise<number>
  decode(context: number, count: number): Promise<number>
  cpuSeconds(): number | null
  close(): Promise<void>
}

export interface SpeedResult {
  readonly samples: Sample[]
  readonly subjects: Record<string, unknown>
}

/**
 * Loads all subjects, then times the plan's steps one after the other: nobody else computes meanwhile.
 * @param pages of subjects that are open already; the others get pages of their own
 * @param deadline milliseconds since 1970, after which optional steps are left out
 */
export async function measureSpeed(
  plan: Plan,
  browser: BenchBrowser,
  pages: ReadonlyMap<string, BenchPage>,
  prompt: Prompt,
  deadline: number,
): Promise<SpeedResult> {
  const runners = new Map<string, Runner>()
  const subjects: Record<string, unknown> = {}
  try {
    // First all pages, one after the other and with nothing else going on: that tells their processes apart.
    const opened: (Opened & { spec: SubjectSpec })[] = []
    for (const spec of plan.subjects) {
      const subject =
        spec.engine === 'native'
          ? openNative(spec, prompt)
          : await openInPage(spec, pages.get(spec.name) ?? (await browser.openPage()), prompt)
      runners.set(spec.name, subject.runner)
      opened.push({ ...subject, spec })
    }
    await Promise.all(
      opened.map(async ({ spec, load }) => {
        subjects[spec.name] = { format: spec.format, ...(await load()) }
      }),
    )
    // Browsers run WASM unoptimised at first: nobody is timed in that state.
    for (const runner of runners.values()) await runner.prefill(WARM_UP_TOKENS)
    const samples: Sample[] = []
    const contexts = new Map<string, Set<number>>()
    for (const step of plan.steps) {
      if (step.isOptional && Date.now() > deadline) break
      const runner = runners.get(step.subject)
      if (runner === undefined) throw new Error(`${step.subject} is in no list of subjects`)
      await fill(runner, step, contexts)
      samples.push(await time(runner, step))
    }
    return { samples, subjects }
  } finally {
    for (const runner of runners.values()) await runner.close()
  }
}

/** Before the first decode at a context the cache is filled, untimed. */
async function fill(runner: Runner, step: Step, contexts: Map<string, Set<number>>): Promise<void> {
  const filled = contexts.get(step.subject) ?? new Set()
  if (step.measure === 'decode' && !filled.has(step.tokens)) await runner.decode(step.tokens, 1)
  // These keep a cache for each context; the others have one, which the last step fills, prefill too.
  const hasCaches = /^(minnow|onnxruntime)/.test(step.subject)
  if (!hasCaches) filled.clear()
  if (step.measure === 'decode' || !hasCaches) filled.add(step.tokens)
  contexts.set(step.subject, filled)
}

async function time(runner: Runner, step: Step): Promise<Sample> {
  const before = runner.cpuSeconds()
  const isPrefill = step.measure === 'prefill'
  const milliseconds = isPrefill
    ? await runner.prefill(step.tokens)
    : await runner.decode(step.tokens, step.count)
  const after = runner.cpuSeconds()
  const tokens = isPrefill ? step.tokens : step.count
  return {
    ...step,
    milliseconds,
    tokensPerSecond: (tokens / milliseconds) * 1000,
    cpuSeconds: before === null || after === null ? null : after - before,
  }
}

interface Opened {
  readonly runner: Runner
  /** Loads the model. @returns what the subject says of itself */
  load(): Promise<Record<string, unknown>>
}

async function openInPage(
  spec: SubjectSpec,
  { page, rendererPid, close }: BenchPage,
  prompt: Prompt,
): Promise<Opened> {
  if (spec.engine === 'native') throw new Error('llama.cpp does not run in a page')
  const request: SubjectRequest = {
    kind: spec.engine,
    provider: 'wasm',
    threads: spec.threads,
    modelUrl: `/models/smollm2-${spec.format}.${spec.engine === 'onnxruntime' ? 'onnx' : 'gguf'}`,
    contextLength: CONTEXT_LENGTH,
    prompt,
  }
  const runner: Runner = {
    prefill: (count) => page.evaluate((tokens) => bench.prefill(tokens), count),
    decode: (context, count) =>
      page.evaluate(([at, tokens]) => bench.decode(at, tokens), [context, count] as const),
    cpuSeconds: () => cpuSecondsOf(rendererPid),
    close,
  }
  const load = async (): Promise<Record<string, unknown>> => {
    const described = await page.evaluate((wanted) => bench.open(wanted), request)
    return spec.engine === 'onnxruntime'
      ? { ...described, choices: await checkChoices(spec.name, page) }
      : described
  }
  return { runner, load }
}

function openNative({ format, threads }: SubjectSpec, prompt: Prompt): Opened {
  const native = new NativeLlama()
  const request = {
    modelPath: modelFile(format),
    threads,
    contextLength: CONTEXT_LENGTH,
    ids: prompt.ids,
  }
  const runner: Runner = {
    prefill: (count) => native.prefill(count),
    decode: (context, count) => native.decode(context, count),
    cpuSeconds: () => native.cpuSeconds,
    close: async () => native.close(),
  }
  return { runner, load: () => native.open(request) }
}
