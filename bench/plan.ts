import type { ModelFormat } from './models'

/** Who is measured. `name` is the key in tables and JSON. */
export interface SubjectSpec {
  readonly name: string
  readonly engine: 'minnow' | 'wllama' | 'onnxruntime' | 'native'
  readonly format: ModelFormat
  readonly threads: 1 | 2
}

/** One timed run. `tokens` is the length of the prompt, or the context to decode at; `count` the tokens decoded. */
export interface Step {
  readonly subject: string
  readonly measure: 'prefill' | 'decode'
  readonly tokens: number
  readonly count: number
  /** Left out when the time is up. */
  readonly isOptional: boolean
}

export interface Plan {
  readonly subjects: readonly SubjectSpec[]
  readonly steps: readonly Step[]
  /** After this many seconds optional steps are left out; null: never. */
  readonly seconds: number | null
  readonly loadRounds: number
  readonly lookup: {
    readonly prompts: number
    /** With and without, so many times. */
    readonly rounds: number
    readonly maxTokens: number
    readonly threads: readonly (1 | 2)[]
  }
  /** One thread. */
  readonly batch: { readonly rounds: number; readonly tokens: number }
}

function spec(engine: SubjectSpec['engine'], format: ModelFormat, threads: 1 | 2): SubjectSpec {
  const suffix = engine === 'wllama' || engine === 'onnxruntime' ? `-${format}` : ''
  return { name: `${engine}${suffix}-${threads}t`, engine, format, threads }
}

const MINNOW = [spec('minnow', 'q4_1', 1), spec('minnow', 'q4_1', 2)]
const NATIVE = [spec('native', 'q4_1', 1), spec('native', 'q4_1', 2)]

/** About a quarter of an hour on two slow cores; nearly all of it is wllama's prefill. */
export function fullPlan(): Plan {
  const wllamas = [
    spec('wllama', 'q4_1', 1),
    spec('wllama', 'q4_0', 1),
    spec('wllama', 'q8_0', 1),
    spec('wllama', 'q4_1', 2),
  ]
  const onnxruntimes = [spec('onnxruntime', 'q4_1', 1), spec('onnxruntime', 'q4_1', 2)]
  const steps: Step[] = []
  const rounds = 3
  for (let round = 0; round < rounds; round++) {
    for (const [measure, tokens] of [
      ['prefill', 128],
      ['decode', 128],
      ['prefill', 512],
    ] as const) {
      for (const { name, threads } of wllamas) steps.push(...around(name, threads, measure, tokens, 32))
      // A few tokens a second.
      for (const { name, threads } of onnxruntimes) steps.push(...around(name, threads, measure, tokens, 6))
    }
  }
  // Last, because the peers have one cache each, and filling it to 1,024 takes wllama a minute.
  for (let round = 0; round < rounds; round++) {
    for (const threads of [1, 2] as const) {
      steps.push(...around(`wllama-q4_1-${threads}t`, threads, 'decode', 1024, 32))
      steps.push({
        subject: `minnow-${threads}t`,
        measure: 'decode',
        tokens: 128,
        count: 32,
        isOptional: false,
      })
    }
  }
  return {
    seconds: null,
    subjects: [...MINNOW, ...NATIVE, ...wllamas, ...onnxruntimes],
    steps,
    loadRounds: 3,
    lookup: { prompts: 12, rounds: 2, maxTokens: 128, threads: [1, 2] },
    batch: { rounds: 7, tokens: 64 },
  }
}

/**
 * Minnow and native llama.cpp just before the peer: what disturbs one then disturbs all.
 * @param peerCount tokens the peer decodes
 */
function around(
  peer: string,
  threads: 1 | 2,
  measure: Step['measure'],
  tokens: number,
  peerCount: number,
): Step[] {
  return [`minnow-${threads}t`, `native-${threads}t`, peer].map((subject) => ({
    subject,
    measure,
    tokens,
    count: subject === peer ? peerCount : 32,
    isOptional: false,
  }))
}

/** Prompts of the peers in a quick run. Their rates are the same or better there: ratios are not flattered. */
const QUICK_WLLAMA_PROMPT = 12
const QUICK_NATIVE_PROMPT = 32

/** Under 50 seconds: the same keys of fewer samples, and short prompts for the peers. */
export function quickPlan(): Plan {
  const wllamas = [spec('wllama', 'q4_1', 1), spec('wllama', 'q8_0', 1), spec('wllama', 'q4_1', 2)]
  const steps: Step[] = []
  const prefill = (subject: string, tokens: number): void => {
    steps.push({ subject, measure: 'prefill', tokens, count: 0, isOptional: false })
  }
  prefill('wllama-q4_1-1t', QUICK_WLLAMA_PROMPT)
  prefill('native-1t', QUICK_NATIVE_PROMPT)
  prefill('minnow-1t', 512)
  prefill('wllama-q8_0-1t', QUICK_WLLAMA_PROMPT)
  prefill('minnow-2t', 512)
  for (let round = 0; round < 4; round++) {
    const decode = (subject: string, tokens: number, count: number): void => {
      steps.push({ subject, measure: 'decode', tokens, count, isOptional: round > 0 })
    }
    // Three of each in turns, the longer context first: it goes on from the cache that prefill left.
    for (let turn = 0; turn < 3; turn++) {
      decode('minnow-1t', 1024, 24)
      decode('minnow-1t', 128, 24)
    }
    for (const { name, format, threads } of wllamas) {
      if (threads === 2) decode('minnow-2t', 128, 48)
      if (format === 'q4_1') decode(`native-${threads}t`, QUICK_NATIVE_PROMPT, 16)
      decode(name, QUICK_WLLAMA_PROMPT, 5)
    }
  }
  return {
    subjects: [...MINNOW, ...NATIVE, ...wllamas],
    steps,
    seconds: 38,
    loadRounds: 1,
    lookup: { prompts: 1, rounds: 1, maxTokens: 96, threads: [1] },
    batch: { rounds: 1, tokens: 32 },
  }
}

/** Keeps the subjects whose names start with one of `names`. */
export function onlySubjects(plan: Plan, names: readonly string[]): Plan {
  const isWanted = (name: string): boolean => names.some((wanted) => name.startsWith(wanted))
  return {
    ...plan,
    subjects: plan.subjects.filter(({ name }) => isWanted(name)),
    steps: plan.steps.filter(({ subject }) => isWanted(subject)),
  }
}
