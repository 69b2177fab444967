/**
 * Native llama.cpp through node-llama-cpp, in a process of its own: `node --import tsx bench/native-child.ts`,
 * started by `native.ts`, which sends requests and gets answers over the process's message channel.
 */
import { getLlama, type LlamaContext, type LlamaContextSequence, type Token } from 'node-llama-cpp'
import type { NativeAnswer, NativeRequest } from './native'

const BATCH = 512

let context: LlamaContext | null = null
let sequence: LlamaContextSequence | null = null
let prompt: Token[] = []

async function open(
  modelPath: string,
  threads: number,
  contextLength: number,
  ids: readonly number[],
): Promise<unknown> {
  const llama = await getLlama({ gpu: false, build: 'never', maxThreads: 0 })
  const model = await llama.loadModel({ modelPath })
  context = await model.createContext({
    contextSize: contextLength,
    batchSize: BATCH,
    threads,
    flashAttention: true,
  })
  sequence = context.getSequence()
  prompt = ids as Token[]
  return {
    threads: context.currentThreads,
    batch: BATCH,
    flashAttention: true,
    cacheType: 'f16',
    systemInfo: llama.systemInfo,
  }
}

async function prefill(count: number): Promise<number> {
  const { opened } = current()
  await opened.clearHistory()
  const start = performance.now()
  await appendAndChoose(opened, prompt.slice(0, count))
  return performance.now() - start
}

async function decode(promptLength: number, count: number): Promise<number> {
  const { opened } = current()
  if (opened.nextTokenIndex < promptLength) {
    await opened.clearHistory()
    await opened.evaluateWithoutGeneratingNewTokens(prompt.slice(0, promptLength))
  }
  await opened.eraseContextTokenRanges([{ start: promptLength - 1, end: opened.nextTokenIndex }])
  let start = 0
  let made = -1
  // The first token comes of the last prompt token; the clock starts with it.
  for await (const _ of opened.evaluate([prompt[promptLength - 1]!], { temperature: 0 })) {
    made++
    if (made === 0) start = performance.now()
    if (made === count) return performance.now() - start
  }
  throw new Error(`llama.cpp stopped after ${made} tokens`)
}

/** Evaluates tokens and takes the most likely next one, as the others do. */
async function appendAndChoose(opened: LlamaContextSequence, tokens: Token[]): Promise<void> {
  const last = tokens.at(-1)!
  await opened.controlledEvaluate([
    ...tokens.slice(0, -1),
    [last, { generateNext: { token: true, options: { temperature: 0 } } }],
  ])
}

function current(): { opened: LlamaContextSequence } {
  if (context === null || sequence === null) throw new Error('open comes first')
  return { opened: sequence }
}

async function handle(request: NativeRequest): Promise<unknown> {
  if (request.call === 'open')
    return open(request.modelPath, request.threads, request.contextLength, request.ids)
  if (request.call === 'prefill') return prefill(request.count)
  return decode(request.context, request.count)
}

process.on('message', (request: NativeRequest) => {
  const before = process.cpuUsage()
  handle(request).then(
    (value) => {
      const { user, system } = process.cpuUsage(before)
      reply({ value, cpuSeconds: (user + system) / 1e6 })
    },
    (error: unknown) =>
      reply({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  )
})

function reply(answer: NativeAnswer): void {
  process.send?.(answer)
}
