import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import type { Engine } from '../../src/contract/engine'
import { EngineError } from '../../src/contract/error'
import { createFetchHandler, type FetchHandlerOptions } from '../../src/http/create-fetch-handler'
import { createMockEngine } from '../../src/testing/mock-engine'
import { createHarness, says } from './engine-harness'

const QUESTION = { model: 'mock', messages: [{ role: 'user' as const, content: 'one two three' }] }

/** OpenAI's own client, with the handler in place of the network. */
function client(engine: Engine, options: FetchHandlerOptions = {}, apiKey = 'none'): OpenAI {
  const handler = createFetchHandler(engine, options)
  return new OpenAI({
    apiKey,
    baseURL: 'http://localhost/v1',
    maxRetries: 0,
    fetch: (url, init) => handler(new Request(url, init)),
  })
}

function post(body: unknown, headers: Record<string, string> = {}): Request {
  return new Request('http://localhost/v1/chat/completions', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

async function errorOf(
  response: Response,
): Promise<{ message: string; code: string | null; param: string | null }> {
  const { error } = (await response.json()) as { error: { message: string; code: string; param: string } }
  return error
}

describe("OpenAI's client", () => {
  it('gets a whole answer', async () => {
    const answer = await client(createMockEngine()).chat.completions.create(QUESTION)
    expect(answer.choices[0]?.message).toMatchObject({ role: 'assistant', content: 'one two three' })
    expect(answer.usage?.completion_tokens).toBe(3)
  })

  it('gets a stream, with usage where it asks for it', async () => {
    const stream = await client(createMockEngine()).chat.completions.create({
      ...QUESTION,
      stream: true,
      stream_options: { include_usage: true },
    })
    let text = ''
    let usage: OpenAI.CompletionUsage | null | undefined
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? ''
      usage = chunk.usage ?? usage
    }
    expect(text).toBe('one two three')
    expect(usage?.completion_tokens).toBe(3)
  })

  it('stops the engine by leaving the loop', async () => {
    const { engine, backend } = createHarness({ logits: says('a'.repeat(400)) })
    const openai = client(engine)
    const question = { ...QUESTION, model: engine.info.model }
    const stream = await openai.chat.completions.create({ ...question, stream: true })
    for await (const _ of stream) break
    // Requests are answered in their order: this one begins when that one has ended.
    await openai.chat.completions.create({ ...question, max_completion_tokens: 1 })
    expect(backend.forwards.length).toBeLessThan(200)
    await engine.dispose()
  })

  it('takes text in parts and developer messages', async () => {
    const engine = createMockEngine()
    await client(engine).chat.completions.create({
      model: 'mock',
      messages: [
        { role: 'developer', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Hello, ' },
            { type: 'text', text: 'fish.' },
          ],
        },
      ],
    })
    expect(engine.calls[0]?.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hello, fish.' },
    ])
  })

  it('lists and finds the model', async () => {
    const openai = client(createMockEngine())
    const models = await openai.models.list()
    expect(models.data.map(({ id }) => id)).toEqual(['mock'])
    expect(await openai.models.retrieve('mock')).toMatchObject({ id: 'mock', object: 'model' })
    await expect(openai.models.retrieve('gpt-4')).rejects.toThrow(OpenAI.NotFoundError)
  })

  it.each([
    ['a model that is not here', { ...QUESTION, model: 'gpt-4' }, OpenAI.NotFoundError],
    [
      'a picture',
      {
        model: 'mock',
        messages: [
          { role: 'user' as const, content: [{ type: 'image_url' as const, image_url: { url: 'data:,' } }] },
        ],
      },
      OpenAI.BadRequestError,
    ],
  ])('gets its own error for %s', async (_, params, type) => {
    await expect(client(createMockEngine()).chat.completions.create(params)).rejects.toThrow(type)
  })

  it.each([
    ['context-overflow', 400, 'context_length_exceeded'],
    ['invalid-argument', 400, 'invalid_value'],
    ['rate-limited', 429, 'rate_limit_exceeded'],
    ['worker-lost', 503, 'worker-lost'],
    ['internal', 500, 'internal'],
  ] as const)('gets %s as %i %s', async (code, status, theirs) => {
    const error = new EngineError(code, 'No fish today.', { details: { retryAfterMs: 1500 } })
    const engine = createMockEngine({ fail: { atWord: 0, error } })
    const rejected = client(engine).chat.completions.create(QUESTION)
    await expect(rejected).rejects.toMatchObject({ status, code: theirs })
    await expect(rejected).rejects.toThrow('No fish today.')
  })

  it('gets an error in the middle of a stream as one', async () => {
    const error = new EngineError('worker-lost', 'The worker ended.')
    const engine = createMockEngine({ fail: { atWord: 2, error } })
    const stream = await client(engine).chat.completions.create({ ...QUESTION, stream: true })
    let text = ''
    const read = async (): Promise<void> => {
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
    }
    await expect(read()).rejects.toThrow('The worker ended.')
    expect(text).toBe('one two')
  })

  it('needs the key where there is one', async () => {
    const options = { apiKey: 'secret-of-a-fish' }
    await expect(client(createMockEngine(), options, 'wrong').models.list()).rejects.toThrow(
      OpenAI.AuthenticationError,
    )
    expect((await client(createMockEngine(), options, 'secret-of-a-fish').models.list()).data).toHaveLength(1)
  })
})

describe('createFetchHandler', () => {
  const handler = createFetchHandler(createMockEngine(), { maxBodyBytes: 1000 })

  it.each([
    ['no JSON', post('{"messages": ['), 400, 'no JSON'],
    ['another type of body', post('{}', { 'content-type': 'text/plain' }), 415, 'application/json'],
    ['a list', post([]), 400, 'object'],
    ['a body that is too long', post({ messages: 'x'.repeat(1000) }), 413, '1000 bytes'],
    ['another path', new Request('http://localhost/v1/audio'), 404, '/v1/audio'],
    ['a path outside', new Request('http://localhost/'), 404, 'GET /'],
    ['another method', new Request('http://localhost/v1/chat/completions'), 405, 'POST'],
    ['a page of another origin', post(QUESTION, { origin: 'https://other.example' }), 403, 'other.example'],
  ])('refuses %s', async (_, request, status, words) => {
    const response = await handler(request)
    expect(response.status).toBe(status)
    expect((await errorOf(response)).message).toContain(words)
  })

  it('does not show what an engine did not foresee', async () => {
    const failing = createMockEngine({ fail: { atWord: 0, error: new Error('the key is 1234') } })
    const response = await createFetchHandler(failing)(post(QUESTION))
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('1234')
  })

  it('lets pages of origins that are allowed ask and read', async () => {
    const origin = 'https://site.example'
    const open = createFetchHandler(createMockEngine(), { allowOrigins: [origin] })
    const preflight = await open(
      new Request('http://localhost/v1/chat/completions', { method: 'OPTIONS', headers: { origin } }),
    )
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-origin')).toBe(origin)
    const response = await open(post(QUESTION, { origin }))
    expect(response.status).toBe(200)
    expect(response.headers.get('access-control-allow-origin')).toBe(origin)
    const other = await open(post(QUESTION, { origin: 'https://other.example' }))
    expect(other.status).toBe(403)
    expect(other.headers.has('access-control-allow-origin')).toBe(false)
  })

  it('asks for the engine at each request', async () => {
    let opened = 0
    const late = createFetchHandler(async () => {
      opened++
      return createMockEngine()
    })
    await late(post(QUESTION))
    await late(post(QUESTION))
    expect(opened).toBe(2)
  })
})
