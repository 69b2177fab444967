import { open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ByteSource } from '../contract/bytes'
import { EngineError } from '../contract/error'
import { checkChunkSize, chunkSource, type OpenChunk } from './chunk-source'
import type { OnDownloadProgress } from './download-progress'
import { parseManifest, type Manifest } from './manifest'
import { checkRange } from './read-range'

/** An open file. Node only: the command line, scripts and tests; never part of a page. */
export interface FileSource extends ByteSource {
  close(): Promise<void>
}

/** Opens a file for reading in ranges. Rejects with 'invalid-argument' where it can't be opened. */
export async function openFileSource(path: string): Promise<FileSource> {
  const file = await open(path).catch((cause: unknown) => {
    throw new EngineError('invalid-argument', `${path} can't be opened: ${String(cause)}. Check the path.`, {
      cause,
    })
  })
  const { size } = await file.stat()
  return {
    sizeBytes: size,
    async read(offset, length, { signal } = {}) {
      signal?.throwIfAborted()
      checkRange(offset, length, size)
      const bytes = new Uint8Array(length)
      let done = 0
      while (done < length) {
        const { bytesRead } = await file.read(bytes, done, length - done, offset + done)
        signal?.throwIfAborted()
        if (bytesRead === 0) checkRange(offset, length, offset + done) // shortened under us
        done += bytesRead
      }
      return bytes
    },
    close: () => file.close(),
  }
}

/** Reads chunks from the folder that holds them. */
export function folderChunks(folder: string): OpenChunk {
  return async (chunk) => {
    const path = join(folder, chunk.file)
    checkChunkSize(chunk, (await stat(path)).size)
    let at = 0
    return new ReadableStream({
      type: 'bytes',
      autoAllocateChunkSize: 2 ** 16,
      async pull(controller) {
        const { buffer, byteOffset, byteLength } = controller.byobRequest!.view!
        // Opened for each read: nobody closes a stream whose source is forgotten.
        const file = await open(path)
        try {
          const { bytesRead } = await file.read(new Uint8Array(buffer, byteOffset, byteLength), {
            position: at,
          })
          if (bytesRead === 0) controller.close()
          controller.byobRequest!.respond(bytesRead)
          at += bytesRead
        } finally {
          await file.close()
        }
      },
    })
  }
}

/** Opens a folder with a manifest and its chunks, as `npm run models:add` makes it. */
export async function openModelFolder(
  folder: string,
  options: { onProgress?: OnDownloadProgress | undefined } = {},
): Promise<{ manifest: Manifest; source: ByteSource }> {
  const path = join(folder, 'manifest.json')
  const json = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new EngineError('invalid-argument', `${path} can't be read: ${String(cause)}. Check the folder.`, {
      cause,
    })
  })
  const manifest = parseManifest(json)
  return { manifest, source: chunkSource(manifest, folderChunks(folder), options) }
}
