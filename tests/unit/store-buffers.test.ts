import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { isEngineError } from '../../src/contract/error'
import { chunkSource, type OpenChunk } from '../../src/store/chunk-source'
import { readBody } from '../../src/store/http'
import type { Manifest } from '../../src/store/manifest'
import { folderChunks } from '../../src/store/node-file'
import { WindowedSource, type LoadWindow } from '../../src/store/windowed-source'

const windowBytes = 1000
const count = 12
const file = new Uint8Array(randomBytes(count * windowBytes - 300))
const sizes = Array.from({ length: count }, (_, index) => windowOf(index).length)

function windowOf(index: number): Uint8Array<ArrayBuffer> {
  return file.slice(index * windowBytes, (index + 1) * windowBytes)
}

function settle(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 5)
  })
}

function* ranges(step: number): Generator<[offset: number, length: number]> {
  for (let at = 0; at < file.length; at += step) yield [at, Math.min(step, file.length - at)]
}

/** Reads into what it is given, and counts the memory it is given. */
class CountingLoader {
  readonly buffers = new Set<ArrayBuffer>()
  readonly asked: number[] = []
  readonly load: LoadWindow = async (index, take) => {
    this.asked.push(index)
    const buffer = await take()
    this.buffers.add(buffer)
    const bytes = new Uint8Array(buffer, 0, sizes[index])
    bytes.set(windowOf(index))
    return bytes
  }

  get bytes(): number {
    return [...this.buffers].reduce((sum, { byteLength }) => sum + byteLength, 0)
  }
}

describe('WindowedSource', () => {
  for (const step of [90, 450, 1000, 2700]) {
    it(`reads a file forwards, ${step} bytes at a time, in the memory of one window`, async () => {
      const loader = new CountingLoader()
      const source = new WindowedSource(sizes, loader.load)
      for (const range of ranges(step)) {
        expect(await source.read(...range)).toEqual(file.subarray(range[0], range[0] + range[1]))
      }
      expect(loader.bytes).toBe(windowBytes)
      expect(loader.asked).toEqual(sizes.map((_, index) => index))
    })
  }

  it('asks for the next window while one is used, and leaves that as it is', async () => {
    const loader = new CountingLoader()
    const source = new WindowedSource(sizes, loader.load)
    const bytes = await source.read(0, windowBytes)
    await settle()
    expect(loader.asked).toEqual([0, 1])
    expect(bytes).toEqual(windowOf(0))
    expect(await source.read(windowBytes + 5, 10)).toEqual(windowOf(1).subarray(5, 15))
  })

  it('goes back and forth without waiting for itself, in the memory of one window', async () => {
    const loader = new CountingLoader()
    const source = new WindowedSource(sizes, loader.load)
    for (const index of [0, 1, 0, 5, 4, 6, 11, 11, 3, 2, 0]) {
      expect(await source.read(index * windowBytes, 100)).toEqual(windowOf(index).subarray(0, 100))
      await settle()
    }
    expect(loader.bytes).toBe(windowBytes)
  })

  it('gives no buffer to a window that is no longer wanted', async () => {
    const outcomes: unknown[] = []
    const loader = new CountingLoader()
    const source = new WindowedSource(sizes, async (index, take, signal) => {
      const loading = loader.load(index, take, signal)
      if (index === 1) loading.catch((error: unknown) => outcomes.push(error))
      return loading
    })
    await source.read(0, 10)
    expect(await source.read(7 * windowBytes, 10)).toEqual(windowOf(7).subarray(0, 10))
    await settle()
    expect(outcomes.map((error) => isEngineError(error, 'aborted'))).toEqual([true])
    expect(loader.bytes).toBe(windowBytes)
  })

  it('never lets a load that was given up write where others read', async () => {
    const controller = new AbortController()
    let finishLate: () => void = () => undefined
    const source = new WindowedSource(sizes, async (index, take, signal) => {
      const bytes = new Uint8Array(await take(), 0, sizes[index])
      if (signal !== undefined) await new Promise<void>((resolve) => (finishLate = resolve))
      bytes.set(signal === undefined ? windowOf(index) : new Uint8Array(bytes.length))
      return bytes
    })
    const first = source.read(0, 10, { signal: controller.signal })
    await settle()
    controller.abort(new Error('enough'))
    await expect(first).rejects.toThrow('enough')
    const bytes = await source.read(0, windowBytes)
    finishLate()
    await settle()
    expect(bytes).toEqual(windowOf(0))
  })

  it('goes on after a window failed', async () => {
    let failures = 2
    const loader = new CountingLoader()
    const source = new WindowedSource(sizes, async (index, take, signal) => {
      if (index === 1 && failures-- > 0) throw new Error('offline')
      return loader.load(index, take, signal)
    })
    await source.read(0, 10)
    await settle()
    await expect(source.read(windowBytes, 10)).rejects.toThrow('offline')
    expect(await source.read(windowBytes, 10)).toEqual(windowOf(1).subarray(0, 10))
    expect(loader.bytes).toBe(windowBytes)
  })
})

