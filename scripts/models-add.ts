import { parseArgs } from 'node:util'
import { isEngineError } from '../src/contract/error'
import { makeModelFolder } from './model-folder'

const usage = `npm run models:add -- FILE.gguf [options]
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
  --force               replace a folder that exists`

function bytesOf(size: string): number {
  const [, digits = '', unit = ''] = /^(\d+)([KM]?)$/i.exec(size) ?? []
  return digits === '' ? Number.NaN : Number(digits) * { '': 1, K: 2 ** 10, M: 2 ** 20 }[unit.toUpperCase()]!
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      id: text,
      name: text,
      licence: text,
      'licence-file': text,
      attribution: text,
      'source-url': text,
      'chunk-size': { ...text, default: '8M' },
      parent: { ...text, default: 'models' },
      'no-probe': { type: 'boolean', default: false },
      force: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const [file] = positionals
  if (values.help || file === undefined || positionals.length > 1) {
    console.error(usage)
    process.exitCode = values.help ? 0 : 2
    return
  }
  const { folder, manifest } = await makeModelFolder({
    file,
    parent: values.parent,
    id: values.id,
    name: values.name,
    licence: values.licence,
    licenceFile: values['licence-file'],
    attribution: values.attribution,
    sourceUrl: values['source-url'],
    chunkSizeBytes: bytesOf(values['chunk-size']),
    probe: !values['no-probe'],
    force: values.force,
  })
  console.log(
    `${folder}: ${manifest.architecture}, ${manifest.quantization}, ${manifest.parameters} weights, ` +
      `${manifest.chunks.length} chunks, ${manifest.sizeBytes} bytes, ${manifest.licence}`,
  )
}

try {
  await main()
} catch (error) {
  console.error(isEngineError(error) ? `${error.code}: ${error.message}` : error)
  process.exitCode = 1
}
