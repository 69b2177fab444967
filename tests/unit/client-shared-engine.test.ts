import { afterEach, describe, expect, it, vi } from 'vitest'
import { SharedEngines } from '../../src/client/shared-engine'
import type { SharedPlatform } from '../../src/client/shared-member'
import type {
  ChatCompletionChunk,
  ChatCompletionParams,
  Engine,
  LoadProgress,
} from '../../src/contract/engine'
import { EngineError } from '../../src/contract/error'

const NAME = 'engine'
const MESSAGES = [{ role: 'user', content: 'hello' }] as const

interface Ask {
  lock: string
  tab: FakeTab
  run(): Promise<unknown> | undefined
  reject(error: Error): void
}

/** Web Locks and channels of one origin, whose tabs can be closed and frozen. */
class FakeOrigin {
  readonly held = new Map<string, Ask>()
  readonly queue: Ask[] = []
  readonly channels = new Map<string, Set<FakeChannel>>()
  readonly tabs: FakeTab[] = []
  /** Long, so that nobody is taken for frozen on a busy machine. */
  tickMs = 60_000

  openTab(createEngine: () => FakeEngine | Promise<FakeEngine> = () => new FakeEngine()): FakeTab {
    const tab = new FakeTab(this, createEngine)
    this.tabs.push(tab)
    return tab
  }

  grant(): void {
    for (const ask of this.queue.filter(({ lock }) => !this.held.has(lock))) {
      if (this.held.has(ask.lock)) continue
      this.queue.splice(this.queue.indexOf(ask), 1)
      this.held.set(ask.lock, ask)
      void Promise.resolve(ask.run()).then(() => this.release(ask))
    }
  }

  release(ask: Ask): void {
    if (this.held.get(ask.lock) !== ask) return
    this.held.delete(ask.lock)
    setTimeout(() => this.grant())
  }
}

class FakeTab {
  readonly origin: FakeOrigin
  readonly engines: FakeEngine[] = []
  readonly shared: SharedEngines
  rest: () => void = () => undefined
  wake: () => void = () => undefined
  #createEngine: () => FakeEngine | Promise<FakeEngine>
  closed = false
  frozen: (() => void)[] | null = null

  constructor(origin: FakeOrigin, createEngine: () => FakeEngine | Promise<FakeEngine>) {
    this.origin = origin
    this.#createEngine = createEngine
    const platform: SharedPlatform = {
      locks: { request: this.#request as LockManager['request'] },
      openChannel: (name) => new FakeChannel(this, name),
      tickMs: origin.tickMs,
      onRest: (rest, wake) => {
        this.rest = rest
        this.wake = wake
        return () => undefined
      },
    }
    this.shared = new SharedEngines(platform)
  }

  open(
    options: { signal?: AbortSignal; onProgress?: (progress: LoadProgress) => void } = {},
  ): Promise<Engine> {
    return this.shared.open(
      NAME,
      async ({ onProgress, signal }) => {
        onProgress({ phase: 'load', file: null, loadedBytes: 1, totalBytes: 2, fraction: 0.5 })
        const engine = await this.#createEngine()
        signal.throwIfAborted()
        this.engines.push(engine)
        return engine
      },
      options,
    )
  }

  /** Without a word, as a tab that is closed or crashes. */
  close(): void {
    this.closed = true
    for (const engine of this.engines) engine.die()
    for (const channels of this.origin.channels.values()) {
      for (const channel of channels) if (channel.tab === this) channels.delete(channel)
    }
    const { queue, held } = this.origin
    for (const ask of queue.filter(({ tab }) => tab === this)) queue.splice(queue.indexOf(ask), 1)
    for (const ask of [...held.values()].filter(({ tab }) => tab === this)) this.origin.release(ask)
  }

  /** Runs in this tab: later where it is frozen, never where it is closed. */
  run(task: () => void): void {
    if (this.closed) return
    if (this.frozen !== null) this.frozen.push(task)
    else task()
  }

  thaw(): void {
    const tasks = this.frozen ?? []
    this.frozen = null
    for (const task of tasks) task()
  }

  readonly #request = (
    lock: string,
    ...rest: [() => Promise<unknown>] | [{ signal?: AbortSignal; steal?: boolean }, () => Promise<unknown>]
  ): Promise<void> => {
    const { origin } = this
    const callback = rest.length === 1 ? rest[0] : rest[1]
    const { signal, steal = false } = rest.length === 1 ? {} : rest[0]
    return new Promise((resolve, reject) => {
      const ask: Ask = {
        lock,
        tab: this,
        run: () =>
          new Promise((done) => {
            this.run(() => {
              void (async () => {
                done(await callback())
                resolve()
              })()
            })
          }),
        reject: (error) => this.run(() => reject(error)),
      }
      signal?.addEventListener('abort', () => {
        const index = origin.queue.indexOf(ask)
        if (index < 0) return
        origin.queue.splice(index, 1)
        reject(signal.reason as Error)
      })
      if (steal) {
        const holder = origin.held.get(lock)
        origin.held.delete(lock)
        holder?.reject(new DOMException('stolen', 'AbortError'))
        origin.queue.unshift(ask)
      } else origin.queue.push(ask)
      setTimeout(() => origin.grant())
    })
  }
}

