import { expose } from 'comlink'
import { afterEach, describe, expect, it } from 'vitest'
import { createEngine, type CreateEngineOptions } from '../../src/client/create-engine'
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionParams,
  Engine,
  EngineInfo,
  LoadProgress,
  RequestOptions,
} from '../../src/contract/engine'
import { EngineError } from '../../src/contract/error'
import type { OpenEngine } from '../../src/worker/open-engine'
import { createWorkerService } from '../../src/worker/service'

const INFO: EngineInfo = {
  model: 'fake',
  backend: 'other',
  variant: 'fake',
  threads: 1,
  contextLength: 64,
  weightsBytes: 10,
  memoryBytes: 20,
}

const MESSAGES = [{ role: 'user', content: 'hello' }] as const

/** An engine that counts up to `max_tokens`, one number a turn of the event loop, and tells what it saw. */
class CountingEngine implements Engine {
  readonly info = { ...INFO }
  readonly chat: Engine['chat']
  /** Numbers made since the start of the last request. */
  steps = 0
  aborts = 0
  disposed = 0
  params: ChatCompletionParams[] = []

  constructor() {
    const create = async (params: ChatCompletionParams, { signal }: RequestOptions = {}) => {
      this.params.push(params)
      if (params.messages.length === 0) {
        throw new EngineError('context-overflow', 'too long', { details: { tokens: 9 } })
      }
      return params.stream === true ? this.#chunks(params, signal) : this.#completion(params)
    }
    this.chat = { completions: { create: create as Engine['chat']['completions']['create'] } }
  }

  async *#chunks(params: ChatCompletionParams, signal?: AbortSignal): AsyncGenerator<ChatCompletionChunk> {
    this.steps = 0
    for (let step = 0; step < (params.max_tokens ?? 10); step++) {
      await new Promise((resolve) => setImmediate(resolve))
      if (signal?.aborted === true) {
        this.aborts++
        throw signal.reason
      }
      if (step === params.seed) throw new EngineError('internal', 'failed as told')
      this.steps++
      yield chunk(String(step))
    }
    this.info.memoryBytes += 1
  }

  #completion(params: ChatCompletionParams): ChatCompletion {
    return {
      id: 'id',
      object: 'chat.completion',
      created: 0,
      model: 'fake',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: `to ${String(params.max_tokens)}` },
          finish_reason: 'stop',
          logprobs: null,
        },
      ],
      usage: {} as ChatCompletion['usage'],
    }
  }

  async dispose(): Promise<void> {
    this.disposed++
  }
}

function chunk(content: string): ChatCompletionChunk {
  return {
    id: 'id',
    object: 'chat.completion.chunk',
    created: 0,
    model: 'fake',
    choices: [{ index: 0, delta: { content }, finish_reason: null, logprobs: null }],
  }
}

/** What stands for a Worker here: a port, with the events of a worker's end at hand. */
class PortWorker extends EventTarget {
  readonly port: MessagePort

  constructor(port: MessagePort) {
    super()
    this.port = port
    port.addEventListener('message', ({ data, ports }) => {
      this.dispatchEvent(new MessageEvent('message', { data: data as unknown, ports: [...ports] }))
    })
    port.start()
  }

  postMessage(message: unknown, transfer: Transferable[] = []): void {
    this.port.postMessage(message, transfer)
  }
}

const open: MessagePort[] = []

function setUp(openEngine: OpenEngine): Worker {
  const { port1, port2 } = new MessageChannel()
  open.push(port1)
  expose(
    createWorkerService(openEngine, async () => undefined),
    port2,
  )
  return new PortWorker(port1) as unknown as Worker
}

async function createCounting(
  options: CreateEngineOptions = {},
): Promise<{ engine: Engine; counting: CountingEngine; worker: Worker }> {
  const counting = new CountingEngine()
  const worker = setUp(async () => counting)
  return {
    engine: await createEngine({ model: 'http://localhost/m.gguf', worker, ...options }),
    counting,
    worker,
  }
}

function loseWorker(worker: Worker): void {
  worker.dispatchEvent(Object.assign(new Event('error'), { message: 'out of luck' }))
}

