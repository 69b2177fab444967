import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { createRemoteEngine } from '../../src/router/providers/remote-engine'
import type { RemoteEngineOptions } from '../../src/router/providers/remote-options'
import { SCRIPTED_TEXT } from '../remote-server/answers'
import { ask, KEY, QUESTION, remoteOf, startServer, PATIENT } from './remote-harness'

describe('an answer of a remote', () => {
  it('streams in the shapes of the contract', async () => {
    const server = await startServer({ key: KEY })
    const { text, chunks, error } = await ask(remoteOf(server), { stream_options: { include_usage: true } })
    expect(error).toBeNull()
    expect(text).toBe(SCRIPTED_TEXT)
    expect(chunks[0]).toMatchObject({
      id: 'chatcmpl-test',
      object: 'chat.completion.chunk',
      model: 'test-model',
      choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }],
      minnow: { remote: { name: 'test', model: 'test-model', price: null, requests: 1 } },
    })
    expect(chunks.filter(({ minnow }) => minnow !== undefined)).toHaveLength(1)
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop')
    const { usage, choices } = chunks.at(-1)!
    expect(choices).toEqual([])
    expect(usage).toMatchObject({
      prompt_tokens: 4,
      completion_tokens: 9,
      total_tokens: 13,
      prompt_tokens_details: { cached_tokens: 1 },
    })
    expect(usage?.estimated).toBeUndefined()
    expect(usage!.minnow.timeToFirstTokenMs).toBeGreaterThan(0)
    expect(usage!.minnow.decodeTokensPerSecond).toBeGreaterThan(0)
  })

  it('comes whole where no stream is asked for', async () => {
    const server = await startServer()
    const price = { inputPerMillion: 1, outputPerMillion: 2, date: '2026-01-01' }
    const engine = remoteOf(server, { price, contextLength: 8192 })
    const completion = await engine.chat.completions.create({ messages: QUESTION.messages, max_tokens: 3 })
    expect(completion).toMatchObject({
      object: 'chat.completion',
      choices: [{ message: { role: 'assistant', content: 'The café’s 🐟' }, finish_reason: 'length' }],
      usage: { completion_tokens: 3 },
      minnow: { remote: { name: 'test', price, requests: 1 } },
    })
    expect(engine.info).toMatchObject({ backend: 'remote', model: 'test-model', price, contextLength: 8192 })
  })

  it('is read where the server does not stream, and estimates what it does not count', async () => {
    const server = await startServer()
    server.faults.push({ kind: 'not-streamed' }, { kind: 'no-usage' })
    const engine = remoteOf(server)
    const whole = await ask(engine, { stream_options: { include_usage: true } })
    expect(whole.text).toBe(SCRIPTED_TEXT)
    expect(whole.chunks.at(-1)?.usage?.completion_tokens).toBe(9)
    const uncounted = await ask(engine, { stream_options: { include_usage: true } })
    const bytes = Buffer.byteLength(SCRIPTED_TEXT)
    expect(uncounted.chunks.at(-1)?.usage).toMatchObject({
      completion_tokens: Math.ceil(bytes / 4),
      prompt_tokens: Math.ceil('Where do minnows swim?'.length / 4),
      estimated: true,
    })
  })

  it('says where the provider cut its answer off', async () => {
    const server = await startServer()
    server.faults.push({ kind: 'finish', after: 2, reason: 'content_filter' })
    const { text, chunks } = await ask(remoteOf(server))
    expect(text).toBe('The café’s')
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('content_filter')
  })
})

