import { parseArgs } from 'node:util'
import { EngineError } from '../contract/error'
import { listModels } from '../workbench/node-list-models'
import { makeModelFolder } from '../workbench/node-model-folder'
import { verifyModel } from '../workbench/node-verify-model'
import { invalid, parsed, sizeInBytes } from './argument-values'
import type { Command, CommandEnvironment } from './command'
import { createProgress } from './progress'
import { quantizeModel, QUANTIZE_USAGE } from './quantize-model'
import { textTable } from './text-table'

const USAGE = `Usage: minnow models list|verify|add|quantize …

minnow models list [PATH …] [--json]
Models in folders (default: models): size, type of most weights, licence. Hashes are not compared.

minnow models verify PATH … [--json]
Compares every piece of a model's folder with its manifest and reads the GGUF, every weight of it. Also for a GGUF
file alone. Exit code 1 where something is wrong.

minnow models add FILE.gguf [options]
Cuts a GGUF file into verified chunks under models/ID, with a manifest.
  --id ID               folder's name (default: from the file's name)
  --name NAME           name for people (default: general.name)
  --licence SPDX        licence of the weights (default: general.license)
  --licence-file FILE   text of the licence, copied into the folder
  --attribution TEXT    whom to name (default: the author the file names)
  --source-url URL      where the weights come from
  --chunk-size BYTES    default 8388608; also as 8M or 512K
  --parent FOLDER       default models
  --no-probe            don't run the model for a test of devices: it needs four bytes a weight
  --force               replace a folder that exists

${QUANTIZE_USAGE}

Exit codes: 0 done, 1 failed, 2 wrong arguments, 130 interrupted.`

type Run = Command['run']

const SUBCOMMANDS: Readonly<Record<string, Run>> = { list, verify, add, quantize: quantizeModel }

export const models: Command = {
  usage: USAGE,
  async run([name, ...argv], environment, signal) {
    const run = name !== undefined && Object.hasOwn(SUBCOMMANDS, name) ? SUBCOMMANDS[name] : undefined
    if (run === undefined) {
      const known = Object.keys(SUBCOMMANDS).join(', ')
      throw invalid(name === undefined ? `Which of ${known}?` : `There is no "models ${name}": ${known}.`)
    }
    await run(argv, environment, signal)
  },
}

async function list(argv: readonly string[], { output }: CommandEnvironment): Promise<void> {
  const { values, positionals } = parsed(() =>
    parseArgs({ args: [...argv], allowPositionals: true, options: { json: { type: 'boolean' } } }),
  )
  const paths = positionals.length > 0 ? positionals : ['models']
  const found = (await Promise.all(paths.map(listModels))).flat()
  if (values.json === true) {
    output.write(`${JSON.stringify(found)}\n`)
    return
  }
  const rows = found.map((model) =>
    'problem' in model
      ? [model.path, '', '', '', model.problem]
      : [
          model.path,
          `${(model.sizeBytes / 1e6).toFixed(1)} MB`,
          model.quantization,
          model.licence ?? 'licence unknown',
          model.missingChunks > 0 ? `${model.name} (${model.missingChunks} chunks are missing)` : model.name,
        ],
  )
  output.write(rows.length === 0 ? `No models in ${paths.join(', ')}.\n` : `${textTable(rows, [1])}\n`)
}

async function verify(
  argv: readonly string[],
  { output, messages }: CommandEnvironment,
  signal: AbortSignal,
): Promise<void> {
  const { values, positionals } = parsed(() =>
    parseArgs({ args: [...argv], allowPositionals: true, options: { json: { type: 'boolean' } } }),
  )
  if (positionals.length === 0) throw invalid('Give folders or GGUF files to verify.')
  const results = []
  for (const path of positionals) {
    const progress = createProgress(messages, `comparing ${path}`)
    const result = await verifyModel(path, { signal, onProgress: (done, total) => progress.at(done, total) })
    progress.end()
    results.push(result)
    if (values.json === true) continue
    const { sizeBytes, sha256, pieces, problems, unsupported } = result
    const held = pieces > 0 ? `${pieces} pieces, ` : ''
    const good = unsupported === null ? 'as it should be' : `as it should be, but can't run: ${unsupported}`
    const verdict = problems.length === 0 ? good : problems.map((problem) => `\n  ${problem}`).join('')
    output.write(`${path}: ${held}${sizeBytes} bytes, SHA-256 ${sha256 ?? 'unknown'}: ${verdict}\n`)
  }
  if (values.json === true) output.write(`${JSON.stringify(results)}\n`)
  const broken = results.filter(({ problems }) => problems.length > 0)
  if (broken.length > 0) {
    const paths = broken.map(({ path }) => path).join(', ')
    throw new EngineError('integrity', `${paths}: not what it should be. Get it again.`)
  }
}

async function add(argv: readonly string[], { output }: CommandEnvironment): Promise<void> {
  const text = { type: 'string' } as const
  const { values, positionals } = parsed(() =>
    parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        id: text,
        name: text,
        licence: text,
        'licence-file': text,
        attribution: text,
        'source-url': text,
        'chunk-size': text,
        parent: text,
        'no-probe': { type: 'boolean' },
        force: { type: 'boolean' },
      },
    }),
  )
  const [file, second] = positionals
  if (file === undefined || second !== undefined) throw invalid('Give one FILE.gguf to add.')
  const { folder, manifest } = await makeModelFolder({
    file,
    parent: values.parent ?? 'models',
    id: values.id,
    name: values.name,
    licence: values.licence,
    licenceFile: values['licence-file'],
    attribution: values.attribution,
    sourceUrl: values['source-url'],
    chunkSizeBytes: sizeInBytes('--chunk-size', values['chunk-size']) ?? 8 * 2 ** 20,
    probe: values['no-probe'] !== true,
    force: values.force ?? false,
  })
  output.write(
    `${folder}: ${manifest.architecture}, ${manifest.quantization}, ${manifest.parameters} weights, ` +
      `${manifest.chunks.length} chunks, ${manifest.sizeBytes} bytes, ${manifest.licence}\n`,
  )
}
