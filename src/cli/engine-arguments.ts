import { pathToFileURL } from 'node:url'
import { createEngine } from '../client/create-engine'
import type { Engine, KvCache } from '../contract/engine'
import { count, invalid } from './argument-values'
import type { CommandEnvironment } from './command'

/** Which model, and how it runs: the same for every command. */
export interface EngineArguments {
  model: string | null
  threads: number | null
  contextLength: number | null
  kvCache: KvCache | null
}

export const ENGINE_OPTIONS = {
  model: { type: 'string' },
  threads: { type: 'string' },
  context: { type: 'string' },
  'kv-cache': { type: 'string' },
} as const

export const ENGINE_USAGE = `  --model PATH          a GGUF file, or a folder made by "npm run models:add" (default: the embedded model)
  --threads N           default: what suits this machine
  --context N           most tokens of prompt and answer together
  --kv-cache FORM       8-bit or 16-bit (default): how past tokens' keys and values are kept`

/** @throws EngineError 'invalid-argument' that names the argument */
export function readEngineArguments(values: {
  [name in keyof typeof ENGINE_OPTIONS]?: string | undefined
}): EngineArguments {
  return {
    model: values.model ?? null,
    threads: count('--threads', values.threads),
    contextLength: count('--context', values.context),
    kvCache: kvCacheOf(values['kv-cache']),
  }
}

function kvCacheOf(value: string | undefined): KvCache | null {
  if (value === undefined || value === '8-bit' || value === '16-bit') return value ?? null
  throw invalid(`--kv-cache must be 8-bit or 16-bit, but is ${JSON.stringify(value)}.`)
}

/** Loads the model; in a terminal with its progress. */
export async function openEngine(
  { model, threads, contextLength, kvCache }: EngineArguments,
  messages: CommandEnvironment['messages'],
  signal: AbortSignal,
  parallel: number | null = null,
): Promise<Engine> {
  const bar = messages.isTTY === true ? messages : null
  const engine = await createEngine({
    ...(model === null ? {} : { model: modelUrl(model) }),
    ...(threads === null ? {} : { threads }),
    ...(contextLength === null ? {} : { contextLength }),
    ...(kvCache === null ? {} : { kvCache }),
    ...(parallel === null ? {} : { parallel }),
    signal,
    onProgress: ({ fraction }) => bar?.write(`\rloading ${(fraction * 100).toFixed(0)} %`),
  })
  bar?.write('\r\u001B[K')
  return engine
}

/** A path, unless it is the URL of a server. */
function modelUrl(model: string): URL {
  return /^https?:\/\//.test(model) ? new URL(model) : pathToFileURL(model)
}
