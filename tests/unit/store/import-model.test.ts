import { afterEach, describe, expect, it } from 'vitest'
import { EngineError } from '../../../src/contract/error'
import { memorySource } from '../../../src/store/memory-source'
import { listModels, storedModel } from '../../../src/store/model-catalogue'
import { urlSource } from '../../../src/store/url-source'
import { importModel, type ImportOptions } from '../../../src/worker/import-model'
import { tinyModel } from '../../fixtures/tiny-models'
import { ChunkServer, randomModel } from './chunk-server'
import { libraryOver, newDisk, newIndexedDb, options, readAll } from './library-lab'

const MIB = 2 ** 20
const tiny = tinyModel({ architecture: 'llama', type: 'Q4_0', layers: 1 })
/** A model with 2.5 MiB behind its tensors, so that it has several pieces. */
const large = new Uint8Array(tiny.length + 2.5 * MIB)
large.set(tiny)

function importOptions(more: Partial<ImportOptions> = {}): ImportOptions {
  return {
    fileName: 'Tiny model.Q4_0.gguf',
    from: null,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    ...more,
  }
}

let server: ChunkServer | null = null

afterEach(async () => {
  await server?.stop()
  server = null
})

describe.each([
  ['OPFS', async () => newDisk().storage],
  ['IndexedDB', newIndexedDb],
])('import to %s', (_, openStorage) => {
  it('keeps a file with hashes of its own, reads it back, and lists it', async () => {
    const storage = await openStorage()
    const library = libraryOver(storage)
    const progress: number[] = []
    const key = await importModel(
      library,
      memorySource(large),
      importOptions({ onProgress: ({ loadedBytes }) => progress.push(loadedBytes) }),
    )
    expect(progress.at(-1)).toBe(large.length)
    const model = await libraryOver(storage).openKey(key, options())
    expect(Buffer.compare(await readAll(model), large)).toBe(0)
    await model.close()
    expect(model.manifest.sha256).toBe(await sha256(large))
    expect(await listModels(library)).toEqual([await storedModel(library, key)])
    expect(await storedModel(library, key)).toMatchObject({
      url: `minnow-model:${key}`,
      id: 'tiny-model.q4_0',
      quantization: 'Q4_0',
      sizeBytes: large.length,
      storedBytes: large.length,
      isComplete: true,
      isImported: true,
      sources: [],
    })
    const exported = Buffer.from(await (await storage.toBlob(key)).arrayBuffer())
    expect(exported.equals(large)).toBe(true)
  })

  it('keeps the same file once', async () => {
    const storage = await openStorage()
    const library = libraryOver(storage)
    const first = await importModel(library, memorySource(large), importOptions())
    const second = await importModel(library, memorySource(large), importOptions({ fileName: 'again.gguf' }))
    expect(second).toBe(first)
    expect(await storage.keys()).toEqual([first])
  })

  it.each([
    ['text', new TextEncoder().encode('this is a text'), 'invalid-model'],
    ['half a model', tiny.subarray(0, tiny.length / 2), 'invalid-model'],
  ])('refuses %s and keeps nothing', async (_what, bytes, code) => {
    const storage = await openStorage()
    const importing = importModel(libraryOver(storage), memorySource(bytes), importOptions())
    await expect(importing).rejects.toMatchObject({ code })
    expect(await storage.keys()).toEqual([])
  })
})

describe('import', () => {
  it('of a file that breaks off leaves nothing', async () => {
    const { storage } = newDisk()
    const source = memorySource(large)
    const broken = {
      ...source,
      read: async (offset: number, length: number) => {
        if (offset >= 2 * MIB) throw new EngineError('invalid-model', 'The file can no longer be read.')
        return source.read(offset, length)
      },
    }
    await expect(importModel(libraryOver(storage), broken, importOptions())).rejects.toMatchObject({
      code: 'invalid-model',
    })
    expect(await storage.keys()).toEqual([])
  })

  it('without room says so and leaves nothing', async () => {
    const { storage } = newDisk(MIB)
    await expect(
      importModel(libraryOver(storage), memorySource(large), importOptions()),
    ).rejects.toMatchObject({ code: 'storage-full' })
    expect(await storage.keys()).toEqual([])
  })

  it('from a URL goes on where it was stopped', async () => {
    const { manifest } = randomModel()
    server = await new ChunkServer({ bytes: large, manifest }).start()
    const { storage } = newDisk()
    const url = `${server.origin}/whole.gguf`
    const from = { url, version: '"1"', sizeBytes: large.length }
    const controller = new AbortController()
    const stopped = importModel(
      libraryOver(storage),
      await urlSource(url),
      importOptions({
        from,
        signal: controller.signal,
        onProgress: ({ loadedBytes }) => {
          if (loadedBytes === 2 * MIB) controller.abort(new Error('enough'))
        },
      }),
    )
    await expect(stopped).rejects.toThrow('enough')
    const [partial] = await listModels(libraryOver(storage))
    expect(partial).toMatchObject({ isComplete: false, storedBytes: 2 * MIB, sizeBytes: large.length })

    const reads: number[] = []
    const source = memorySource(large)
    const counting = {
      ...source,
      read: async (offset: number, length: number) => {
        if (length === MIB || offset + length === large.length) reads.push(offset)
        return source.read(offset, length)
      },
    }
    const key = await importModel(libraryOver(storage), counting, importOptions({ from }))
    expect(key).toBe(partial!.key)
    expect(reads).toEqual([2 * MIB])
    const model = await libraryOver(storage).openKey(key, options())
    expect(Buffer.compare(await readAll(model), large)).toBe(0)
    await model.close()
  })

  it('gives a manifest that names the same file what is here', async () => {
    const { manifest } = randomModel()
    const { storage } = newDisk()
    const key = await importModel(libraryOver(storage), memorySource(large), importOptions())
    const imported = await libraryOver(storage).records.get(key)
    server = await new ChunkServer({ bytes: large, manifest: { ...manifest, ...imported!.manifest } }).start()
    const model = await libraryOver(storage).openUrl(server.manifestUrl, options())
    expect(Buffer.compare(await readAll(model), large)).toBe(0)
    await model.loaded()
    await model.close()
    expect(server.sentBytes).toBe(0)
  })
})

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const { createHash } = await import('node:crypto')
  return createHash('sha256').update(bytes).digest('hex')
}
