import { EngineError } from '../contract/error'
import type { ModelStorage, PieceFile } from './model-storage'
import type { Piece } from './pieces'
import { writeFailure } from './storage-full'
import { readStream } from './stream-reader'

const ROOT = 'minnow-models'
const DATA = 'model.gguf'
/** A byte a piece: 1 where it is held. A byte is written whole or not at all, whatever ends the worker. */
const MAP = 'pieces'
/** Written in turns, so that one is always whole. */
const RECORDS = ['record-0.json', 'record-1.json'] as const

/** What is used of FileSystemSyncAccessHandle, which only the types of workers have. */
interface SyncHandle {
  read(into: Uint8Array, options: { at: number }): number
  write(bytes: Uint8Array, options: { at: number }): number
  truncate(sizeBytes: number): void
  getSize(): number
  flush(): void
  close(): void
}

interface SyncFileHandle {
  /** Browsers that don't know the mode (Chromium 121 does) open for one user at a time. */
  createSyncAccessHandle(options?: { mode: 'readwrite' | 'readwrite-unsafe' }): Promise<SyncHandle>
}

/** Null where the browser has no origin private file system, or not in this thread. */
export async function openOpfsModels(): Promise<ModelStorage | null> {
  const storage = globalThis.navigator?.storage as StorageManager | undefined
  if (storage?.getDirectory === undefined || typeof FileSystemFileHandle === 'undefined') return null
  if (!('createSyncAccessHandle' in FileSystemFileHandle.prototype)) return null
  const root = await storage.getDirectory()
  return new OpfsModels(await root.getDirectoryHandle(ROOT, { create: true }))
}

/** One folder a model. Exported for tests, which give it a folder of their own. */
export class OpfsModels implements ModelStorage {
  readonly kind = 'opfs'
  readonly #root: FileSystemDirectoryHandle

  constructor(root: FileSystemDirectoryHandle) {
    this.#root = root
  }

  async keys(): Promise<string[]> {
    const keys: string[] = []
    for await (const [name, { kind }] of this.#root.entries()) if (kind === 'directory') keys.push(name)
    return keys
  }

  async readRecord(key: string): Promise<unknown> {
    return (await this.#newest(key))?.record
  }

  async writeRecord(key: string, record: unknown): Promise<void> {
    const newest = await this.#newest(key)
    const serial = (newest?.serial ?? 0) + 1
    const folder = await this.#root.getDirectoryHandle(key, { create: true })
    const handle = await openSync(folder, RECORDS[serial % 2]!, 'readwrite')
    const bytes = new TextEncoder().encode(JSON.stringify({ serial, record }))
    try {
      handle.truncate(0)
      writeAll(handle, bytes, 0)
      handle.flush()
    } finally {
      handle.close()
    }
  }

  async openFile(key: string, pieces: readonly Piece[]): Promise<PieceFile> {
    const folder = await this.#root.getDirectoryHandle(key, { create: true })
    const last = pieces.at(-1)!
    const sizeBytes = last.offset + last.sizeBytes
    let data: SyncHandle
    try {
      data = await openSync(folder, DATA, 'readwrite-unsafe')
    } catch (error) {
      if (!isBusy(error)) throw error
      return openToRead(folder, pieces)
    }
    try {
      const map = await openSync(folder, MAP, 'readwrite-unsafe')
      return new OpfsFile(data, map, pieces, sizeBytes)
    } catch (error) {
      data.close()
      throw error
    }
  }

  async held(key: string, count: number): Promise<Uint8Array> {
    const held = new Uint8Array(count)
    const folder = await this.#root.getDirectoryHandle(key)
    const map = await folder.getFileHandle(MAP).catch(() => null)
    if (map !== null) held.set(await bytesOf(map, count))
    return held
  }

  async toBlob(key: string): Promise<Blob> {
    const folder = await this.#root.getDirectoryHandle(key)
    return (await folder.getFileHandle(DATA)).getFile()
  }

  async delete(key: string): Promise<void> {
    try {
      await this.#root.removeEntry(key, { recursive: true })
    } catch (cause) {
      if (isBusy(cause)) {
        throw new EngineError('storage-busy', 'Another tab has this model open. Close that and try again.', {
          cause,
        })
      }
      if (!(cause instanceof Error) || cause.name !== 'NotFoundError') throw cause
    }
  }

  async #newest(key: string): Promise<{ serial: number; record: unknown } | null> {
    const folder = await this.#root.getDirectoryHandle(key).catch(() => null)
    if (folder === null) return null
    const found = (await Promise.all(RECORDS.map((name) => readJson(folder, name)))).filter(isRecordFile)
    return found.toSorted((a, b) => b.serial - a.serial)[0] ?? null
  }
}

class OpfsFile implements PieceFile {
  readonly held: Uint8Array
  readonly #data: SyncHandle
  readonly #map: SyncHandle

