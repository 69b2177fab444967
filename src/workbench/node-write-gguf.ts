import { open, rename, rm } from 'node:fs/promises'
import { EngineError } from '../contract/error'
import type { ConvertedGguf } from '../gguf/converted-gguf'

/** What writing a tensor in a new type did to it. */
export interface TensorChange {
  readonly name: string
  readonly from: string
  readonly to: string
  readonly sizeBytesBefore: number
  readonly sizeBytesAfter: number
  /** √(Σ (weight − new weight)² / Σ weight²); 0 where it kept its type. */
  readonly relativeError: number
}

export interface WriteGgufOptions {
  /** Of the file it is made of, by name. */
  before: ReadonlyMap<string, { readonly type: string; readonly sizeBytes: number }>
  signal?: AbortSignal | undefined
  onProgress?: (writtenBytes: number, totalBytes: number) => void
}

/**
 * Writes a file as it is converted, under another name until it is whole: what fails or is stopped leaves nothing.
 * @returns a row for every tensor, in file order
 * @throws EngineError 'storage-full' where the disk has no room, 'invalid-argument' where the path can't be written
 */
export async function writeGgufFile(
  path: string,
  converted: ConvertedGguf,
  { before, signal, onProgress }: WriteGgufOptions,
): Promise<TensorChange[]> {
  const unfinished = `${path}.${process.pid}.part`
  const file = await open(unfinished, 'wx').catch((cause: unknown) => {
    throw new EngineError('invalid-argument', `${path} can't be written: ${String(cause)}.`, { cause })
  })
  const squares = new Map<string, { weights: number; errors: number }>()
  try {
    try {
      let written = 0
      for await (const { bytes, tensor, change } of converted.pieces({ signal })) {
        await file.writeFile(bytes)
        written += bytes.length
        if (tensor !== null && change !== null) {
          const sums = squares.get(tensor.name) ?? { weights: 0, errors: 0 }
          sums.weights += change.squares
          sums.errors += change.squaredErrors
          squares.set(tensor.name, sums)
        }
        onProgress?.(written, converted.sizeBytes)
      }
      await file.sync()
    } finally {
      await file.close()
    }
    signal?.throwIfAborted()
    await rename(unfinished, path)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw isDiskFull(error) ? diskFull(path, converted.sizeBytes, error) : error
  }
  return converted.tensors.map(({ name, type, sizeBytes }) => {
    const sums = squares.get(name)
    return {
      name,
      from: before.get(name)?.type ?? type,
      to: type,
      sizeBytesBefore: before.get(name)?.sizeBytes ?? sizeBytes,
      sizeBytesAfter: sizeBytes,
      relativeError: sums === undefined || sums.weights === 0 ? 0 : Math.sqrt(sums.errors / sums.weights),
    }
  })
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
}

function diskFull(path: string, wantedBytes: number, cause: unknown): EngineError {
  return new EngineError(
    'storage-full',
    `The disk has no room for ${path}, which takes ${wantedBytes} bytes. Nothing of it was kept; free space or give another folder.`,
    { details: { wantedBytes }, cause },
  )
}
