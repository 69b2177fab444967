import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { parseItems } from '../router/calibration/labelled-item'
import { openBareModel, type BareModel } from '../workbench/node-open-model'
import { measurePerplexity } from '../workbench/perplexity'
import { likeliest, NORMALISATIONS, scoreChoices, type Normalisation } from '../workbench/score-choices'
import { TextReader } from '../workbench/text-reader'
import { count, invalid, parsed } from './argument-values'
import type { Command, CommandEnvironment } from './command'
import { ENGINE_OPTIONS, readEngineArguments, type EngineArguments } from './engine-arguments'
import { createProgress } from './progress'
import { scoredChoices } from './scored-choices'

const USAGE = `Usage: minnow eval perplexity|choice …

minnow eval perplexity --text FILE [options]
How well the model foresees a text, as llama.cpp's tool of that name counts it: windows of --context tokens, the second
half of each is scored.

minnow eval choice --data FILE.jsonl [options]
How often the likeliest choice is the right one: by the sum of its tokens' log-probabilities, and by their mean a token
and a byte. One question a line: query, choices[], gold; or context_options[], continuation, gold; or text, label 0 or 1.
  --limit N             the first N questions only

  --model PATH          a GGUF file, or a folder made by "minnow models add" (default: the embedded model)
  --threads N           default: what suits this machine
  --context N           perplexity: tokens of a window (default: 512)
  --kv-cache FORM       8-bit or 16-bit (default)
  --json                print one JSON object
  --help

Exit codes: 0 done, 1 failed, 2 wrong arguments, 130 interrupted.`

/** Beside the sources and beside what is built of them. */
const EMBEDDED = new URL('../models/smollm2-135m-instruct-q4_1/', import.meta.url)

type Run = Command['run']

const SUBCOMMANDS: Readonly<Record<string, Run>> = { perplexity, choice }

export const evaluate: Command = {
  usage: USAGE,
  async run([name, ...argv], environment, signal) {
    const run = name !== undefined && Object.hasOwn(SUBCOMMANDS, name) ? SUBCOMMANDS[name] : undefined
    if (run === undefined) {
      const known = Object.keys(SUBCOMMANDS).join(' or ')
      throw invalid(name === undefined ? `Which of ${known}?` : `There is no "eval ${name}": ${known}.`)
    }
    await run(argv, environment, signal)
  },
}

async function perplexity(
  argv: readonly string[],
  { output, messages }: CommandEnvironment,
  signal: AbortSignal,
): Promise<void> {
  const { values } = parsed(() =>
    parseArgs({
      args: [...argv],
      options: { ...ENGINE_OPTIONS, text: { type: 'string' }, json: { type: 'boolean' } },
    }),
  )
  const given = readEngineArguments(values)
  if (values.text === undefined) throw invalid('Give --text FILE.')
  const windowLength = given.contextLength ?? 512
  if (windowLength < 4) throw invalid(`--context must be 4 or more, but is ${windowLength}.`)
  const text = await readFile(values.text, 'utf8')
  const model = await open(given, signal)
  const progress = createProgress(messages, 'reading')
  try {
    const measured = await measurePerplexity(model, text, {
      windowLength,
      signal,
      onProgress: (done, total) => progress.at(done, total),
    })
    progress.end()
    if (values.json === true) {
      output.write(`${JSON.stringify({ ...measured, windowLength, ...identity(model) })}\n`)
      return
    }
    const { perplexity: value, standardError, bitsPerByte, scoredTokens, tokens, windows } = measured
    output.write(
      `${model.id}: perplexity ${value.toFixed(4)} ± ${standardError.toFixed(4)}, ${bitsPerByte.toFixed(4)} bits a byte; ` +
        `${scoredTokens} of ${tokens} tokens scored, in ${windows} windows\n`,
    )
  } finally {
    model.backend.dispose()
  }
}

async function choice(
  argv: readonly string[],
  { output, messages }: CommandEnvironment,
  signal: AbortSignal,
): Promise<void> {
  const { values } = parsed(() =>
    parseArgs({
      args: [...argv],
      options: {
        ...ENGINE_OPTIONS,
        data: { type: 'string' },
        limit: { type: 'string' },
        json: { type: 'boolean' },
      },
    }),
  )
  const given = readEngineArguments(values)
  if (values.data === undefined) throw invalid('Give --data FILE.jsonl.')
  const limit = count('--limit', values.limit) ?? Infinity
  const { items, skippedLines } = parseItems(await readFile(values.data, 'utf8'))
  const questions = items.flatMap((item) => scoredChoices(item) ?? []).slice(0, limit)
  if (questions.length === 0) throw invalid(`${values.data} has no line with choices to compare.`)
  if (skippedLines > 0) messages.write(`${skippedLines} lines could not be used\n`)
  const model = await open(given, signal)
  const progress = createProgress(messages, 'asking')
  try {
    const reader = new TextReader(model)
    const right: Record<Normalisation, number> = { sum: 0, byToken: 0, byByte: 0 }
    for (const [index, { pairs, gold }] of questions.entries()) {
      const scores = await scoreChoices(reader, pairs, { signal })
      for (const by of NORMALISATIONS) {
        if (likeliest(scores.map((score) => score[by])) === gold) right[by]++
      }
      progress.at(index + 1, questions.length)
    }
    progress.end()
    const total = questions.length
    const accuracy = Object.fromEntries(NORMALISATIONS.map((by) => [by, right[by] / total]))
    // Of a binomial share.
    const share = right.byByte / total
    const standardError = Math.sqrt((share * (1 - share)) / total)
    if (values.json === true) {
      const result = { questions: total, skippedLines, accuracy, standardError, ...identity(model) }
      output.write(`${JSON.stringify(result)}\n`)
      return
    }
    const percent = (value: number): string => `${(value * 100).toFixed(1)} %`
    output.write(
      `${model.id}: ${total} questions; right by log-probability a byte ${percent(share)} ± ${percent(standardError)}, ` +
        `a token ${percent(right.byToken / total)}, in sum ${percent(right.sum / total)}\n`,
    )
  } finally {
    model.backend.dispose()
  }
}

async function open({ model, threads, kvCache }: EngineArguments, signal: AbortSignal): Promise<BareModel> {
  return openBareModel(model ?? fileURLToPath(EMBEDDED), threads ?? undefined, {
    kvCache: kvCache ?? undefined,
    signal,
  })
}

function identity({ id, hash, quantization, backend }: BareModel): object {
  return { model: id, modelHash: hash, quantization, variant: backend.variant, threads: backend.threads }
}