  /** Sizes are those of the pieces, or what is marked does not count. */
  constructor(data: SyncHandle, map: SyncHandle, pieces: readonly Piece[], sizeBytes: number) {
    this.#data = data
    this.#map = map
    this.held = new Uint8Array(pieces.length)
    const dataBytes = data.getSize()
    if (dataBytes <= sizeBytes && map.getSize() === pieces.length) {
      map.read(this.held, { at: 0 })
      for (const { index, offset, sizeBytes: length } of pieces) {
        if (offset + length > dataBytes) this.held[index] = 0
      }
    } else {
      map.truncate(0)
      writeAll(map, this.held, 0)
    }
    try {
      // Asks for all of the room at once: better to know now than in the middle.
      if (dataBytes !== sizeBytes) data.truncate(sizeBytes)
    } catch (cause) {
      this.close()
      throw writeFailure(cause, sizeBytes - dataBytes)
    }
  }

  async read({ offset, sizeBytes }: Piece, into: ArrayBuffer): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(into, 0, sizeBytes)
    return bytes.subarray(0, this.#data.read(bytes, { at: offset }))
  }

  async write(piece: Piece, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    writeAll(this.#data, bytes, piece.offset)
    this.#mark(piece, 1)
  }

  async forget(piece: Piece): Promise<void> {
    this.#mark(piece, 0)
  }

  close(): void {
    this.#data.close()
    this.#map.close()
  }

  #mark({ index }: Piece, value: number): void {
    this.held[index] = value
    writeAll(this.#map, this.held.subarray(index, index + 1), index)
  }
}

/** For a tab that finds the file open elsewhere, where only one may have it: another tab reads it as well. */
async function openToRead(folder: FileSystemDirectoryHandle, pieces: readonly Piece[]): Promise<PieceFile> {
  const data = await (await folder.getFileHandle(DATA)).getFile()
  const map = await bytesOf(await folder.getFileHandle(MAP), pieces.length)
  const refuse = async (): Promise<void> => {
    throw new EngineError('storage-busy', 'Another tab has this model open; what is damaged stays so.')
  }
  return {
    held: Uint8Array.from(pieces, ({ index, offset, sizeBytes }) =>
      map[index] === 1 && offset + sizeBytes <= data.size ? 1 : 0,
    ),
    async read({ offset, sizeBytes }, into) {
      const bytes = await readStream(data.slice(offset, offset + sizeBytes).stream(), into, sizeBytes)
      return bytes ?? new Uint8Array(0)
    },
    write: refuse,
    forget: async () => undefined,
    close: () => undefined,
  }
}

async function bytesOf(handle: FileSystemFileHandle, count: number): Promise<Uint8Array> {
  return new Uint8Array(await (await handle.getFile()).slice(0, count).arrayBuffer())
}

async function openSync(
  folder: FileSystemDirectoryHandle,
  name: string,
  mode: 'readwrite' | 'readwrite-unsafe',
): Promise<SyncHandle> {
  const handle = await folder.getFileHandle(name, { create: true })
  return (handle as unknown as SyncFileHandle).createSyncAccessHandle({ mode })
}

/** @throws EngineError 'storage-full' */
function writeAll(handle: SyncHandle, bytes: Uint8Array, at: number): void {
  let done = 0
  try {
    done = handle.write(bytes, { at })
  } catch (cause) {
    throw writeFailure(cause, bytes.length)
  }
  // Chromium 156 does not throw where the quota ends: it gives the error's number, unsigned, as a count.
  if (done === bytes.length) return
  const short = new DOMException(`${done} of ${bytes.length} bytes were written`, 'QuotaExceededError')
  throw writeFailure(short, bytes.length)
}

async function readJson(folder: FileSystemDirectoryHandle, name: string): Promise<unknown> {
  try {
    return JSON.parse(await (await (await folder.getFileHandle(name)).getFile()).text())
  } catch {
    // Not there, or cut off by whatever ended its writer.
    return undefined
  }
}

function isRecordFile(value: unknown): value is { serial: number; record: unknown } {
  return (
    typeof value === 'object' && value !== null && 'serial' in value && Number.isSafeInteger(value.serial)
  )
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && error.name === 'NoModificationAllowedError'
}
