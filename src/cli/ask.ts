import { text as readAll } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { createEngine } from '../client/create-engine'
import type {
  ChatCompletion,
  ChatCompletionParams,
  ChatMessage,
  Engine,
  TokenLogprob,
  Usage,
} from '../contract/engine'
import { EngineError, isEngineError } from '../contract/error'
import { readArguments, USAGE, type AskArguments } from './arguments'

interface TextOutput {
  write(text: string): unknown
}

export interface AskEnvironment {
  output: TextOutput
  messages: TextOutput & { isTTY?: boolean }
  onInterrupt(listener: () => void): void
}

/** What `--json` prints. Read by checks from outside: keep it stable. */
interface AskResult {
  text: string
  tokenIds: number[]
  /** Of each token of the answer, with the most likely alternatives; natural logarithms, temperature 1. */
  logprobs: TokenLogprob[]
  finishReason: string
  usage: Omit<Usage, 'minnow'>
  timings: Usage['minnow'] & { loadMs: number }
  model: string
  backend: string
  variant: string
  threads: number
  contextLength: number
  weightsBytes: number
  memoryBytes: number
}

/** Gives the exit code: 0 answered, 1 failed, 2 wrong arguments, 130 interrupted. */
export async function ask(argv: readonly string[], environment: AskEnvironment): Promise<number> {
  const { output, messages, onInterrupt } = environment
  const interrupt = new AbortController()
  onInterrupt(() => interrupt.abort())
  try {
    const given = readArguments(argv)
    if (given.help) {
      output.write(`${USAGE}\n`)
      return 0
    }
    const prompt = given.prompt ?? (await readAll(process.stdin)).trim()
    if (prompt === '') throw new EngineError('invalid-argument', 'The prompt is empty.')
    await answer(prompt, given, environment, interrupt.signal)
    return 0
  } catch (error) {
    if (interrupt.signal.aborted) {
      messages.write('\ninterrupted\n')
      return 130
    }
    if (isEngineError(error, 'invalid-argument')) {
      messages.write(`${error.message}\n\n${USAGE}\n`)
      return 2
    }
    messages.write(`${describe(error)}\n`)
    return 1
  }
}

async function answer(
  prompt: string,
  given: AskArguments,
  { output, messages }: AskEnvironment,
  signal: AbortSignal,
): Promise<void> {
  const startMs = performance.now()
  const bar = messages.isTTY === true ? messages : null
  const engine = await createEngine({
    ...(given.model === null ? {} : { model: modelUrl(given.model) }),
    ...(given.threads === null ? {} : { threads: given.threads }),
    ...(given.contextLength === null ? {} : { contextLength: given.contextLength }),
    ...(given.kvCache === null ? {} : { kvCache: given.kvCache }),
    signal,
    onProgress: ({ fraction }) => bar?.write(`\rloading ${(fraction * 100).toFixed(0)} %`),
  })
  bar?.write('\r\u001B[K')
  const loadMs = performance.now() - startMs
  try {
    const params = toParams(prompt, given)
    if (given.json) {
      const completion = await engine.chat.completions.create(
        { ...params, stream: false, logprobs: true, top_logprobs: 5, minnow: { tokenIds: true } },
        { signal },
      )
      output.write(`${JSON.stringify(toResult(completion, engine, loadMs))}\n`)
      return
    }
    await stream(engine, params, output, messages, signal)
  } finally {
    await engine.dispose()
  }
}

async function stream(
  engine: Engine,
  params: ChatCompletionParams,
  output: TextOutput,
  messages: TextOutput & { isTTY?: boolean },
  signal: AbortSignal,
): Promise<void> {
  const chunks = await engine.chat.completions.create(
    { ...params, stream: true, stream_options: { include_usage: true } },
    { signal },
  )
  let usage: Usage | null = null
  for await (const chunk of chunks) {
    const text = chunk.choices[0]?.delta.content ?? ''
    if (text !== '') output.write(text)
    usage = chunk.usage ?? usage
  }
  output.write('\n')
  if (usage === null || messages.isTTY !== true) return
  const { decodeTokensPerSecond, timeToFirstTokenMs } = usage.minnow
  messages.write(
    `${usage.completion_tokens} tokens, ${decodeTokensPerSecond.toFixed(1)} tokens/s, ` +
      `first token after ${timeToFirstTokenMs.toFixed(0)} ms, ${engine.info.backend} ${engine.info.variant}, ` +
      `threads: ${engine.info.threads}\n`,
  )
}

/** A path, unless it is the URL of a server. */
function modelUrl(model: string): URL {
  return /^https?:\/\//.test(model) ? new URL(model) : pathToFileURL(model)
}

function toParams(prompt: string, given: AskArguments): ChatCompletionParams {
  const messages: ChatMessage[] = []
  if (given.system !== null) messages.push({ role: 'system', content: given.system })
  messages.push({ role: 'user', content: prompt })
  return { messages, max_tokens: given.maxTokens, temperature: given.temperature, seed: given.seed }
}

function toResult(completion: ChatCompletion, engine: Engine, loadMs: number): AskResult {
  const [choice] = completion.choices
  if (choice === undefined) throw new EngineError('internal', 'The engine gave no choice.')
  const { minnow, ...usage } = completion.usage
  const { backend, variant, threads, contextLength, weightsBytes, memoryBytes } = engine.info
  return {
    text: choice.message.content,
    tokenIds: completion.minnow?.tokenIds ?? [],
    logprobs: choice.logprobs?.content ?? [],
    finishReason: choice.finish_reason,
    usage,
    timings: { ...minnow, loadMs },
    model: completion.model,
    backend,
    variant,
    threads,
    contextLength,
    weightsBytes,
    memoryBytes,
  }
}

function describe(error: unknown): string {
  if (isEngineError(error)) return `${error.code}: ${error.message}`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
