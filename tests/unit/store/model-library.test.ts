import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EngineError } from '../../../src/contract/error'
import type { ModelStorage } from '../../../src/store/model-storage'
import { ChunkServer, randomModel, type Fault } from './chunk-server'
import { fileOf, libraryOver, load, newDisk, newIndexedDb, options, readAll } from './library-lab'

const CHUNK_BYTES = 4000
let server: ChunkServer

beforeEach(async () => {
  server = await new ChunkServer(randomModel()).start()
})

afterEach(async () => {
  await server.stop()
})

function total(): number {
  return server.model.bytes.length
}

async function asked(path: string): Promise<void> {
  await expect.poll(() => server.requests.some((request) => request.includes(path))).toBe(true)
}

/** Does wrong what `faults` says, in the order of the requests for one chunk; then all is well. */
function failAt(file: string, ...faults: Fault[]): void {
  const left = [...faults]
  server.fault = ({ url }) => (url === `/${file}` ? (left.shift() ?? null) : null)
}

const storages: Record<string, () => Promise<ModelStorage>> = {
  OPFS: async () => newDisk().storage,
  IndexedDB: newIndexedDb,
}

for (const [name, openStorage] of Object.entries(storages)) {
  describe(`models in ${name}`, () => {
    it('are downloaded once, then read without any request', async () => {
      const storage = await openStorage()
      const loaded: number[] = []
      const onProgress = ({ loadedBytes }: { loadedBytes: number }): unknown => loaded.push(loadedBytes)
      expect(await load(storage, server.manifestUrl, { onProgress })).toEqual(server.model.bytes)
      expect(loaded).toEqual(loaded.toSorted((a, b) => a - b))
      expect(loaded.at(-1)).toBe(total())
      await server.stop()
      expect(await load(storage, server.manifestUrl)).toEqual(server.model.bytes)
      expect(server.sentBytes).toBe(total())
      expect(server.requests).toHaveLength(4)
      await server.start()
    })

    it('go on where a load was stopped, no piece twice', async () => {
      const storage = await openStorage()
      const controller = new AbortController()
      server.fault = ({ url }) => (url === '/chunk-1.bin' ? 'wait' : null)
      const model = await libraryOver(storage).openUrl(
        server.manifestUrl,
        options({ signal: controller.signal }),
      )
      await model.source.read(0, CHUNK_BYTES)
      await asked('/chunk-1.bin')
      controller.abort(new Error('enough'))
      await model.close()
      server.fault = () => null
      const loaded: number[] = []
      const bytes = await load(storage, server.manifestUrl, {
        onProgress: ({ loadedBytes }) => loaded.push(loadedBytes),
      })
      expect(bytes).toEqual(server.model.bytes)
      expect(server.sentBytes).toBe(total())
      expect(Math.max(...loaded)).toBe(total())
    })

    it('are mended in place where they are damaged', async () => {
      const storage = await openStorage()
      await load(storage, server.manifestUrl)
      const key = server.model.manifest.sha256
      const { piecesOf } = await import('../../../src/store/pieces')
      const pieces = piecesOf(server.model.manifest)
      const file = await storage.openFile(key, pieces)
      await file.write(pieces[5]!, new Uint8Array(1000))
      file.close()
      const before = server.sentBytes
      expect(await load(storage, server.manifestUrl)).toEqual(server.model.bytes)
      expect(server.sentBytes).toBe(before + 1000)
      expect(server.requests).toContain('GET /chunk-1.bin bytes=1000-1999')
      expect(await load(storage, server.manifestUrl)).toEqual(server.model.bytes)
      expect(server.sentBytes).toBe(before + 1000)
    })
  })
}

