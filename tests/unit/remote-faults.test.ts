import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { createRemoteEngine } from '../../src/router/providers/remote-engine'
import { SCRIPTED_TEXT, scriptedAnswer } from '../remote-server/answers'
import type { Fault } from '../remote-server/faults'
import { ask, KEY, QUICK, remoteOf, startServer, PATIENT } from './remote-harness'

/** What a fault makes of a call in which nothing else goes wrong. */
interface Case {
  name: string
  fault: Fault
  code: string
  /** Whether the request is sent again when nothing was shown yet. */
  retried: boolean
  details?: Record<string, unknown>
}

const status = (code: number): Fault => ({ kind: 'status', status: code })

const BEFORE_TEXT: Case[] = [
  { name: 'a connection that is torn down', fault: { kind: 'refuse' }, code: 'network', retried: true },
  { name: '400', fault: status(400), code: 'invalid-argument', retried: false },
  { name: '401', fault: status(401), code: 'unauthorized', retried: false },
  { name: '402', fault: status(402), code: 'quota-exceeded', retried: false },
  { name: '403', fault: status(403), code: 'unauthorized', retried: false },
  { name: '404', fault: status(404), code: 'unavailable', retried: false },
  { name: '413', fault: status(413), code: 'context-overflow', retried: false },
  { name: '422', fault: status(422), code: 'invalid-argument', retried: false },
  { name: '429', fault: status(429), code: 'rate-limited', retried: true },
  { name: '500', fault: status(500), code: 'unavailable', retried: true },
  { name: '502', fault: status(502), code: 'unavailable', retried: true },
  { name: '529', fault: status(529), code: 'unavailable', retried: true },
  {
    name: 'an HTML page with 502',
    fault: { kind: 'status', status: 502, body: '<html><title>Bad gateway</title><p>x</p></html>' },
    code: 'unavailable',
    retried: true,
    details: { status: 502 },
  },
  {
    name: 'an HTML page with 200',
    fault: { kind: 'other-type', type: 'text/html', body: '<h1>Welcome to this hotel</h1>' },
    code: 'invalid-response',
    retried: false,
  },
  {
    name: 'JSON that is no answer',
    fault: { kind: 'other-type', type: 'application/json', body: '[1, 2]' },
    code: 'invalid-response',
    retried: false,
  },
  {
    name: 'a redirect',
    fault: { kind: 'redirect', to: '/v1/chat/completions' },
    code: 'invalid-response',
    retried: false,
  },
  {
    name: 'a refusal by a filter',
    fault: { kind: 'finish', after: 0, reason: 'content_filter' },
    code: 'content-policy',
    retried: false,
  },
]

const places = ['between-events', 'in-event', 'in-character'] as const
/** These break a stream before or after its first token alike. */
const BROKEN: { name: string; fault: (after: number) => Fault; code: string; retried: boolean }[] = [
  ...places.map((where) => ({
    name: `a cut connection ${where}`,
    fault: (after: number): Fault => ({ kind: 'cut', after, where }),
    code: 'network',
    retried: true,
  })),
  ...places.map((where) => ({
    name: `an early end ${where}`,
    fault: (after: number): Fault => ({ kind: 'early-end', after, where }),
    code: 'network',
    retried: true,
  })),
  ...(['bytes', 'json', 'other-json'] as const).map((what) => ({
    name: `garbage: ${what}`,
    fault: (after: number): Fault => ({ kind: 'garbage', after, what }),
    code: 'invalid-response',
    retried: false,
  })),
  {
    name: 'a line of 10 MB',
    fault: (after) => ({ kind: 'long-line', after, bytes: 10_000_000 }),
    code: 'invalid-response',
    retried: false,
  },
  {
    name: 'an error in the stream (OpenRouter)',
    fault: (after) => ({
      kind: 'error-event',
      after,
      line: 'data: {"error":{"code":502,"message":"Provider disconnected"},"choices":[]}',
    }),
    code: 'unavailable',
    retried: true,
  },
  {
    name: 'an error in the stream (llama.cpp)',
    fault: (after) => ({
      kind: 'error-event',
      after,
      line: 'error: {"code":500,"message":"slot gone","type":"server_error"}',
    }),
    code: 'unavailable',
    retried: true,
  },
]