async function textOf(parts: AsyncIterable<ChatCompletionChunk>): Promise<string> {
  let text = ''
  for await (const { choices } of parts) text += choices[0]?.delta.content ?? ''
  return text
}

function stream(
  engine: Engine,
  maxTokens: number,
  options: RequestOptions & { seed?: number } = {},
): Promise<AsyncIterable<ChatCompletionChunk>> {
  const { seed = -1, ...rest } = options
  return engine.chat.completions.create(
    { messages: MESSAGES, max_tokens: maxTokens, seed, stream: true },
    rest,
  )
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 1))
}

afterEach(() => {
  for (const port of open.splice(0)) port.close()
})

describe('createEngine', () => {
  it('loads with the options given and reports progress', async () => {
    const seen: unknown[] = []
    const progress: LoadProgress = { phase: 'load', file: null, loadedBytes: 1, totalBytes: 2, fraction: 0.5 }
    const worker = setUp(async (options) => {
      const { model, threads, contextLength, kvCache, parallel, cacheLimitBytes, onProgress } = options
      seen.push(model, threads, contextLength, kvCache, parallel, cacheLimitBytes)
      onProgress(progress)
      return new CountingEngine()
    })
    const reports: LoadProgress[] = []
    const engine = await createEngine({
      model: new URL('http://localhost/m.gguf'),
      threads: 2,
      contextLength: 128,
      kvCache: '8-bit',
      parallel: 3,
      cacheLimitBytes: 2 ** 28,
      worker,
      onProgress: (report) => reports.push(report),
    })
    expect(seen).toEqual([{ kind: 'url', url: 'http://localhost/m.gguf' }, 2, 128, '8-bit', 3, 2 ** 28])
    expect(reports).toEqual([progress])
    expect(engine.info).toEqual(INFO)
  })

  it('sends bytes and files as blobs', async () => {
    const sizes: number[] = []
    const openEngine: OpenEngine = async ({ model }) => {
      if (model.kind === 'blob') sizes.push(model.blob.size)
      return new CountingEngine()
    }
    await createEngine({ model: new Uint8Array(7), worker: setUp(openEngine) })
    await createEngine({ model: new ArrayBuffer(8), worker: setUp(openEngine) })
    await createEngine({ model: new Blob(['123456789']), worker: setUp(openEngine) })
    expect(sizes).toEqual([7, 8, 9])
  })

  it.each([
    ['threads', { threads: 0 }],
    ['threads', { threads: 1.5 }],
    ['contextLength', { contextLength: Number.NaN }],
    ['kvCache', { kvCache: '4-bit' as '8-bit' }],
    ['parallel', { parallel: 0 }],
    ['cacheLimitBytes', { cacheLimitBytes: -1 }],
    ['model', { model: 5 as unknown as string }],
    ['model', { model: '' }],
    ['worker', { worker: 'w' as unknown as Worker }],
  ])('names a wrong %s', async (name, options) => {
    const creation = createEngine({ model: 'http://localhost/m.gguf', ...options })
    await expect(creation).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining(name) as string,
    })
  })

  it('rebuilds the error of a failed load', async () => {
    const worker = setUp(() =>
      Promise.reject(new EngineError('integrity', 'chunk 3 is damaged', { details: { file: 'chunk-3' } })),
    )
    const creation = createEngine({ model: 'http://localhost/m.gguf', worker })
    await expect(creation).rejects.toBeInstanceOf(EngineError)
    await expect(creation).rejects.toMatchObject({
      code: 'integrity',
      message: 'chunk 3 is damaged',
      details: { file: 'chunk-3' },
    })
  })

  it('rejects with the reason of the signal and cancels in the worker', async () => {
    const controller = new AbortController()
    let cancelled = false
    const worker = setUp(({ signal }) => {
      signal.addEventListener('abort', () => (cancelled = true))
      controller.abort(new Error('changed my mind'))
      return new Promise(() => undefined)
    })
    const creation = createEngine({ model: 'http://localhost/m.gguf', worker, signal: controller.signal })
    await expect(creation).rejects.toThrow('changed my mind')
    await settled()
    expect(cancelled).toBe(true)
  })

  it('rejects where the worker dies while it loads', async () => {
    const worker = setUp(() => new Promise(() => undefined))
    const creation = createEngine({ model: 'http://localhost/m.gguf', worker })
    setTimeout(() => loseWorker(worker), 5)
    await expect(creation).rejects.toMatchObject({ code: 'worker-lost' })
  })
})