describe('a download', () => {
  it('goes on at the border of a piece after its connection broke', async () => {
    failAt('chunk-1.bin', 'break')
    expect(await load(newDisk().storage, server.manifestUrl)).toEqual(server.model.bytes)
    expect(server.requests).toContain('GET /chunk-1.bin bytes=2000-3999')
    expect(server.sentBytes).toBe(total())
  })

  it('asks for the next chunk while the second half of one still comes', async () => {
    failAt('chunk-0.bin', 'pause')
    const loading = load(newDisk().storage, server.manifestUrl)
    await asked('/chunk-1.bin')
    server.goOn()
    expect(await loading).toEqual(server.model.bytes)
    expect(server.requests).toHaveLength(4)
    expect(server.sentBytes).toBe(total())
  })

  it('gets the chunk again where the server has no ranges', async () => {
    server.ranges = false
    failAt('chunk-1.bin', 'break')
    expect(await load(newDisk().storage, server.manifestUrl)).toEqual(server.model.bytes)
    expect(server.sentBytes).toBe(total() + CHUNK_BYTES / 2)
  })

  it.each<Fault[]>([['damage'], ['truncate'], [503, 429]])('gets over %s', async (...faults) => {
    failAt('chunk-2.bin', ...faults)
    expect(await load(newDisk().storage, server.manifestUrl)).toEqual(server.model.bytes)
  })

  it('gets over a server that starts again', async () => {
    failAt('chunk-1.bin', 'wait')
    const model = await libraryOver(newDisk().storage).openUrl(server.manifestUrl, options())
    await model.source.read(0, CHUNK_BYTES)
    await asked('/chunk-1.bin')
    await server.stop()
    const reading = readAll(model)
    await server.start()
    expect(await reading).toEqual(server.model.bytes)
    await model.close()
    expect(server.sentBytes).toBe(total())
  })

  it.each<[Fault, string]>([
    ['damage', 'integrity'],
    ['truncate', 'integrity'],
    [404, 'network'],
  ])('ends soon where the only source always answers %s', async (fault, code) => {
    server.fault = ({ url }) => (url === '/chunk-1.bin' ? fault : null)
    const { storage } = newDisk()
    const started = server.requests.length
    await expect(load(storage, server.manifestUrl)).rejects.toMatchObject({
      code,
      message: expect.stringContaining('chunk-1.bin') as string,
    })
    const requests = server.requests.slice(started).filter((request) => request.includes('chunk-1'))
    expect(requests).toHaveLength(fault === 404 ? 1 : 2)
    // What was right stays.
    server.fault = () => null
    await load(storage, server.manifestUrl)
    const sentOfFirst = server.requests.filter((request) => request.includes('chunk-0')).length
    expect(sentOfFirst).toBe(1)
  })

  it.each(['manifest.json', 'whole.gguf'])('goes to a mirror: %s', async (path) => {
    const mirror = await new ChunkServer(server.model).start()
    try {
      server.fault = ({ url }) => (url === '/chunk-1.bin' ? 'damage' : null)
      const mirrors = [`${mirror.origin}/${path}`]
      expect(await load(newDisk().storage, server.manifestUrl, { mirrors })).toEqual(server.model.bytes)
      expect(mirror.sentBytes).toBe(CHUNK_BYTES)
    } finally {
      await mirror.stop()
    }
  })

  it('asks a mirror for the manifest where its own server is gone', async () => {
    const mirror = await new ChunkServer(server.model).start()
    try {
      const { manifestUrl } = server
      await server.stop()
      const { storage } = newDisk()
      const mirrors = [mirror.manifestUrl]
      expect(await load(storage, manifestUrl, { mirrors })).toEqual(server.model.bytes)
      expect(await load(storage, manifestUrl)).toEqual(server.model.bytes)
    } finally {
      await server.start()
      await mirror.stop()
    }
  })

  it('stops at once when it is aborted, and closes its file', async () => {
    const { storage } = newDisk()
    const controller = new AbortController()
    server.fault = ({ url }) => (url === '/chunk-1.bin' ? 'wait' : null)
    const model = await libraryOver(storage).openUrl(
      server.manifestUrl,
      options({ signal: controller.signal }),
    )
    const reading = model.source.read(5000, 10, { signal: controller.signal })
    const reason = new Error('enough')
    setTimeout(() => controller.abort(reason), 50)
    await expect(reading).rejects.toBe(reason)
    await model.close()
    await expect(storage.delete(server.model.manifest.sha256)).resolves.toBeUndefined()
  })

  it('keeps what the engine does not read as well', async () => {
    const { storage } = newDisk()
    const model = await libraryOver(storage).openUrl(server.manifestUrl, options())
    await model.source.read(0, 100)
    await model.loaded()
    await model.close()
    await expect
      .poll(async () => (await libraryOver(storage).records.all()).values().next().value)
      .toMatchObject({
        complete: true,
        state: 'proven',
      })
    await server.stop()
    expect(await load(storage, server.manifestUrl)).toEqual(server.model.bytes)
    await server.start()
  })
})

describe('a device without room', () => {
  it('reads the model from the network and keeps nothing', async () => {
    const { storage, disk } = newDisk(8000)
    const told: EngineError[] = []
    const onNotKept = (error: EngineError): unknown => told.push(error)
    expect(await load(storage, server.manifestUrl, { onNotKept })).toEqual(server.model.bytes)
    expect(told).toMatchObject([{ code: 'storage-full', details: { wantedBytes: total() } }])
    expect(await storage.keys()).toEqual([])
    expect(disk.freeBytes).toBe(8000)
  })

  it.each(['throws', 'counts'] as const)('goes on from the network where a write %s', async (isBroken) => {
    const { storage, disk } = newDisk()
    const told: EngineError[] = []
    const model = await libraryOver(storage).openUrl(
      server.manifestUrl,
      options({ onNotKept: (error) => told.push(error) }),
    )
    failAt('chunk-1.bin', 503)
    await model.source.read(0, CHUNK_BYTES)
    disk.isBroken = isBroken
    expect(await readAll(model)).toEqual(server.model.bytes)
    await model.loaded()
    await model.close()
    expect(told.map(({ code }) => code)).toEqual(['storage-full'])
    delete disk.isBroken
    expect(await storage.keys()).toEqual([])
  })
})

describe('what lies on the device', () => {
  it('counts only as far as the file is long', async () => {
    const { storage, folder } = newDisk()
    await load(storage, server.manifestUrl)
    const file = await fileOf(folder, server.model.manifest.sha256)
    file.bytes = file.bytes.slice(0, 5500)
    expect(await load(storage, server.manifestUrl)).toEqual(server.model.bytes)
    expect(server.sentBytes).toBe(total() + 4500)
  })

  it('is got anew where its record was cut off', async () => {
    const { storage, folder } = newDisk()
    await load(storage, server.manifestUrl)
    const own = await folder.getDirectoryHandle(server.model.manifest.sha256)
    for (const name of ['record-0.json', 'record-1.json']) {
      const file = await own.getFileHandle(name)
      file.bytes = file.bytes.slice(0, 50)
    }
    expect(await load(storage, server.manifestUrl)).toEqual(server.model.bytes)
    // The pieces are still marked, and right.
    expect(server.sentBytes).toBe(total())
  })
})
