import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import type { ByteSource } from '../../src/contract/bytes'
import { EngineError } from '../../src/contract/error'
import { blobSource } from '../../src/store/blob-source'
import { chunkSource, type OpenChunk } from '../../src/store/chunk-source'
import type { Manifest } from '../../src/store/manifest'
import { memorySource } from '../../src/store/memory-source'
import { openFileSource } from '../../src/store/node-file'
import { sha256, sha256Plain } from '../../src/store/sha256'
import { WindowedSource } from '../../src/store/windowed-source'

const chunkBytes = 1000
const file = new Uint8Array(randomBytes(4500))
const pieces = Array.from({ length: 5 }, (_, index) =>
  file.slice(index * chunkBytes, (index + 1) * chunkBytes),
)

function hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

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
  sha256: hex(file),
  chunks: pieces.map((bytes, index) => ({
    file: `chunk-${index}`,
    sizeBytes: bytes.length,
    sha256: hex(bytes),
  })),
}

function piece(name: string): Uint8Array<ArrayBuffer> {
  return pieces[Number(name.slice(-1))]!.slice()
}

function streamOf(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array> {
  return new Blob([bytes]).stream()
}

/** Of type 'default', in the pieces given, as they come. */
function streamInPieces(given: (Uint8Array | Promise<Uint8Array>)[]): ReadableStream<Uint8Array> {
  const left = [...given]
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await left.shift()
      if (next === undefined) controller.close()
      else controller.enqueue(next)
    },
  })
}

const openPiece: OpenChunk = async (chunk) => streamOf(piece(chunk.file))