class FakeChannel {
  readonly tab: FakeTab
  readonly #peers: Set<FakeChannel>
  onmessage: ((event: MessageEvent) => void) | null = null

  constructor(tab: FakeTab, name: string) {
    this.tab = tab
    const { channels } = tab.origin
    this.#peers = channels.get(name) ?? new Set()
    channels.set(name, this.#peers.add(this))
  }

  postMessage(message: unknown): void {
    const data: unknown = structuredClone(message)
    this.tab.run(() => {
      for (const peer of this.#peers) {
        if (peer !== this) setTimeout(() => peer.tab.run(() => peer.onmessage?.({ data } as MessageEvent)))
      }
    })
  }

  close(): void {
    this.#peers.delete(this)
  }
}

/** Answers with `max_tokens` numbers made from the seed, one a turn of the event loop, in chunks of `size` numbers. */
class FakeEngine implements Engine {
  readonly info = {
    model: 'fake',
    backend: 'other',
    variant: 'fake',
    threads: 1,
    contextLength: 64,
    weightsBytes: 10,
    memoryBytes: 20,
  } as const
  readonly chat: Engine['chat']
  readonly size: number
  /** Added to every number: another device that computes otherwise. */
  readonly bias: number
  asked = 0
  steps = 0
  aborted = 0
  disposed = false
  #dead = false