describe('a request to a remote', () => {
  it('holds what OpenAI knows and nothing else', async () => {
    const server = await startServer()
    const engine = remoteOf(server, { body: { provider: { data_collection: 'deny' } } })
    await ask(engine, {
      model: 'a local one',
      temperature: 0.5,
      top_k: 3,
      logit_bias: { '5': 1 },
      max_completion_tokens: 7,
      seed: 1,
      stop: null,
      minnow: { promptLookup: false },
    })
    expect(JSON.parse(server.requests[0]!.body)).toEqual({
      model: 'test-model',
      messages: QUESTION.messages,
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0.5,
      seed: 1,
      max_tokens: 7,
      provider: { data_collection: 'deny' },
    })
    const { authorization, cookie, referer } = server.requests[0]!.headers
    expect({ authorization, cookie, referer }).toEqual({ authorization: `Bearer ${KEY}` })
  })

  it('can hold what a server knows beyond that', async () => {
    const server = await startServer()
    const engine = remoteOf(server, {
      extraParameters: ['top_k', 'min_p'],
      maxTokensField: 'max_completion_tokens',
      headers: { 'X-Title': 'Pond' },
    })
    await ask(engine, { top_k: 3, max_tokens: 7 })
    const body = JSON.parse(server.requests[0]!.body) as Record<string, unknown>
    expect(body).toMatchObject({ top_k: 3, max_completion_tokens: 7 })
    expect(body).not.toHaveProperty('max_tokens')
    expect(server.requests[0]!.headers['x-title']).toBe('Pond')
  })

  it('takes a new key from a function each time', async () => {
    const server = await startServer()
    let count = 0
    const engine = remoteOf(server, { apiKey: () => Promise.resolve(`token-${++count}`) })
    server.faults.push({ kind: 'status', status: 503 })
    await ask(engine)
    expect(server.requests.map(({ headers }) => headers['authorization'])).toEqual([
      'Bearer token-1',
      'Bearer token-2',
    ])
  })

  it('goes past beforeSend each time, with the exact text', async () => {
    const server = await startServer()
    server.faults.push({ kind: 'status', status: 500 })
    const seen: unknown[] = []
    const beforeSend = (outgoing: unknown): void => void seen.push(outgoing)
    const { chunks } = await ask(remoteOf(server), {}, { beforeSend })
    const url = `${server.baseUrl}/chat/completions`
    const body = server.requests[0]!.body
    expect(seen).toEqual([
      { url, model: 'test-model', body },
      { url, model: 'test-model', body },
    ])
    expect(chunks[0]?.minnow?.remote?.requests).toBe(2)
  })

  it('does not leave where beforeSend refuses, at first or later', async () => {
    const server = await startServer()
    const no = new Error('private')
    const never = await ask(remoteOf(server), {}, { beforeSend: () => Promise.reject(no) })
    expect(never.error).toBe(no)
    expect(server.requests).toHaveLength(0)

    server.faults.push({ kind: 'status', status: 500 })
    let count = 0
    const later = await ask(
      remoteOf(server),
      {},
      {
        beforeSend: () => {
          if (++count > 1) throw no
        },
      },
    )
    expect(later.error).toBe(no)
    expect(server.requests).toHaveLength(1)
  })

  it('is checked before', async () => {
    const server = await startServer()
    for (const messages of [[], [{ role: 'user' }]]) {
      const { error } = await ask(remoteOf(server), { messages: messages as never })
      expect(error).toMatchObject({ code: 'invalid-argument' })
    }
    expect(server.requests).toHaveLength(0)
  })
})

describe('stopping', () => {
  it.for([
    ['before the response', { kind: 'hang-before-head' }, 0],
    ['before the first token', { kind: 'hang', after: 0 }, 0],
    ['between tokens', { kind: 'hang', after: 3 }, 3],
    ['in an endless answer', { kind: 'endless', after: 2 }, 2],
  ] as const)('ends the request %s', async ([, fault, pieces]) => {
    const server = await startServer()
    server.faults.push(fault)
    const controller = new AbortController()
    const reason = new Error('enough')
    const asked = ask(remoteOf(server), {}, { signal: controller.signal })
    await expect.poll(() => server.requests.length, PATIENT).toBe(1)
    setTimeout(() => controller.abort(reason), 50)
    const { error, text } = await asked
    expect(error).toBe(reason)
    expect(SCRIPTED_TEXT.split(' ').slice(0, pieces).join(' ')).toBe(
      text.slice(0, text.indexOf('again') >>> 0),
    )
    await expect.poll(() => server.requests[0]!.left, PATIENT).toBe(true)
  })

  it('ends the request when the loop is left, or was never begun', async () => {
    const server = await startServer()
    server.faults.push({ kind: 'hang', after: 2 }, { kind: 'hang', after: 2 })
    const engine = remoteOf(server)
    const left = await engine.chat.completions.create(QUESTION)
    for await (const { choices } of left) if (choices[0]?.delta.content) break
    await expect.poll(() => server.requests[0]!.left, PATIENT).toBe(true)
    const unread = await engine.chat.completions.create(QUESTION)
    await unread[Symbol.asyncIterator]().return?.()
    await expect.poll(() => server.requests[1]!.left, PATIENT).toBe(true)
  })

  it('heeds a signal that has fired already, and one that fires while a retry waits', async () => {
    const server = await startServer()
    const engine = remoteOf(server, { retry: { baseMs: 60_000, maxMs: 60_000 } })
    const { error } = await ask(engine, {}, { signal: AbortSignal.abort('gone') })
    expect(error).toBe('gone')
    expect(server.requests).toHaveLength(0)
    server.faults.push({ kind: 'status', status: 503, headers: { 'retry-after': '10' } })
    const controller = new AbortController()
    const waiting = ask(engine, {}, { signal: controller.signal })
    await expect.poll(() => server.requests.length, PATIENT).toBe(1)
    setTimeout(() => controller.abort('gone'), 20)
    expect((await waiting).error).toBe('gone')
  })

  it('rejects all that runs and all that comes when disposed of', async () => {
    const server = await startServer()
    server.faults.push({ kind: 'hang', after: 1 })
    const engine = remoteOf(server)
    const stream = await engine.chat.completions.create(QUESTION)
    const reading = (async () => {
      for await (const chunk of stream) void chunk
    })()
    await engine.dispose()
    await expect(reading).rejects.toMatchObject({ code: 'disposed' })
    expect((await ask(engine)).error).toMatchObject({ code: 'disposed' })
    await expect(engine.models()).rejects.toMatchObject({ code: 'disposed' })
  })
})

