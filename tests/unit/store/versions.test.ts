import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EngineError } from '../../../src/contract/error'
import type { ModelStorage } from '../../../src/store/model-storage'
import { ChunkServer, randomModel } from './chunk-server'
import { libraryOver, load, newDisk, options, readAll } from './library-lab'

const older = randomModel({ id: 'older' })
const newer = randomModel({ id: 'newer' })
let server: ChunkServer
let storage: ModelStorage

beforeEach(async () => {
  server = await new ChunkServer(older).start()
  storage = newDisk().storage
  await load(storage, server.manifestUrl)
  server.model = newer
})

afterEach(async () => {
  await server.stop()
})

async function keys(): Promise<string[]> {
  return (await storage.keys()).toSorted()
}

async function update(): Promise<string> {
  return libraryOver(storage).update(older.manifest.sha256, options())
}

describe('a new version', () => {
  it('is noticed after a load, and not fetched', async () => {
    const before = server.sentBytes
    expect(await load(storage, server.manifestUrl)).toEqual(older.bytes)
    const { sha256, name, sizeBytes } = newer.manifest
    await expect
      .poll(async () => (await libraryOver(storage).records.get(older.manifest.sha256))?.update)
      .toEqual({ sha256, name, sizeBytes })
    expect(server.sentBytes).toBe(before)
  })

  it('comes beside the old one, and replaces it when it has loaded', async () => {
    expect(await update()).toBe(newer.manifest.sha256)
    expect(await keys()).toEqual([older.manifest.sha256, newer.manifest.sha256].toSorted())
    expect(await load(storage, server.manifestUrl)).toEqual(newer.bytes)
    expect(await keys()).toEqual([newer.manifest.sha256])
  })

  it('that does not load gives way to the old one, and is not offered again', async () => {
    await update()
    const model = await libraryOver(storage).openUrl(server.manifestUrl, options())
    expect(await readAll(model)).toEqual(newer.bytes)
    expect(await model.failed(new EngineError('unsupported', 'no such tensor'))).toBe(true)
    await model.close()
    expect(await load(storage, server.manifestUrl)).toEqual(older.bytes)
    expect(await keys()).toEqual([older.manifest.sha256])
    expect(await update()).toBe(older.manifest.sha256)
  })

  it('that takes its worker along twice gives way to the old one', async () => {
    await update()
    for (let time = 0; time < 2; time++) {
      const model = await libraryOver(storage).openUrl(server.manifestUrl, options())
      expect(model.manifest.id).toBe('newer')
      await model.close()
    }
    expect(await load(storage, server.manifestUrl)).toEqual(older.bytes)
  })

  it('is not blamed for a network that fails or for being stopped', async () => {
    await update()
    const model = await libraryOver(storage).openUrl(server.manifestUrl, options())
    expect(await model.failed(new EngineError('network', 'gone'))).toBe(false)
    expect(await model.failed(new Error('stopped'))).toBe(false)
    await model.close()
    expect(await load(storage, server.manifestUrl)).toEqual(newer.bytes)
  })

  it('that is there in part leaves the old one in use', async () => {
    const controller = new AbortController()
    server.fault = ({ url }) => (url === '/chunk-1.bin' ? 'wait' : null)
    const updating = libraryOver(storage).update(
      older.manifest.sha256,
      options({ signal: controller.signal }),
    )
    updating.catch(() => undefined)
    await expect.poll(() => server.requests.filter((each) => each.includes('chunk-1')).length).toBe(2)
    controller.abort(new Error('enough'))
    await expect(updating).rejects.toThrow('enough')
    expect(await load(storage, server.manifestUrl)).toEqual(older.bytes)
    server.fault = () => null
    const before = server.sentBytes
    await update()
    expect(server.sentBytes).toBe(before + newer.bytes.length - 4000)
    expect(await load(storage, server.manifestUrl)).toEqual(newer.bytes)
  })
})

describe('a model that never loaded', () => {
  it('is replaced by what the server has now, and stays while that is the same', async () => {
    const { storage: fresh } = newDisk()
    const model = await libraryOver(fresh).openUrl(server.manifestUrl, options())
    await readAll(model)
    expect(await model.failed(new EngineError('invalid-model', 'broken'))).toBe(false)
    await model.close()
    await expect.poll(async () => (await fresh.keys()).length).toBe(1)
    const before = server.sentBytes
    expect(await load(fresh, server.manifestUrl)).toEqual(newer.bytes)
    expect(server.sentBytes).toBe(before)

    const other = await libraryOver(fresh).openUrl(server.manifestUrl, options())
    await other.close()
    expect(other.manifest.id).toBe('newer')
  })
})
