import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import type { ByteSource } from '../../src/contract/bytes'
import { EngineError } from '../../src/contract/error'
import { blobSource } from '../../src/store/blob-source'
import { chunkSource, type ReadChunk } from '../../src/store/chunk-source'
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

const readPiece: ReadChunk = async (chunk) => piece(chunk.file)

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
    chunks: async () => chunkSource(manifest, readPiece),
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
      return piece(chunk.file)
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
      async (chunk, { onBytes }) => {
        for (const share of [0.5, 1]) onBytes(chunk.sizeBytes * share)
        return piece(chunk.file)
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
      return bytes
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
      chunk.file === 'chunk-2' ? damaged : piece(chunk.file),
    )
    expect(await source.read(0, 2000)).toEqual(file.subarray(0, 2000))
    await expect(source.read(1990, 20)).rejects.toMatchObject({
      code: 'integrity',
      details: { file: 'chunk-2', expected: manifest.chunks[2]!.sha256, got: hex(damaged) },
      message: expect.stringMatching(/chunk-2/) as string,
    })
  })

  it('names a chunk of the wrong size', async () => {
    const source = chunkSource(manifest, async (chunk) => piece(chunk.file).subarray(0, 999))
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
      return piece(chunk.file)
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
      if (signals.length > 1) return piece(chunk.file)
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
      calls++ === 0 ? new Promise(() => undefined) : piece(chunk.file),
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