describe('the list of models', () => {
  it('is read with what providers add to it', async () => {
    const server = await startServer({
      key: KEY,
      modelFields: { context_length: 32_768, pricing: { prompt: '0.0000002', completion: '0.000001' } },
    })
    const [model, ...others] = await remoteOf(server).models()
    expect(others).toEqual([])
    expect(model).toMatchObject({ id: 'test-model', contextLength: 32_768 })
    expect(model?.price?.inputPerMillion).toBeCloseTo(0.2)
    expect(model?.price?.outputPerMillion).toBeCloseTo(1)
    expect(model?.price?.date).toMatch(/^\d{4}-\d\d-\d\d$/)
    await expect(remoteOf(server, { apiKey: 'wrong-key' }).models()).rejects.toMatchObject({
      code: 'unauthorized',
    })
  })
})

describe('options', () => {
  const good: RemoteEngineOptions = { baseUrl: 'https://remote.example/v1', model: 'm', apiKey: KEY }
  it.for<[string, Partial<RemoteEngineOptions>, RegExp]>([
    ['no address', { baseUrl: 'remote' }, /baseUrl/],
    ['another scheme', { baseUrl: 'file:///v1' }, /baseUrl/],
    ['a key in the address', { baseUrl: `https://user:${KEY}@remote.example` }, /baseUrl/],
    ['no model', { model: '' }, /model/],
    ['a key with a line break', { apiKey: `${KEY}\n` }, /apiKey/],
    ['a header with a line break', { headers: { 'x-key': `${KEY}\r\n` } }, /x-key/],
    ['a key over plain http', { baseUrl: 'http://remote.example/v1' }, /encrypted/],
    ['no context', { contextLength: 0 }, /contextLength/],
    ['negative time', { timeouts: { totalMs: -1 } }, /timeouts.totalMs/],
  ])('are refused: %s', ([, options, message]) => {
    let thrown: unknown
    try {
      createRemoteEngine({ ...good, ...options })
    } catch (error) {
      thrown = error
    }
    expect(thrown).toMatchObject({
      code: 'invalid-argument',
      message: expect.stringMatching(message) as string,
    })
    expect(inspect(thrown, { depth: 9 })).not.toContain(KEY)
  })

  it('allow plain http on this machine, without a key, or on demand', () => {
    expect(createRemoteEngine({ ...good, baseUrl: 'http://localhost:11434/v1' }).name).toBe('localhost:11434')
    expect(createRemoteEngine({ baseUrl: 'http://10.0.0.2:8000/v1', model: 'm' }).name).toBe('10.0.0.2:8000')
    const allowed = { ...good, baseUrl: 'http://10.0.0.2:8000/v1', allowPlainHttp: true }
    expect(createRemoteEngine(allowed).info.variant).toBe('10.0.0.2:8000')
  })

  it('cannot be read off the engine', () => {
    const engine = createRemoteEngine({ ...good, headers: { 'api-key': 'azure-secret-1234' } })
    const shown = inspect(engine, { depth: 9, showHidden: true }) + JSON.stringify(engine)
    expect(shown).not.toContain(KEY)
    expect(shown).not.toContain('azure-secret-1234')
  })
})
