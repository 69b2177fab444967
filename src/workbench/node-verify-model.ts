import { createHash } from 'node:crypto'
import { open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ByteSource } from '../contract/bytes'
import { EngineError, isEngineError } from '../contract/error'
import { sizeInBytes } from '../gguf/block-layout'
import { dequantize } from '../gguf/blocks'
import { describeGguf } from '../gguf/describe'
import { parseGguf } from '../gguf/parse'
import { readModel } from '../model/read-model'
import { parseManifest, type Manifest } from '../store/manifest'
import { openFileSource, openModelFolder } from '../store/node-file'
import { piecesOf } from '../store/pieces'

const PIECE_WEIGHTS = 2 ** 18

export interface Verification {
  readonly path: string
  readonly sizeBytes: number
  /** Of the whole file as it is here, lower-case hex; null where parts of it are missing. */
  readonly sha256: string | null
  /** Pieces whose hashes were compared; 0 for a file without a manifest. */
  readonly pieces: number
  /** All that is wrong, for people; empty where nothing is. */
  readonly problems: readonly string[]
  /** Why Minnow can't run it, though nothing is wrong with it; null where it can. */
  readonly unsupported: string | null
}

export interface VerifyOptions {
  signal?: AbortSignal | undefined
  onProgress?: (doneBytes: number, totalBytes: number) => void
}

/**
 * Compares every piece, chunk and the whole of a model's folder with its manifest, and reads the GGUF: header, the tensors
 * its architecture needs, and every weight, which must be a number. Of a GGUF file, only the latter.
 * @throws EngineError 'invalid-argument' where there is nothing to read, 'invalid-model' for a broken manifest
 */
export async function verifyModel(path: string, options: VerifyOptions = {}): Promise<Verification> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new EngineError('invalid-argument', `There is no model at ${path}. Check the path.`, { cause })
  })
  return found.isDirectory() ? verifyFolder(path, options) : verifyFile(path, options)
}

async function verifyFile(path: string, options: VerifyOptions): Promise<Verification> {
  const source = await openFileSource(path)
  try {
    const hash = createHash('sha256')
    for (let at = 0; at < source.sizeBytes; at += 2 ** 20) {
      hash.update(await source.read(at, Math.min(2 ** 20, source.sizeBytes - at), options))
    }
    const { problems, unsupported } = await readWhole(source, null, options)
    return { path, sizeBytes: source.sizeBytes, sha256: hash.digest('hex'), pieces: 0, problems, unsupported }
  } finally {
    await source.close()
  }
}

async function verifyFolder(folder: string, options: VerifyOptions): Promise<Verification> {
  const path = join(folder, 'manifest.json')
  const json = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new EngineError('invalid-argument', `${path} can't be read: ${String(cause)}. Check the folder.`, {
      cause,
    })
  })
  const manifest = parseManifest(json)
  const { problems, sha256, pieces } = await compareChunks(folder, manifest, options)
  if (problems.length > 0) {
    return { path: folder, sizeBytes: manifest.sizeBytes, sha256, pieces, problems, unsupported: null }
  }
  const { source } = await openModelFolder(folder)
  const read = await readWhole(source, manifest, options)
  return { path: folder, sizeBytes: manifest.sizeBytes, sha256, pieces, ...read }
}

async function compareChunks(
  folder: string,
  manifest: Manifest,
  { signal, onProgress }: VerifyOptions,
): Promise<{ problems: string[]; sha256: string | null; pieces: number }> {
  const problems: string[] = []
  const whole = createHash('sha256')
  const all = piecesOf(manifest)
  let isWhole = true
  let pieces = 0
  for (const [index, chunk] of manifest.chunks.entries()) {
    const file = await open(join(folder, chunk.file)).catch(() => null)
    if (file === null) {
      problems.push(`${chunk.file} is missing`)
      isWhole = false
      continue
    }
    try {
      const { size } = await file.stat()
      if (size !== chunk.sizeBytes) {
        problems.push(`${chunk.file} has ${size} bytes; the manifest says ${chunk.sizeBytes}`)
        isWhole = false
        continue
      }
      const hash = createHash('sha256')
      for (const piece of all) {
        if (piece.chunkIndex !== index) continue
        signal?.throwIfAborted()
        const bytes = new Uint8Array(piece.sizeBytes)
        const { bytesRead } = await file.read(bytes, 0, bytes.length, piece.from)
        if (bytesRead !== bytes.length || hashOf(bytes) !== piece.sha256) {
          problems.push(`${chunk.file}: bytes ${piece.from} to ${piece.from + bytes.length - 1} are damaged`)
        }
        hash.update(bytes)
        whole.update(bytes)
        pieces++
        onProgress?.(piece.offset + piece.sizeBytes, manifest.sizeBytes)
      }
      const got = hash.digest('hex')
      if (got !== chunk.sha256) problems.push(`${chunk.file} has the SHA-256 ${got}, not ${chunk.sha256}`)
    } finally {
      await file.close()
    }
  }
  const sha256 = isWhole ? whole.digest('hex') : null
  if (sha256 !== null && sha256 !== manifest.sha256) {
    problems.push(`the whole file has the SHA-256 ${sha256}, not ${manifest.sha256}`)
  }
  return { problems, sha256, pieces }
}

/** Reads the file as an engine would, and every weight. */
async function readWhole(
  source: ByteSource,
  manifest: Manifest | null,
  { signal }: VerifyOptions,
): Promise<{ problems: string[]; unsupported: string | null }> {
  const problems: string[] = []
  try {
    const gguf = await parseGguf(source, { signal })
    const { architecture, quantization } = describeGguf(gguf)
    if (manifest !== null && manifest.architecture !== architecture) {
      problems.push(`the architecture is ${architecture}; the manifest says ${manifest.architecture}`)
    }
    if (manifest !== null && manifest.quantization !== quantization) {
      problems.push(`most weights are ${quantization}; the manifest says ${manifest.quantization}`)
    }
    for (const { name, type, shape, offsetBytes } of gguf.tensors.values()) {
      const weights = shape.reduce((product, length) => product * length, 1)
      for (let start = 0; start < weights; start += PIECE_WEIGHTS) {
        const count = Math.min(PIECE_WEIGHTS, weights - start)
        const at = offsetBytes + sizeInBytes(type, start)
        const values = new Float32Array(count)
        dequantize(type, await source.read(at, sizeInBytes(type, count), { signal }), values)
        if (values.every((value) => Number.isFinite(value))) continue
        problems.push(`tensor ${name} has weights that are no numbers`)
        break
      }
    }
    await readModel(gguf, source, { signal })
  } catch (error) {
    if (isEngineError(error, 'unsupported')) return { problems, unsupported: error.message }
    if (!isEngineError(error, 'invalid-model')) throw error
    problems.push(error.message)
  }
  return { problems, unsupported: null }
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
