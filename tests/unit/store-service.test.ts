import { MessageChannel, type MessagePort as NodePort } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import { requestForWorker } from '../../src/client/page-request'
import type { StoredModel } from '../../src/contract/model-store'
import type { StoreMessage } from '../../src/worker/api'
import { createStoreService } from '../../src/worker/store-service'
import { tinyModel } from '../fixtures/tiny-models'
import { ChunkServer, randomModel } from './store/chunk-server'
import { newDisk } from './store/library-lab'

let server: ChunkServer | null = null

afterEach(async () => {
  await server?.stop()
  server = null
})

/** Imports the file at a URL as the page would, and tells which addresses were asked for; all lead to `server`. */
async function importFrom(url: string): Promise<{ model: StoredModel; asked: string[] }> {
  const bytes = tinyModel({ architecture: 'llama', type: 'Q4_0', layers: 1 })
  const running = await new ChunkServer({ ...randomModel(), bytes }).start()
  server = running
  const { storage } = newDisk()
  const service = createStoreService(async () => storage)
  const { port1, port2 } = new MessageChannel()
  const asked = new Set<string>()
  const ended = new Promise<StoredModel>((resolve, reject) => {
    port1.on('message', (message: StoreMessage) => {
      if (message.type === 'fetch') {
        asked.add(message.url)
        const there = { ...message, url: `${running.origin}/whole.gguf` }
        void requestForWorker(there).then((answer) => port1.postMessage(answer))
      } else if (message.type === 'done') resolve(message.result as StoredModel)
      else if (message.type === 'failed') reject(new Error(message.error.message))
    })
  })
  try {
    await service({ type: 'import', model: { kind: 'url', url } }, port2 as NodePort & MessagePort)
    return { model: await ended, asked: [...asked] }
  } finally {
    port1.close()
  }
}

describe('a model by the address of a file', () => {
  it('is fetched where it lies, where the address is of a page about it', async () => {
    const { model, asked } = await importFrom('https://huggingface.co/someone/model/blob/main/Tiny.Q4_0.gguf')
    expect(asked).toEqual(['https://huggingface.co/someone/model/resolve/main/Tiny.Q4_0.gguf'])
    expect(model).toMatchObject({ id: 'tiny.q4_0', isComplete: true, isImported: true })
  })

  it('is fetched from where it is said to be otherwise', async () => {
    const url = 'https://models.example/someone/model/blob/main/Tiny.gguf'
    expect((await importFrom(url)).asked).toEqual([url])
  })
})