  constructor({ size = 1, bias = 0 }: { size?: number; bias?: number } = {}) {
    this.size = size
    this.bias = bias
    const create = async (params: ChatCompletionParams, { signal }: { signal?: AbortSignal } = {}) => {
      this.asked++
      if (this.#dead) throw new EngineError('worker-lost', 'dead')
      if (params.messages.length === 0)
        throw new EngineError('context-overflow', 'long', { details: { tokens: 9 } })
      if (params.stream === true) return this.#stream(params, signal)
      return { id: 'id', choices: [{ message: { content: `seed ${typeof params.seed}` } }] }
    }
    this.chat = { completions: { create: create as unknown as Engine['chat']['completions']['create'] } }
  }

  /** As a worker that is killed. */
  die(): void {
    this.#dead = true
  }

  async *#stream(params: ChatCompletionParams, signal?: AbortSignal): AsyncGenerator<ChatCompletionChunk> {
    const count = params.max_tokens ?? 10
    const id = crypto.randomUUID()
    yield chunk(id, { role: 'assistant', content: '' })
    for (let from = 0; from < count; from += this.size) {
      await new Promise((resolve) => setTimeout(resolve, 1))
      if (this.#dead) throw new EngineError('worker-lost', 'dead')
      if (signal?.aborted === true) {
        this.aborted++
        throw signal.reason
      }
      this.steps++
      const numbers = Array.from({ length: Math.min(this.size, count - from) }, (_, i) => from + i)
      const words = numbers.map((n) => `${((params.seed! % 97) * (n + 1) + this.bias) % 97} `)
      yield { ...chunk(id, { content: words.join('') }), minnow: { tokenIds: numbers } }
    }
    yield chunk(id, {}, 'stop')
  }

  async dispose(): Promise<void> {
    this.disposed = true
  }
}

function chunk(
  id: string,
  delta: ChatCompletionChunk['choices'][0]['delta'],
  reason: 'stop' | null = null,
): ChatCompletionChunk {
  const choices = [{ index: 0, delta, finish_reason: reason, logprobs: null }]
  return { id, object: 'chat.completion.chunk', created: 0, model: 'fake', choices }
}

interface Read {
  text: string
  tokenIds: number[]
  ids: Set<string>
  roles: number
}

async function read(
  engine: Engine,
  params: Partial<ChatCompletionParams> = {},
  onPart: (read: Read) => void = () => undefined,
  signal?: AbortSignal,
): Promise<Read> {
  const seen: Read = { text: '', tokenIds: [], ids: new Set(), roles: 0 }
  const stream = await engine.chat.completions.create(
    { messages: MESSAGES, seed: 7, ...params, stream: true },
    signal === undefined ? {} : { signal },
  )
  for await (const part of stream) {
    seen.text += part.choices[0]?.delta.content ?? ''
    if (part.choices[0]?.delta.role !== undefined) seen.roles++
    seen.tokenIds.push(...(part.minnow?.tokenIds ?? []))
    seen.ids.add(part.id)
    onPart(seen)
  }
  return seen
}

function expected(count: number, seed = 7): string {
  return Array.from({ length: count }, (_, n) => `${((seed % 97) * (n + 1)) % 97} `).join('')
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

let origin = new FakeOrigin()

afterEach(() => {
  for (const tab of origin.tabs) tab.close()
  origin = new FakeOrigin()
})

describe('a shared engine', () => {
  it('is one for all tabs and all callers', async () => {
    const [a, b] = [origin.openTab(), origin.openTab()]
    const reports: LoadProgress[] = []
    const [first, second, third] = await Promise.all([
      a.open(),
      a.open(),
      b.open({ onProgress: (progress) => reports.push(progress) }),
    ])
    expect([...a.engines, ...b.engines]).toHaveLength(1)
    expect(reports.length).toBeGreaterThan(0)
    expect(third.info).toEqual(first.info)
    const texts = await Promise.all([first, second, third].map(async (engine) => (await read(engine)).text))
    expect(texts).toEqual([expected(10), expected(10), expected(10)])
    const whole = await third.chat.completions.create({ messages: MESSAGES })
    expect(whole.choices[0]?.message.content).toBe('seed number')
  })

  it('passes on refusals with their details, and failures to load to all', async () => {
    const [a, b] = [origin.openTab(), origin.openTab()]
    const [, engine] = await Promise.all([a.open(), b.open()])
    await expect(read(engine, { messages: [] })).rejects.toMatchObject({
      code: 'context-overflow',
      details: { tokens: 9 },
    })
    const other = new FakeOrigin()
    let fails = true
    const broken = (): Promise<FakeEngine> =>
      fails ? Promise.reject(new EngineError('network', 'no network')) : Promise.resolve(new FakeEngine())
    const tabs = [other.openTab(broken), other.openTab(broken)]
    const failed = await Promise.allSettled(tabs.map((tab) => tab.open()))
    expect(
      failed.map((result) => result.status === 'rejected' && (result.reason as EngineError).code),
    ).toEqual(['network', 'network'])
    fails = false
    expect((await read(await tabs[0]!.open())).text).toBe(expected(10))
    for (const tab of tabs) tab.close()
  })

  it('refuses what cannot be cloned', async () => {
    const engine = await origin.openTab().open()
    const params = { messages: MESSAGES, user: () => undefined } as unknown as { messages: typeof MESSAGES }
    await expect(engine.chat.completions.create(params)).rejects.toMatchObject({ code: 'invalid-argument' })
  })

  it('stops in the leader when another tab leaves its loop, aborts or closes', async () => {
    const [a, b, c] = [origin.openTab(), origin.openTab(), origin.openTab()]
    await a.open()
    const [inB, inC] = [await b.open(), await c.open()]
    const { engines } = a
    for await (const _ of await inB.chat.completions.create({
      messages: MESSAGES,
      max_tokens: 1e6,
      stream: true,
    }))
      break
    const controller = new AbortController()
    const reason = new Error('enough')
    const aborted = read(inB, { max_tokens: 1e6 }, () => controller.abort(reason), controller.signal)
    await expect(aborted).rejects.toBe(reason)
    const reading = new Promise<void>((resolve) => {
      void read(inC, { max_tokens: 1e6 }, ({ tokenIds }) => tokenIds.length === 3 && resolve())
    })
    await reading
    c.close()
    await vi.waitFor(() => expect(engines[0]?.aborted).toBe(3))
    const steps = engines[0]!.steps
    await pause(10)
    expect(engines[0]!.steps).toBe(steps)
  })

  it.each([1, 3])('goes on in another tab when the leader is closed, chunks of %i', async (size) => {
    const a = origin.openTab()
    const b = origin.openTab(() => new FakeEngine({ size }))
    await a.open()
    const engine = await b.open()
    let parts = 0
    const answer = read(engine, { max_tokens: 40 }, () => {
      if (++parts === 11) a.close()
    })
    const waiting = read(engine, { max_tokens: 5, seed: 3 })
    expect(await answer).toMatchObject({
      text: expected(40),
      tokenIds: Array.from({ length: 40 }, (_, n) => n),
      roles: 1,
    })
    expect((await answer).ids.size).toBe(1)
    expect((await waiting).text).toBe(expected(5, 3))
    expect(b.engines).toHaveLength(1)
  })

  it("says 'worker-lost' where the successor answers otherwise", async () => {
    const a = origin.openTab()
    const b = origin.openTab(() => new FakeEngine({ bias: 1 }))
    await a.open()
    const engine = await b.open()
    let text = ''
    const answer = read(engine, { max_tokens: 40 }, (seen) => {
      text = seen.text
      if (seen.tokenIds.length === 5) a.close()
    })
    await expect(answer).rejects.toMatchObject({ code: 'worker-lost' })
    expect(expected(40)).toContain(text)
    expect((await read(engine)).text.length).toBeGreaterThan(0)
  })

  it('starts anew when the worker dies, and gives up on a request that kills every worker', async () => {
    const a = origin.openTab()
    const b = origin.openTab()
    await a.open()
    const engine = await b.open()
    const answer = await read(engine, { max_tokens: 30 }, (seen) => {
      if (seen.tokenIds.length === 9 && a.engines.length === 1) a.engines[0]!.die()
    })
    expect(answer.text).toBe(expected(30))
    expect(a.engines).toHaveLength(2)
    expect(a.engines[0]!.disposed).toBe(true)

    const deadly = read(engine, { max_tokens: 1e6 }, () => a.engines.at(-1)!.die())
    await expect(deadly).rejects.toMatchObject({ code: 'worker-lost' })
    expect(a.engines).toHaveLength(4)
    expect((await read(engine)).text).toBe(expected(10))
  })

  it('lives until its last caller in a page disposes of it, and passes on to another page', async () => {
    const [a, b] = [origin.openTab(), origin.openTab()]
    const [first, second] = [await a.open(), await a.open()]
    const third = await b.open()
    await first.dispose()
    await first.dispose()
    await expect(read(first)).rejects.toMatchObject({ code: 'disposed' })
    expect((await read(second)).text).toBe(expected(10))
    const running = read(second, { max_tokens: 1e6 })
    const other = read(third, { max_tokens: 30 })
    await pause(5)
    await second.dispose()
    await expect(running).rejects.toMatchObject({ code: 'disposed' })
    expect((await other).text).toBe(expected(30))
    expect(a.engines[0]!.disposed).toBe(true)
    expect(b.engines).toHaveLength(1)
  })

  it('takes the lead from a tab that is frozen, and lets it come back as a member', async () => {
    origin.tickMs = 20
    const [a, b] = [origin.openTab(), origin.openTab()]
    const inA = await a.open()
    const inB = await b.open()
    const own = read(inA, { max_tokens: 200 })
    const answer = read(inB, { max_tokens: 30 }, (seen) => {
      if (seen.tokenIds.length === 4) a.frozen ??= []
    })
    expect((await answer).text).toBe(expected(30))
    expect(b.engines).toHaveLength(1)
    a.thaw()
    expect((await own).text).toBe(expected(200))
    await vi.waitFor(() => expect(a.engines[0]!.disposed).toBe(true))
    expect((await read(inA)).text).toBe(expected(10))
    expect(a.engines).toHaveLength(1)
  })

  it('lets another tab lead while its page is put aside', async () => {
    const [a, b] = [origin.openTab(), origin.openTab()]
    const inA = await a.open()
    const inB = await b.open()
    a.rest()
    expect((await read(inB)).text).toBe(expected(10))
    expect(a.engines[0]!.disposed).toBe(true)
    a.wake()
    expect((await read(inA)).text).toBe(expected(10))
    expect([a.engines.length, b.engines.length]).toEqual([1, 1])
  })

  it('gives up loading when its only caller does', async () => {
    const tab = origin.openTab(() => new Promise(() => undefined))
    const controller = new AbortController()
    const opening = tab.open({ signal: controller.signal })
    await pause(5)
    controller.abort(new Error('changed my mind'))
    await expect(opening).rejects.toThrow('changed my mind')
    await vi.waitFor(() => expect(origin.held.has(NAME)).toBe(false))
  })
})