const manifest: Manifest = {
  schemaVersion: 1,
  id: 'test',
  name: 'Test',
  architecture: 'llama',
  quantization: 'F32',
  contextLength: 1,
  parameters: 1,
  licence: 'MIT',
  source: { attribution: 'none' },
  file: 'test.gguf',
  sizeBytes: file.length,
  sha256: sha256(file),
  chunks: sizes.map((sizeBytes, index) => ({
    file: `chunk-${index}`,
    sizeBytes,
    sha256: sha256(windowOf(index)),
  })),
}

const pieceBytes = 250

/** The same with hashes of pieces. */
const manifestWithPieces: Manifest = {
  ...manifest,
  chunks: manifest.chunks.map((chunk, index) => {
    const hashes = Array.from({ length: Math.ceil(chunk.sizeBytes / pieceBytes) }, (_, at) =>
      sha256(windowOf(index).subarray(at * pieceBytes, (at + 1) * pieceBytes)),
    )
    return { ...chunk, pieces: { sizeBytes: pieceBytes, sha256: hashes } }
  }),
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** An ArrayBuffer that writes down the sizes asked for. */
function countingArrayBuffer(sizesBytes: number[]): typeof ArrayBuffer {
  return new Proxy(ArrayBuffer, {
    construct(target, [sizeBytes]: [number], newTarget) {
      sizesBytes.push(sizeBytes)
      return Reflect.construct(target, [sizeBytes], newTarget) as ArrayBuffer
    },
  })
}

/** A response whose body a reader's own buffer can be given to, or not, `stepBytes` at a time. */
function responseOf(bytes: Uint8Array, type: 'bytes' | 'default', stepBytes = 64): Response {
  let at = 0
  const pull = (controller: { enqueue(piece: Uint8Array<ArrayBuffer>): void; close(): void }): void => {
    if (at < bytes.length) controller.enqueue(bytes.slice(at, (at += stepBytes)))
    else controller.close()
  }
  const pullBytes = (controller: ReadableByteStreamController): void => {
    pull(controller)
    // A reader that waits with a buffer of its own must get that back.
    controller.byobRequest?.respond(0)
  }
  return new Response(
    type === 'bytes' ? new ReadableStream({ type, pull: pullBytes }) : new ReadableStream({ pull }),
  )
}

afterEach(() => {
  vi.unstubAllGlobals()
})

describe('chunkSource', () => {
  for (const type of ['bytes', 'default'] as const) {
    for (const [what, described, keptBytes] of [
      ['chunk', manifest, windowBytes],
      ['piece', manifestWithPieces, pieceBytes],
    ] as const) {
      it(`keeps one ${what} in memory while it reads streams of type "${type}"`, async () => {
        const allocated: number[] = []
        vi.stubGlobal('ArrayBuffer', countingArrayBuffer(allocated))
        const openChunk: OpenChunk = async (chunk, { fresh }) => {
          const bytes = windowOf(Number(chunk.file.split('-')[1]))
          if (chunk.file === 'chunk-3' && !fresh) bytes[5]! ^= 1
          return responseOf(bytes, type).body!
        }
        const source = chunkSource(described, openChunk)
        for (const range of ranges(450)) {
          expect(await source.read(...range)).toEqual(file.subarray(range[0], range[0] + range[1]))
        }
        // A damaged chunk's buffer was transferred to the stream, so that the second attempt has to make one.
        const buffers = type === 'bytes' ? 2 : 1
        expect(allocated.filter((sizeBytes) => sizeBytes === keptBytes)).toHaveLength(buffers)
        // What is left: reads that span windows, put together, and the byte that tells whether a chunk ends.
        const ends = manifest.chunks.length
        expect(allocated.reduce((sum, sizeBytes) => sum + sizeBytes, 0)).toBe(
          buffers * keptBytes + 450 + ends,
        )
      })
    }

    it(`refuses more bytes than there should be in streams of type "${type}"`, async () => {
      const response = responseOf(file, type)
      const take = async (): Promise<ArrayBuffer> => new ArrayBuffer(windowBytes)
      await expect(readBody(response, new URL('https://a.example/'), 900, { take })).rejects.toMatchObject({
        code: 'integrity',
        details: { expected: 900 },
      })
    })
  }

  it('reads chunks of a folder into the buffer; refuses one of another size', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'minnow-'))
    for (const [index, { file: name }] of manifest.chunks.entries()) {
      await writeFile(join(folder, name), windowOf(index))
    }
    await writeFile(join(folder, 'chunk-1'), file.subarray(0, 1001))
    const source = chunkSource(manifest, folderChunks(folder))
    expect(await source.read(100, 900)).toEqual(file.subarray(100, 1000))
    await expect(source.read(1000, 1)).rejects.toMatchObject({
      code: 'integrity',
      details: { file: 'chunk-1', expected: 1000, got: 1001 },
    })
    await rm(folder, { recursive: true })
  })
})