describe('an engine in a worker', () => {
  it('completes', async () => {
    const { engine } = await createCounting()
    const completion = await engine.chat.completions.create({ messages: MESSAGES, max_tokens: 3 })
    expect(completion.choices[0]?.message.content).toBe('to 3')
  })

  it('streams every part in order and then the newest info', async () => {
    const { engine } = await createCounting()
    expect(await textOf(await stream(engine, 12))).toBe('01234567891011')
    expect(engine.info.memoryBytes).toBe(21)
  })

  it('cancels in the worker when the loop is left', async () => {
    const { engine, counting } = await createCounting()
    for await (const _ of await stream(engine, 1_000_000)) break
    await settled()
    const { steps } = counting
    expect(counting.aborts).toBe(1)
    await settled()
    expect(counting.steps).toBe(steps)
  })

  it('rejects with the reason of the signal in the middle of a stream', async () => {
    const { engine, counting } = await createCounting()
    const controller = new AbortController()
    const reason = new Error('enough')
    const reading = (async () => {
      for await (const _ of await stream(engine, 1_000_000, { signal: controller.signal }))
        controller.abort(reason)
    })()
    await expect(reading).rejects.toBe(reason)
    await settled()
    expect(counting.aborts).toBe(1)
  })

  it('asks nothing of the worker where the signal has fired before', async () => {
    const { engine, counting } = await createCounting()
    const reason = new Error('too late')
    await expect(stream(engine, 5, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(counting.params).toEqual([])
  })

  it('rejects create() for a refused request, with its details', async () => {
    const { engine } = await createCounting()
    for (const streams of [true, false] as const) {
      const refused = engine.chat.completions.create({ messages: [], stream: streams } as never)
      await expect(refused).rejects.toMatchObject({ code: 'context-overflow', details: { tokens: 9 } })
    }
  })

  it('gives the parts before a failure and then the error', async () => {
    const { engine } = await createCounting()
    let text = ''
    const reading = (async () => {
      for await (const part of await stream(engine, 10, { seed: 4 }))
        text += part.choices[0]?.delta.content ?? ''
    })()
    await expect(reading).rejects.toMatchObject({ code: 'internal', message: 'failed as told' })
    expect(text).toBe('0123')
  })

  it('rejects what cannot be cloned', async () => {
    const { engine } = await createCounting()
    const params = { messages: MESSAGES, user: () => undefined } as unknown as ChatCompletionParams & {
      stream: false
    }
    await expect(engine.chat.completions.create(params)).rejects.toMatchObject({ code: 'invalid-argument' })
  })

  it('rejects every call in flight, and later ones, when the worker dies', async () => {
    const { engine, worker } = await createCounting()
    const reading = textOf(await stream(engine, 1_000_000))
    const waiting = stream(engine, 1_000_000)
    loseWorker(worker)
    await expect(reading).rejects.toMatchObject({ code: 'worker-lost' })
    await expect(waiting).rejects.toMatchObject({ code: 'worker-lost' })
    await expect(stream(engine, 1)).rejects.toMatchObject({ code: 'worker-lost' })
  })

  it('rejects every call in flight, and later ones, after dispose()', async () => {
    const { engine, counting } = await createCounting()
    const reading = textOf(await stream(engine, 1_000_000))
    const disposal = engine.dispose()
    await expect(reading).rejects.toMatchObject({ code: 'disposed' })
    await disposal
    await engine.dispose()
    expect(counting.disposed).toBe(1)
    await expect(stream(engine, 1)).rejects.toMatchObject({ code: 'disposed' })
  })

  it('lets a worker of the caller load again after dispose(), and not before', async () => {
    const { engine, worker } = await createCounting()
    const second = createEngine({ model: 'http://localhost/m.gguf', worker })
    await expect(second).rejects.toMatchObject({ code: 'invalid-argument' })
    await engine.dispose()
    const third = await createEngine({ model: 'http://localhost/m.gguf', worker })
    expect(await textOf(await stream(third, 3))).toBe('012')
  })
})
