import { afterEach, describe, expect, it } from 'vitest'
import { requestForWorker } from '../../src/client/page-request'
import { ChunkServer, randomModel } from './store/chunk-server'

let server: ChunkServer | null = null

afterEach(async () => {
  await server?.stop()
  server = null
})

async function startServer(): Promise<ChunkServer> {
  server = await new ChunkServer(randomModel({ sizeBytes: 300_000, chunkBytes: 300_000 })).start()
  server.ranges = false
  return server
}

function request(url: string): Parameters<typeof requestForWorker>[0] {
  return { type: 'fetch', id: 7, url, method: 'GET', range: 'bytes=0-0' }
}

describe('a request of the page for its worker', () => {
  it('gives all of a file where the server has no ranges, and tells how far it is', async () => {
    const { origin, model } = await startServer()
    const seen: number[] = []
    const answer = await requestForWorker(request(`${origin}/whole.gguf`), {
      onProgress: ({ loadedBytes, totalBytes }) => seen.push(loadedBytes / totalBytes),
    })
    if ('failure' in answer) throw new Error(answer.failure)
    expect(answer).toMatchObject({ id: 7, status: 200 })
    expect(Buffer.compare(Buffer.from(await answer.body.arrayBuffer()), model.bytes)).toBe(0)
    expect(seen.length).toBeGreaterThan(1)
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    expect(seen.at(-1)).toBe(1)
  })

  it('breaks off when it is cancelled, in the middle of the file too', async () => {
    const running = await startServer()
    running.fault = () => 'pause'
    const controller = new AbortController()
    const answer = await requestForWorker(request(`${running.origin}/whole.gguf`), {
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('enough')),
    })
    expect(answer).toEqual({ type: 'fetched', id: 7, failure: 'enough' })
  })
})
