import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { ByteSource } from '../contract/bytes'
import { EngineError } from '../contract/error'
import { describeGguf } from '../gguf/describe'
import { parseGguf } from '../gguf/parse'
import type { Gguf } from '../gguf/types'
import { parseManifest, type Manifest, type ManifestChunk } from '../store/manifest'
import { openFileSource } from '../store/node-file'
import { probeOf } from './model-probe'

export interface ModelFolderOptions {
  /** The GGUF file. */
  file: string
  /** Folder that gets the model's folder. Default 'models'. */
  parent?: string
  /** Default: the file's name, in lower case. */
  id?: string | undefined
  /** Default: `general.name`. */
  name?: string | undefined
  /** SPDX identifier. Default: `general.license`. */
  licence?: string | undefined
  /** Text of the licence, copied beside the chunks. */
  licenceFile?: string | undefined
  /** Whom to name. Default: the author, organization and URL the file names. */
  attribution?: string | undefined
  sourceUrl?: string | undefined
  /** Default 8 MiB. */
  chunkSizeBytes?: number
  /** What has a hash of its own within a chunk, so that this much is verified and used at once. Default 1 MiB. */
  pieceSizeBytes?: number
  /**
   * Run the model on the reference, so that devices can be tested against it (four bytes a weight are needed).
   * Default true.
   */
  probe?: boolean
  /** Replace a folder that exists. Default false. */
  force?: boolean
}

/**
 * Cuts a GGUF file into verified chunks with a manifest: models/ID/{manifest.json, chunk-NN.HASH.bin, LICENSE}.
 * Same file and options, same bytes.
 * @throws EngineError 'invalid-model' or 'unsupported' for a bad file, 'invalid-argument' for bad options.
 */
export async function makeModelFolder(
  options: ModelFolderOptions,
): Promise<{ folder: string; manifest: Manifest }> {
  const { file, parent = 'models', chunkSizeBytes = 8 * 2 ** 20, force = false } = options
  const { pieceSizeBytes = 2 ** 20 } = options
  if (!Number.isSafeInteger(chunkSizeBytes) || chunkSizeBytes < 64 * 1024 || chunkSizeBytes > 2 ** 30) {
    throw new EngineError(
      'invalid-argument',
      `A chunk of ${chunkSizeBytes} bytes; choose 65536 to 1073741824.`,
    )
  }
  const source = await openFileSource(file)
  try {
    const gguf = await parseGguf(source)
    const id = options.id ?? idOf(file)
    const described = describe(gguf, { ...options, id })
    // Checked before anything is written, with a chunk that stands for those to come.
    const whole = { sizeBytes: source.sizeBytes, sha256: '0'.repeat(64) }
    parseManifest({ ...described, ...whole, chunks: [{ file: 'chunk', ...whole }] })

    const folder = join(parent, id)
    await makeFolder(folder, force)
    const { sha256, chunks } = await cut(source, { chunkSizeBytes, pieceSizeBytes }, folder)
    const probe = options.probe === false ? null : await probeOf(source)
    const manifest = parseManifest({
      ...described,
      sizeBytes: source.sizeBytes,
      sha256,
      ...(probe && { probe }),
      chunks,
    })
    await writeFile(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
    if (options.licenceFile !== undefined) await copyFile(options.licenceFile, join(folder, 'LICENSE'))
    return { folder, manifest }
  } finally {
    await source.close()
  }
}

function idOf(file: string): string {
  return basename(file)
    .toLowerCase()
    .replace(/\.gguf$/, '')
    .replaceAll(/[^a-z0-9_-]+/g, '-')
}

type Description = Omit<Manifest, 'sizeBytes' | 'sha256' | 'probe' | 'chunks'>

function describe(gguf: Gguf, options: ModelFolderOptions & { id: string }): Description {
  const { name, architecture, quantization, contextLength, parameters, licence, url, author } =
    describeGguf(gguf)
  const chosenLicence = options.licence ?? licence
  if (chosenLicence === undefined) {
    throw new EngineError(
      'invalid-argument',
      'The file states no licence. Give its SPDX identifier with --licence.',
    )
  }
  const sourceUrl = options.sourceUrl ?? url
  return {
    schemaVersion: 1,
    id: options.id,
    name: options.name ?? name ?? options.id,
    architecture,
    quantization,
    contextLength,
    parameters,
    licence: chosenLicence,
    source: {
      ...(sourceUrl === undefined ? {} : { url: sourceUrl }),
      attribution: options.attribution ?? author ?? `Made from ${basename(options.file)}`,
    },
    file: basename(options.file).replaceAll(/[^A-Za-z0-9._-]+/g, '-'),
  }
}

async function makeFolder(folder: string, force: boolean): Promise<void> {
  if (existsSync(folder)) {
    if (!force) {
      throw new EngineError(
        'invalid-argument',
        `${folder} exists. Give --force to replace it, or another --id.`,
      )
    }
    const old = (await readdir(folder)).filter(
      (name) => name === 'manifest.json' || /^chunk-.*\.bin$/.test(name),
    )
    for (const name of old) await rm(join(folder, name))
  }
  await mkdir(folder, { recursive: true })
}

async function cut(
  source: ByteSource,
  { chunkSizeBytes, pieceSizeBytes }: { chunkSizeBytes: number; pieceSizeBytes: number },
  folder: string,
): Promise<{ sha256: string; chunks: ManifestChunk[] }> {
  const whole = createHash('sha256')
  const count = Math.ceil(source.sizeBytes / chunkSizeBytes)
  const digits = Math.max(2, String(count - 1).length)
  const chunks: ManifestChunk[] = []
  for (let index = 0; index < count; index++) {
    const offset = index * chunkSizeBytes
    const bytes = await source.read(offset, Math.min(chunkSizeBytes, source.sizeBytes - offset))
    const sha256 = hashOf(bytes)
    // The hash in the name: servers and caches may keep a chunk for ever.
    const file = `chunk-${String(index).padStart(digits, '0')}.${sha256.slice(0, 8)}.bin`
    await writeFile(join(folder, file), bytes)
    whole.update(bytes)
    const pieces = { sizeBytes: pieceSizeBytes, sha256: pieceHashes(bytes, pieceSizeBytes) }
    chunks.push({ file, sizeBytes: bytes.length, sha256, pieces })
  }
  return { sha256: whole.digest('hex'), chunks }
}

function pieceHashes(bytes: Uint8Array, pieceSizeBytes: number): string[] {
  return Array.from({ length: Math.ceil(bytes.length / pieceSizeBytes) }, (_, index) =>
    hashOf(bytes.subarray(index * pieceSizeBytes, (index + 1) * pieceSizeBytes)),
  )
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
