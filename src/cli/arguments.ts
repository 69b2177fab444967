import { parseArgs } from 'node:util'
import type { KvCache } from '../contract/engine'
import { EngineError } from '../contract/error'

export const USAGE = `Usage: npm run ask -- "prompt" [options]
Asks the embedded model and streams its answer to the terminal.

  --max-tokens N        most new tokens (default: what is left of the context)
  --temperature X       0 is greedy (default: 1)
  --seed N              same seed, same answer
  --threads N           default: what suits this machine
  --context N           most tokens of prompt and answer together
  --kv-cache FORM       8-bit or 16-bit (default): how past tokens' keys and values are kept
  --system TEXT         a system message before the prompt
  --model PATH          a GGUF file, or a folder made by "npm run models:add" (default: the embedded model)
  --json                print one JSON object: text, tokenIds, logprobs, usage, timings
  --help

Without a prompt it is read from standard input. Exit codes: 0 answered, 1 failed, 2 wrong arguments, 130 interrupted.`

export interface AskArguments {
  prompt: string | null
  system: string | null
  model: string | null
  maxTokens: number | null
  temperature: number | null
  seed: number | null
  threads: number | null
  contextLength: number | null
  kvCache: KvCache | null
  json: boolean
  help: boolean
}

/** @throws EngineError 'invalid-argument' that names the argument */
export function readArguments(argv: readonly string[]): AskArguments {
  const { values, positionals } = parse(argv)
  if (positionals.length > 1) {
    throw invalid(`There are ${positionals.length} prompts; one is taken. Put it in quotes.`)
  }
  return {
    prompt: positionals[0] ?? null,
    system: values.system ?? null,
    model: values.model ?? null,
    maxTokens: count('--max-tokens', values['max-tokens']),
    temperature: decimal('--temperature', values.temperature, 0, 2),
    seed: whole('--seed', values.seed),
    threads: count('--threads', values.threads),
    contextLength: count('--context', values.context),
    kvCache: kvCacheOf(values['kv-cache']),
    json: values.json ?? false,
    help: values.help ?? false,
  }
}

function parse(argv: readonly string[]) {
  const text = { type: 'string' } as const
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        'max-tokens': text,
        temperature: text,
        seed: text,
        threads: text,
        context: text,
        'kv-cache': text,
        system: text,
        model: text,
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    // Node's message names the argument.
    throw invalid(error instanceof Error ? error.message : String(error))
  }
}

function kvCacheOf(value: string | undefined): KvCache | null {
  if (value === undefined || value === '8-bit' || value === '16-bit') return value ?? null
  throw invalid(`--kv-cache must be 8-bit or 16-bit, but is ${JSON.stringify(value)}.`)
}

function count(name: string, value: string | undefined): number | null {
  const number = whole(name, value)
  if (number === 0) throw invalid(`${name} must be above 0, but is 0.`)
  return number
}

function whole(name: string, value: string | undefined): number | null {
  if (value === undefined) return null
  if (!/^\d{1,15}$/.test(value))
    throw invalid(`${name} must be a whole number, but is ${JSON.stringify(value)}.`)
  return Number(value)
}

function decimal(name: string, value: string | undefined, least: number, most: number): number | null {
  if (value === undefined) return null
  const number = value.trim() === '' ? Number.NaN : Number(value)
  if (!(number >= least && number <= most)) {
    throw invalid(`${name} must be a number from ${least} to ${most}, but is ${JSON.stringify(value)}.`)
  }
  return number
}

function invalid(message: string): EngineError {
  return new EngineError('invalid-argument', message)
}
