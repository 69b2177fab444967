import type { ByteSource } from '../contract/bytes'
import { EngineError } from '../contract/error'
import { describeGguf } from '../gguf/describe'
import { parseGguf } from '../gguf/parse'
import { readModel } from '../model/read-model'
import type { OnDownloadProgress } from '../store/download-progress'
import { parseManifest, type Manifest } from '../store/manifest'
import { lockOf, takeLock } from '../store/model-lock'
import { newRecord, type ModelRecord } from '../store/model-record'
import type { ModelLibrary } from '../store/model-library'
import { piecesOf } from '../store/pieces'
import { Sha256, sha256 } from '../store/sha256'

const PIECE_BYTES = 2 ** 20
const UNKNOWN = '0'.repeat(64)

export interface ImportOptions {
  /** For people, where the file has no name of its own; with or without '.gguf'. */
  fileName: string
  /** Where it comes from, so that an interrupted import goes on; null where it can't. */
  from: ModelRecord['from']
  signal: AbortSignal
  onProgress: OnDownloadProgress
}

/**
 * Keeps a GGUF file on this device, with hashes of its pieces, after a check that it is a model that can be run.
 * @returns its key; that of the same file where it is here already
 * @throws EngineError 'invalid-model', 'unsupported', 'storage-full', or what `source` rejects with
 */
export async function importModel(
  library: ModelLibrary,
  source: ByteSource,
  { fileName, from, signal, onProgress }: ImportOptions,
): Promise<string> {
  const { records, storage } = library
  const gguf = await parseGguf(source, { signal })
  await readModel(gguf, source, { signal })
  const draft = draftManifest(describeGguf(gguf), fileName, source.sizeBytes)
  const key = (from && (await unfinished(library, from))) ?? crypto.randomUUID()
  // Another tab that lists models takes what nobody holds for left over.
  const giveBack = await takeLock(lockOf(key), signal)
  try {
    await records.change(key, (known) => known ?? newRecord(draft, { imported: true, from }))
    const manifest = await copy(library, key, draft, source, { signal, onProgress })
    const same = await records.keyOf(manifest.sha256)
    if (same === null || same === key) {
      await records.update(key, { manifest, complete: true, from: null })
      return key
    }
    await records.delete(key)
    await records.update(same, { imported: true })
    return same
  } catch (error) {
    // From a URL it can go on later; what else was copied is of no use.
    if (from === null) await storage.delete(key).catch(() => undefined)
    throw error
  } finally {
    giveBack()
  }
}

async function copy(
  library: ModelLibrary,
  key: string,
  draft: Manifest,
  source: ByteSource,
  { signal, onProgress }: Pick<ImportOptions, 'signal' | 'onProgress'>,
): Promise<Manifest> {
  const pieces = piecesOf(draft)
  const file = await library.storage.openFile(key, pieces)
  const whole = new Sha256()
  const hashes: string[] = []
  let buffer = new ArrayBuffer(PIECE_BYTES)
  try {
    for (const piece of pieces) {
      const { index, offset, sizeBytes } = piece
      let bytes: Uint8Array<ArrayBuffer>
      if (file.held[index] === 1) bytes = await file.read(piece, buffer)
      else {
        bytes = new Uint8Array(buffer, 0, sizeBytes)
        bytes.set(await source.read(offset, sizeBytes, { signal }))
        await file.write(piece, bytes)
      }
      signal.throwIfAborted()
      if (bytes.length !== sizeBytes)
        throw new EngineError('integrity', 'The file on this device is damaged.')
      whole.update(bytes)
      hashes.push(await sha256(bytes))
      buffer = bytes.buffer
      onProgress({ file: draft.file, loadedBytes: offset + sizeBytes, totalBytes: draft.sizeBytes })
    }
  } finally {
    file.close()
  }
  const hash = whole.hex()
  const [chunk] = draft.chunks
  const chunks = [{ ...chunk!, sha256: hash, pieces: { sizeBytes: PIECE_BYTES, sha256: hashes } }]
  return parseManifest({ ...draft, sha256: hash, chunks })
}

/** The manifest of a file whose hashes are not known yet: one chunk. */
function draftManifest(
  { name, licence, url, author, ...described }: ReturnType<typeof describeGguf>,
  fileName: string,
  sizeBytes: number,
): Manifest {
  const plainName = fileName.replace(/\.gguf$/i, '')
  const file =
    plainName
      .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[^A-Za-z0-9_]+/, '')
      .slice(0, 190) || 'model'
  const pieces = Math.ceil(sizeBytes / PIECE_BYTES)
  return parseManifest({
    ...described,
    schemaVersion: 1,
    id:
      plainName
        .toLowerCase()
        .replaceAll(/[^a-z0-9._-]+/g, '-')
        .replace(/^[^a-z0-9]+/, '')
        .slice(0, 100) || 'model',
    name: (name ?? plainName).slice(0, 1000) || 'model',
    licence: licence ?? 'LicenseRef-unknown',
    source: {
      ...(url === undefined ? {} : { url: url.slice(0, 1000) }),
      attribution: author?.slice(0, 1000) ?? fileName,
    },
    file: `${file}.gguf`,
    sizeBytes,
    sha256: UNKNOWN,
    chunks: [
      {
        file: 'model.gguf',
        sizeBytes,
        sha256: UNKNOWN,
        pieces: { sizeBytes: PIECE_BYTES, sha256: Array.from({ length: pieces }, () => UNKNOWN) },
      },
    ],
  })
}

/** An import of the same file that was interrupted. */
async function unfinished(
  { records }: ModelLibrary,
  from: NonNullable<ModelRecord['from']>,
): Promise<string | null> {
  for (const [key, record] of await records.all()) {
    if (record.complete || record.from === null) continue
    const { url, version, sizeBytes } = record.from
    if (url === from.url && version === from.version && sizeBytes === from.sizeBytes) return key
  }
  return null
}