describe('before the first text', () => {
  const cases: Case[] = [
    ...BEFORE_TEXT,
    ...BROKEN.map(({ fault, ...rest }) => ({ ...rest, fault: fault(0) })),
  ]
  it.for(cases)('$name: $code, sent again: $retried', async ({ fault, code, retried, details }) => {
    const server = await startServer()
    server.faults.push(fault, fault, fault)
    const outcome = await ask(remoteOf(server))
    expect(outcome).toMatchObject({ rejected: true, text: '', error: { name: 'EngineError', code } })
    expect(outcome.error).toMatchObject({ details: { remote: 'test', ...details } })
    expect(server.requests).toHaveLength(retried ? 3 : 1)
    for (const request of server.requests.slice(1)) expect(request.body).toBe(server.requests[0]!.body)
  })

  it.for(cases.filter(({ retried }) => retried))('$name, once: nobody notices', async ({ fault }) => {
    const server = await startServer()
    server.faults.push(fault)
    const { text, error, chunks } = await ask(remoteOf(server))
    expect(error).toBeNull()
    expect(text).toBe(SCRIPTED_TEXT)
    expect(chunks[0]?.minnow?.remote?.requests).toBe(2)
  })

  it('says that a stream holds no event', async () => {
    const server = await startServer()
    const body = 'oops\nthis is no stream\n\n'
    server.faults.push({ kind: 'other-type', type: 'text/event-stream', body })
    const { error } = await ask(remoteOf(server))
    expect(error).toMatchObject({ code: 'invalid-response' })
  })

  it('fails where nobody listens', async () => {
    const server = await startServer()
    await server.close()
    const { error } = await ask(createRemoteEngine({ baseUrl: server.baseUrl, model: 'm', ...QUICK }))
    expect(error).toMatchObject({
      code: 'network',
      message: expect.stringContaining('ECONNREFUSED') as string,
    })
  })
})

describe('after the first text', () => {
  it.for(BROKEN)(
    '$name: the text stays, the stream fails, nothing is sent again',
    async ({ fault, code }) => {
      const server = await startServer()
      server.faults.push(fault(3))
      const outcome = await ask(remoteOf(server))
      expect(outcome).toMatchObject({ rejected: false, text: 'The café’s 🐟', error: { code } })
      expect(server.requests).toHaveLength(1)
    },
  )

  it('an endless answer runs into its size', async () => {
    const server = await startServer()
    server.faults.push({ kind: 'endless', after: 1 })
    const { error } = await ask(remoteOf(server, { limits: { answerBytes: 100_000 } }))
    expect(error).toMatchObject({ code: 'invalid-response' })
    await expect.poll(() => server.requests[0]!.left, PATIENT).toBe(true)
  })
})

describe('retry-after', () => {
  it.for<[string, () => string, number]>([
    ['seconds', () => '0.25', 250],
    ['a date', () => new Date(Date.now() + 2000).toUTCString(), 500],
  ])('is waited for: %s', async ([, value, leastMs]) => {
    const server = await startServer()
    server.faults.push({ kind: 'status', status: 429, headers: { 'retry-after': value() } })
    const startedAt = performance.now()
    const { text } = await ask(remoteOf(server))
    expect(text).toBe(SCRIPTED_TEXT)
    expect(performance.now() - startedAt).toBeGreaterThan(leastMs * 0.95)
  })

  it('is not waited for where it is too long, but told', async () => {
    const server = await startServer()
    server.faults.push({ kind: 'status', status: 429, headers: { 'retry-after': '60' } })
    const { error } = await ask(remoteOf(server))
    expect(error).toMatchObject({ code: 'rate-limited', details: { retryAfterMs: 60_000 } })
    expect(server.requests).toHaveLength(1)
  })
})

