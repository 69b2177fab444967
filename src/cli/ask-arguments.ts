import { parseArgs } from 'node:util'
import { count, decimal, invalid, parsed, whole } from './argument-values'
import { ENGINE_OPTIONS, readEngineArguments, type EngineArguments } from './engine-arguments'

export interface AskArguments extends EngineArguments {
  prompt: string | null
  system: string | null
  maxTokens: number | null
  temperature: number | null
  seed: number | null
  json: boolean
}

/** @throws EngineError 'invalid-argument' that names the argument */
export function readAskArguments(argv: readonly string[]): AskArguments {
  const text = { type: 'string' } as const
  const { values, positionals } = parsed(() =>
    parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        ...ENGINE_OPTIONS,
        'max-tokens': text,
        temperature: text,
        seed: text,
        system: text,
        json: { type: 'boolean' },
      },
    }),
  )
  if (positionals.length > 1) {
    throw invalid(`There are ${positionals.length} prompts; one is taken. Put it in quotes.`)
  }
  return {
    ...readEngineArguments(values),
    prompt: positionals[0] ?? null,
    system: values.system ?? null,
    maxTokens: count('--max-tokens', values['max-tokens']),
    temperature: decimal('--temperature', values.temperature, 0, 2),
    seed: whole('--seed', values.seed),
    json: values.json ?? false,
  }
}
