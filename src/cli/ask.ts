import { text as readAll } from 'node:stream/consumers'
import type { TextMessage } from '../contract/chat-messages'
import type { ChatCompletion, ChatCompletionParams, Engine, TokenLogprob, Usage } from '../contract/engine'
import { EngineError } from '../contract/error'
import { invalid } from './argument-values'
import { readAskArguments, type AskArguments } from './ask-arguments'
import type { Command, CommandEnvironment } from './command'
import { ENGINE_USAGE, openEngine } from './engine-arguments'

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

const USAGE = `Usage: minnow ask "prompt" [options]
Asks a model on this machine and streams its answer to the terminal.

  --max-tokens N        most new tokens (default: what is left of the context)
  --temperature X       0 is greedy (default: 1)
  --seed N              same seed, same answer
  --system TEXT         a system message before the prompt
${ENGINE_USAGE}
  --json                print one JSON object: text, tokenIds, logprobs, usage, timings
  --help

Without a prompt it is read from standard input. Exit codes: 0 answered, 1 failed, 2 wrong arguments, 130 interrupted.`

export const ask: Command = {
  usage: USAGE,
  async run(argv, { output, messages }, signal) {
    const given = readAskArguments(argv)
    const prompt = given.prompt ?? (await readAll(process.stdin)).trim()
    if (prompt === '') throw invalid('The prompt is empty.')
    const startMs = performance.now()
    const engine = await openEngine(given, messages, signal)
    const loadMs = performance.now() - startMs
    try {
      const params = toParams(prompt, given)
      if (given.json) {
        const completion = await engine.chat.completions.create(
          { ...params, stream: false, logprobs: true, top_logprobs: 5, minnow: { tokenIds: true } },
          { signal },
        )
        output.write(`${JSON.stringify(toResult(completion, engine, loadMs))}\n`)
      } else await stream(engine, params, output, messages, signal)
    } finally {
      await engine.dispose()
    }
  },
}

async function stream(
  engine: Engine,
  params: ChatCompletionParams,
  output: CommandEnvironment['output'],
  messages: CommandEnvironment['messages'],
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

function toParams(prompt: string, given: AskArguments): ChatCompletionParams {
  const messages: TextMessage[] = []
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
