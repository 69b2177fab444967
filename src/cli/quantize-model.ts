import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import {
  quantizeModelFile,
  type MixedReport,
  type QuantizeOptions,
  type QuantizeReport,
} from '../workbench/node-quantize-model'
import { count, invalid, parsed, sizeInBytes } from './argument-values'
import type { CommandEnvironment } from './command'
import { createProgress } from './progress'
import { textTable } from './text-table'

export const QUANTIZE_USAGE = `minnow models quantize IN.gguf OUT.gguf --type TYPE [options]
Writes a model's matrices in another type, tensor by tensor, and says what that does to each. IN may be a folder too.
  --type TYPE           q4_0, q4_1, q8_0, f16, or mixed: for each group of matrices q4_0, q4_1 or q8_0, by what each does
                        to the answers on a text
  --embedding TYPE      of the embedding and the head (default: q8_0 with 4 bits; mixed chooses)
  --max-bytes N         of the file; also as 96M (default with mixed: what q4_1 takes)
  --text FILE           mixed: a text as the model will meet
  --tokens N            mixed: how much of it is read for each measurement (default: 256)
  --bands N             mixed: layers are taken in so many bands (default: 6)
  --threads N           mixed: default: what suits this machine
  --force               replace a file that exists
  --json                print one JSON object`

const TYPES = { q4_0: 'Q4_0', q4_1: 'Q4_1', q8_0: 'Q8_0', f16: 'F16' } as const
/** Rows of the report: the tensors that lost most. */
const WORST = 5

export interface QuantizeArguments extends QuantizeOptions {
  from: string
  to: string
  textFile: string | null
  json: boolean
}

export async function quantizeModel(
  argv: readonly string[],
  { output, messages }: CommandEnvironment,
  signal: AbortSignal,
): Promise<void> {
  const { from, to, json, textFile, ...options } = readQuantizeArguments(argv)
  const text = textFile === null ? '' : await readFile(textFile, 'utf8')
  const measuring = createProgress(messages, 'measuring')
  const writing = createProgress(messages, 'writing')
  const report = await quantizeModelFile(from, to, {
    ...options,
    ...(options.measure === undefined ? {} : { measure: { ...options.measure, text } }),
    signal,
    onProgress: (what, done, total) => (what === 'measuring' ? measuring : writing).at(done, total),
  })
  writing.end()
  output.write(json ? `${JSON.stringify(report)}\n` : `${describe(to, report)}\n`)
}

/** @throws EngineError 'invalid-argument' that names the argument */
export function readQuantizeArguments(argv: readonly string[]): QuantizeArguments {
  const text = { type: 'string' } as const
  const { values, positionals } = parsed(() =>
    parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        type: text,
        embedding: text,
        'max-bytes': text,
        text,
        tokens: text,
        bands: text,
        threads: text,
        force: { type: 'boolean' },
        json: { type: 'boolean' },
      },
    }),
  )
  const [from, to, third] = positionals
  if (from === undefined || to === undefined || third !== undefined)
    throw invalid(`Give IN.gguf and OUT.gguf; there are ${positionals.length} names.`)
  const type = values.type === 'mixed' ? 'mixed' : typeOf('--type', values.type)
  if (type === undefined) throw invalid(`Give --type: ${Object.keys(TYPES).join(', ')} or mixed.`)
  if (type === 'mixed' && values.text === undefined)
    throw invalid('--type mixed needs --text FILE to measure with.')
  if (type === 'mixed' && values.embedding !== undefined)
    throw invalid('--type mixed chooses the type of the embedding: leave --embedding out.')
  return {
    from,
    to,
    type,
    embeddingType: typeOf('--embedding', values.embedding),
    maxBytes: sizeInBytes('--max-bytes', values['max-bytes']) ?? undefined,
    measure:
      type === 'mixed'
        ? {
            text: '',
            tokens: count('--tokens', values.tokens) ?? 256,
            bands: count('--bands', values.bands) ?? 6,
            threads: count('--threads', values.threads) ?? undefined,
          }
        : undefined,
    textFile: values.text ?? null,
    force: values.force ?? false,
    json: values.json ?? false,
  }
}

function typeOf(name: string, value: string | undefined): (typeof TYPES)[keyof typeof TYPES] | undefined {
  if (value === undefined) return undefined
  const found = Object.entries(TYPES).find(([known]) => known === value.toLowerCase())
  if (found === undefined) {
    throw invalid(`${name} must be one of ${Object.keys(TYPES).join(', ')}, but is ${JSON.stringify(value)}.`)
  }
  return found[1]
}

function describe(to: string, report: QuantizeReport): string {
  const { sizeBytesBefore, sizeBytesAfter, tensors, requantised, mixed } = report
  const changed = tensors.filter(({ from, to: type }) => from !== type)
  const worst = changed.toSorted((a, b) => b.relativeError - a.relativeError).slice(0, WORST)
  const parts = [
    `${to}: ${megabytes(sizeBytesBefore)} before, ${megabytes(sizeBytesAfter)} now; ` +
      `${changed.length} of ${tensors.length} tensors changed.`,
  ]
  if (requantised > 0) {
    parts.push(
      `${requantised} of them were quantised before: errors are against that, not against the original.`,
    )
  }
  if (mixed !== null) parts.push(describeMixed(mixed, sizeBytesAfter))
  if (worst.length > 0) {
    const rows = worst.map(
      ({ name, from, to: type, sizeBytesBefore: was, sizeBytesAfter: is, relativeError }) => [
        name,
        `${from} → ${type}`,
        `${was} → ${is} bytes`,
        `${(relativeError * 100).toFixed(3)} %`,
      ],
    )
    parts.push(`Largest errors (root mean square, of the tensor's own):\n${textTable(rows, [3])}`)
  }
  return parts.join('\n')
}

function describeMixed({ groups, tokens, divergence, uniform }: MixedReport, sizeBytes: number): string {
  const rows = [
    ['group', 'type', 'alone in Q4_0', 'in Q4_1'],
    ...groups.map(({ name, type, damage }) => [name, type, damage.Q4_0.toFixed(5), damage.Q4_1.toFixed(5)]),
  ]
  const others = uniform.map(
    ({ type, sizeBytes: size, divergence: other }) =>
      `${type} throughout, embedding in Q8_0: ${other.toFixed(5)} in ${megabytes(size)}`,
  )
  return (
    `Divergence from the source on ${tokens} tokens, in nats: ${divergence.toFixed(5)} in ${megabytes(sizeBytes)}. ` +
    `${others.join('; ')}.\n${textTable(rows, [2, 3])}`
  )
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`
}