describe('a key', () => {
  const inBase64 = btoa(KEY)
  const echo = `You sent ${KEY} (${inBase64}, ${encodeURIComponent(KEY)}) and Bearer ${KEY}`
  it.for<[string, Fault]>([
    ['401', { kind: 'status', status: 401, body: { error: { message: echo, type: echo, code: echo } } }],
    ['500 as text', { kind: 'status', status: 500, body: echo }],
    ['an HTML title', { kind: 'other-type', type: 'text/html', body: `<title>${echo}</title>` }],
    ['a type', { kind: 'other-type', type: `text/${KEY}`, body: echo }],
    ['an event', { kind: 'error-event', after: 0, line: `data: {"error": {"message": "${echo}"}}` }],
    ['a late event', { kind: 'error-event', after: 2, line: `data: {"error": {"message": "${echo}"}}` }],
    ['an event that is no part', { kind: 'error-event', after: 2, line: `data: {"x": "${echo}"}` }],
    ['a wall of keys', { kind: 'status', status: 400, body: { error: { message: KEY.repeat(5000) } } }],
  ])('echoed in %s is in no error', async ([, fault]) => {
    const server = await startServer()
    server.faults.push(fault, fault, fault)
    const { error } = await ask(remoteOf(server))
    expect(error).toMatchObject({ name: 'EngineError' })
    const shown = inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error)
    for (const secret of [KEY, inBase64, KEY.slice(0, 16)]) expect(shown).not.toContain(secret)
  })

  it.for([1, 3, 7, 1000])(
    'echoed in an answer, %i characters a piece, is not in what is read',
    async (size) => {
      const pieces = `${echo}. Not ${KEY.slice(0, 9)}, and this ends in ${KEY.slice(0, 5)}`.match(
        new RegExp(`.{1,${size}}`, 'gs'),
      )!
      const server = await startServer({
        answer: () => ({
          promptTokens: 1,
          finishReason: () => 'stop',
          pieces: (async function* () {
            for (const piece of pieces) yield await Promise.resolve(piece)
          })(),
        }),
      })
      const { text, chunks, error } = await ask(remoteOf(server))
      expect(error).toBeNull()
      expect(text).toBe(
        'You sent [key] ([key], [key]) and Bearer [key]. Not sk-test-0, and this ends in sk-te',
      )
      const all = JSON.stringify(chunks)
      for (const secret of [KEY, inBase64]) expect(all).not.toContain(secret)
      if (size === 1) expect(chunks.length).toBeGreaterThan(20)
    },
  )

  it('that is no secret may stand in an answer', async () => {
    const answer = scriptedAnswer('The version is 2026-01-01-preview, and the key is not-needed.')
    const server = await startServer({ answer })
    const remote = createRemoteEngine({
      baseUrl: `${server.baseUrl}?api-version=2026-01-01-preview`,
      model: 'm',
      apiKey: 'not-needed',
    })
    expect((await ask(remote)).text).toBe('The version is 2026-01-01-preview, and the key is not-needed.')
  })

  it('is in no error of a function that gives keys', async () => {
    const server = await startServer()
    for (const apiKey of [
      (): Promise<string> => Promise.reject(new Error(`cannot renew Bearer ${KEY}`)),
      (): string => `${KEY}\n`,
      (): string => undefined as never,
    ]) {
      const { error } = await ask(remoteOf(server, { apiKey }))
      expect(error).toMatchObject({ code: 'unauthorized' })
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(KEY)
    }
    expect(server.requests).toHaveLength(0)
  })

  it('in a query is in no error', async () => {
    const server = await startServer()
    server.faults.push({ kind: 'status', status: 400, body: { error: { message: `?key=${KEY} is wrong` } } })
    const baseUrl = `${server.baseUrl}?key=${KEY}`
    const seen: string[] = []
    const beforeSend = ({ url }: { url: string }): void => void seen.push(url)
    const { error } = await ask(createRemoteEngine({ baseUrl, model: 'm' }), {}, { beforeSend })
    expect(error).toMatchObject({ code: 'invalid-argument' })
    expect(inspect(error, { depth: 9 })).not.toContain(KEY)
    expect(seen).toEqual([`${server.baseUrl}/chat/completions`])
  })
})