/** Lets everything that is ready run. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 5)
  })
}

describe('every source', () => {
  const open: Record<string, () => Promise<ByteSource & { close?: () => Promise<void> }>> = {
    memory: async () => memorySource(file),
    blob: async () => blobSource(new Blob([file])),
    chunks: async () => chunkSource(manifest, openPiece),
    windows: async () => new WindowedSource([4500], async () => file),
    file: async () => {
      const folder = await mkdtemp(join(tmpdir(), 'minnow-'))
      await writeFile(join(folder, 'file'), file)
      const source = await openFileSource(join(folder, 'file'))
      return { ...source, close: async () => source.close().then(() => rm(folder, { recursive: true })) }
    },
  }
  for (const [name, make] of Object.entries(open)) {
    it(`reads any range: ${name}`, async () => {
      const source = await make()
      expect(source.sizeBytes).toBe(file.length)
      const range = fc
        .tuple(fc.nat(file.length), fc.nat(file.length))
        .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)
      await fc.assert(
        fc.asyncProperty(range, async ([from, to]) => {
          expect(await source.read(from, to - from)).toEqual(file.subarray(from, to))
        }),
        { numRuns: 60 },
      )
      await expect(source.read(4000, 501)).rejects.toMatchObject({ code: 'invalid-model' })
      await expect(source.read(-1, 5)).rejects.toMatchObject({ code: 'invalid-model' })
      await expect(source.read(0, Number.NaN)).rejects.toMatchObject({ code: 'invalid-model' })
      const reason = new Error('enough')
      await expect(source.read(0, 5, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      await source.close?.()
    })
  }

  it('says so where a file is not there', async () => {
    await expect(openFileSource('/nowhere/at/all.gguf')).rejects.toMatchObject({ code: 'invalid-argument' })
  })
})

describe('chunkSource', () => {
  it('reads each chunk once in a pass, the next one while the last is used', async () => {
    const asked: string[] = []
    const source = chunkSource(manifest, async (chunk) => {
      asked.push(chunk.file)
      return streamOf(piece(chunk.file))
    })
    await source.read(0, 10)
    await settle()
    expect(asked).toEqual(['chunk-0', 'chunk-1'])
    for (let at = 0; at < file.length; at += 450) await source.read(at, 450)
    expect(asked).toEqual(['chunk-0', 'chunk-1', 'chunk-2', 'chunk-3', 'chunk-4'])
    await source.read(0, 10)
    expect(asked.at(5)).toBe('chunk-0')
  })

  it('reports progress that counts each byte once and never falls', async () => {
    const totals: number[] = []
    const source = chunkSource(
      manifest,
      async (chunk) => {
        const bytes = piece(chunk.file)
        const half = bytes.length / 2
        return streamInPieces([bytes.subarray(0, half), bytes.subarray(half)])
      },
      { onProgress: ({ loadedBytes }) => totals.push(loadedBytes) },
    )
    await source.read(0, file.length)
    await source.read(0, file.length)
    expect(totals).toEqual([500, 1000, 1500, 2000, 2500, 3000, 3500, 4000, 4250, 4500])
  })

  it('asks once more, past caches, for a chunk that is damaged or fails', async () => {
    const attempts: [string, boolean][] = []
    const source = chunkSource(manifest, async (chunk, { fresh }) => {
      attempts.push([chunk.file, fresh])
      if (chunk.file === 'chunk-1' && !fresh) throw new TypeError('connection reset')
      const bytes = piece(chunk.file)
      if (chunk.file === 'chunk-2' && !fresh) bytes[7]! ^= 1
      return streamOf(bytes)
    })
    expect(await source.read(0, file.length)).toEqual(file)
    expect(attempts.filter(([name]) => name === 'chunk-1')).toEqual([
      ['chunk-1', false],
      ['chunk-1', true],
    ])
    expect(attempts.filter(([name]) => name === 'chunk-2')).toEqual([
      ['chunk-2', false],
      ['chunk-2', true],
    ])
    expect(attempts).toHaveLength(7)
  })

  it('names a damaged chunk, the hash expected and the one got', async () => {
    const damaged = piece('chunk-2')
    damaged[0]! ^= 0x80
    const source = chunkSource(manifest, async (chunk) =>
      streamOf(chunk.file === 'chunk-2' ? damaged : piece(chunk.file)),
    )
    expect(await source.read(0, 2000)).toEqual(file.subarray(0, 2000))
    await expect(source.read(1990, 20)).rejects.toMatchObject({
      code: 'integrity',
      details: { file: 'chunk-2', expected: manifest.chunks[2]!.sha256, got: hex(damaged) },
      message: expect.stringMatching(/chunk-2/) as string,
    })
  })

  it('names a chunk of the wrong size', async () => {
    const source = chunkSource(manifest, async (chunk) => streamOf(piece(chunk.file).slice(0, 999)))
    await expect(source.read(0, 1)).rejects.toMatchObject({
      code: 'integrity',
      details: { file: 'chunk-0', expected: 1000, got: 999 },
    })
  })

  it('names a chunk that is missing, keeping the cause', async () => {
    const cause = new Error('404')
    const source = chunkSource(manifest, async () => Promise.reject(cause))
    await expect(source.read(0, 1)).rejects.toMatchObject({
      code: 'network',
      details: { file: 'chunk-0' },
      cause,
    })
    const own = new EngineError('network', 'no route')
    await expect(chunkSource(manifest, async () => Promise.reject(own)).read(0, 1)).rejects.toBe(own)
  })

  it('tries a chunk again on the next read after it failed, also where only its prefetch did', async () => {
    let broken = true
    const source = chunkSource(manifest, async (chunk) => {
      if (broken && chunk.file === 'chunk-1') throw new Error('offline')
      return streamOf(piece(chunk.file))
    })
    await source.read(0, 10)
    await settle() // the prefetch of chunk-1 fails; nothing may come of it
    await expect(source.read(1000, 10)).rejects.toMatchObject({ code: 'network' })
    broken = false
    expect(await source.read(1000, 10)).toEqual(file.subarray(1000, 1010))
  })

  it('stops at once when the signal fires, and starts anew for others who wait', async () => {
    const reason = new Error('enough')
    const controller = new AbortController()
    const signals: (AbortSignal | undefined)[] = []
    const source = chunkSource(manifest, async (chunk, { signal }) => {
      signals.push(signal)
      if (signals.length > 1) return streamOf(piece(chunk.file))
      return new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(reason))
      })
    })
    const first = source.read(0, 10, { signal: controller.signal })
    const second = source.read(0, 10)
    await settle()
    controller.abort(reason)
    await expect(first).rejects.toBe(reason)
    expect(await second).toEqual(file.subarray(0, 10))
    expect(signals[0]).toBe(controller.signal)
    expect(signals[1]).toBeUndefined()
  })

  it('does not wait for what was begun for a reader that gave up', async () => {
    let calls = 0
    const source = chunkSource(manifest, async (chunk) =>
      calls++ === 0 ? new Promise(() => undefined) : streamOf(piece(chunk.file)),
    )
    const controller = new AbortController()
    const first = source.read(0, 10, { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(first).rejects.toThrow('enough')
    expect(await source.read(0, 10)).toEqual(file.subarray(0, 10))
  })

  it('rejects a reader whose signal fires while it waits for what another began', async () => {
    const source = chunkSource(manifest, async () => new Promise(() => undefined))
    void source.read(0, 10)
    const controller = new AbortController()
    const waiting = source.read(0, 10, { signal: controller.signal })
    const reason = new Error('enough')
    controller.abort(reason)
    await expect(waiting).rejects.toBe(reason)
  })
})

describe('chunkSource of chunks with hashes of pieces', () => {
  const pieceBytes = 300
  const withPieces: Manifest = {
    ...manifest,
    chunks: manifest.chunks.map((chunk, index) => {
      const bytes = pieces[index]!
      const count = Math.ceil(bytes.length / pieceBytes)
      const hashes = Array.from({ length: count }, (_, at) =>
        hex(bytes.subarray(at * pieceBytes, (at + 1) * pieceBytes)),
      )
      return { ...chunk, pieces: { sizeBytes: pieceBytes, sha256: hashes } }
    }),
  }

  it('reads any range, in any order', async () => {
    const source = chunkSource(withPieces, openPiece)
    await fc.assert(
      fc.asyncProperty(fc.nat(file.length), fc.nat(file.length), async (a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)]
        expect(await source.read(from, to - from)).toEqual(file.subarray(from, to))
      }),
      { numRuns: 100 },
    )
  })

  it('opens each chunk once in a pass, and gives out pieces while the rest still comes', async () => {
    const asked: string[] = []
    let release: () => void = () => undefined
    const released = new Promise<void>((resolve) => (release = resolve))
    const source = chunkSource(withPieces, async (chunk) => {
      asked.push(chunk.file)
      const bytes = piece(chunk.file)
      return streamInPieces([bytes.subarray(0, 450), released.then(() => bytes.subarray(450))])
    })
    expect(await source.read(0, 300)).toEqual(file.subarray(0, 300))
    release()
    for (let at = 0; at < file.length; at += 90) {
      expect(await source.read(at, 90)).toEqual(file.subarray(at, at + 90))
    }
    expect(asked).toEqual(['chunk-0', 'chunk-1', 'chunk-2', 'chunk-3', 'chunk-4'])
  })

  it('gives no byte of a damaged piece; gets its chunk once more, past caches', async () => {
    const attempts: boolean[] = []
    let repaired = false
    const source = chunkSource(withPieces, async (chunk, { fresh }) => {
      const bytes = piece(chunk.file)
      if (chunk.file === 'chunk-2') {
        attempts.push(fresh)
        if (!repaired) bytes[650]! ^= 1
      }
      return streamOf(bytes)
    })
    expect(await source.read(2000, 600)).toEqual(file.subarray(2000, 2600))
    await expect(source.read(2899, 1)).rejects.toMatchObject({
      code: 'integrity',
      message: expect.stringMatching(/Chunk chunk-2, bytes 600 to 899, has the SHA-256/) as string,
      details: { file: 'chunk-2', expected: withPieces.chunks[2]!.pieces!.sha256[2] },
    })
    expect(attempts).toContain(true)
    repaired = true
    expect(await source.read(2899, 1)).toEqual(file.subarray(2899, 2900))
  })

  it('names a chunk that is too short or too long', async () => {
    const sized = async (sizeBytes: number): Promise<ByteSource> =>
      chunkSource(withPieces, async (chunk) =>
        streamOf(Uint8Array.from({ length: sizeBytes }, (_, at) => piece(chunk.file)[at] ?? 0)),
      )
    const short = await sized(850)
    expect(await short.read(0, 600)).toEqual(file.subarray(0, 600))
    await expect(short.read(600, 1)).rejects.toMatchObject({
      code: 'integrity',
      details: { file: 'chunk-0', expected: 1000, got: 850 },
    })
    await expect((await sized(1001)).read(950, 1)).rejects.toMatchObject({
      code: 'integrity',
      message: expect.stringMatching(/chunk-0 has more than the 1000 bytes/) as string,
    })
  })

  it('does not go on with a stream that stops with another signal', async () => {
    const controller = new AbortController()
    const cancelled: string[] = []
    const source = chunkSource(withPieces, async (chunk) => {
      let at = 0
      return new ReadableStream<Uint8Array>(
        {
          pull(stream) {
            if (at >= chunk.sizeBytes) stream.close()
            else stream.enqueue(piece(chunk.file).subarray(at, (at += 100)))
          },
          cancel: () => void cancelled.push(chunk.file),
        },
        { highWaterMark: 0 },
      )
    })
    await source.read(0, 10, { signal: controller.signal })
    controller.abort(new Error('enough'))
    expect(await source.read(300, 10)).toEqual(file.subarray(300, 310))
    expect(cancelled).toContain('chunk-0')
  })
})

describe('sha256', () => {
  it('agrees with Node at every length around its blocks, with WebCrypto and without', async () => {
    for (const length of [0, 1, 3, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 1000, 100_003]) {
      const bytes = new Uint8Array(randomBytes(length))
      expect(await sha256(bytes)).toBe(hex(bytes))
      expect(Buffer.from(sha256Plain(bytes)).toString('hex')).toBe(hex(bytes))
    }
  })

  it('works on a page without WebCrypto', async () => {
    vi.stubGlobal('crypto', {})
    try {
      expect(await sha256(Uint8Array.of(97, 98, 99))).toBe(
        'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      )
    } finally {
      vi.unstubAllGlobals()
    }
  })
})
