import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { SignJWT } from 'jose'
import { inspect } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import edge from '../../examples/03-key-proxy/edge'
import { createProxy, type ProxySettings } from '../../examples/03-key-proxy/proxy'
import { readSettings } from '../../examples/03-key-proxy/settings'
import { tokenSource } from '../../examples/03-key-proxy/token-source'
import { createRemoteEngine } from '../../src/router/providers/remote-engine'
import { SCRIPTED_TEXT } from '../remote-server/answers'
import type { RemoteServer } from '../remote-server/server'
import { ask, KEY, PATIENT, QUESTION, QUICK, startServer } from './remote-harness'

const SECRET = 'a secret of the proxy, long enough'
const PAGE = 'https://page.example'
const CODE = 'code-of-a-friend'
const login = { headers: { authorization: `Bearer ${CODE}` } }

function environment(server: RemoteServer): Record<string, string> {
  return {
    UPSTREAM_URL: server.baseUrl,
    UPSTREAM_KEY: KEY,
    TOKEN_SECRET: SECRET,
    PROXY_ORIGINS: PAGE,
    PROXY_MODELS: 'test-model,other-model',
    PROXY_VISITORS: `somebody-else,${CODE}`,
  }
}

function settingsFor(server: RemoteServer): ProxySettings {
  return readSettings(environment(server))
}

/** The proxy on a port, in front of the test server. */
async function startProxy(
  options: Partial<ProxySettings> = {},
): Promise<{ url: string; upstream: RemoteServer }> {
  const upstream = await startServer({ key: KEY })
  const proxy = createProxy({ ...settingsFor(upstream), ...options })
  const server = serve({ fetch: proxy.fetch, port: 0, hostname: '127.0.0.1' })
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, upstream }
}

function post(
  url: string,
  token: string,
  body: unknown = { model: 'test-model', messages: QUESTION.messages },
): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body: JSON.stringify(body) })
}

describe('the key proxy', () => {
  it('lets an engine stream with tokens, and keeps the key', async () => {
    const { url, upstream } = await startProxy()
    const engine = createRemoteEngine({
      baseUrl: `${url}/v1`,
      model: 'test-model',
      apiKey: tokenSource(url, login),
      ...QUICK,
    })
    expect((await ask(engine)).text).toBe(SCRIPTED_TEXT)
    expect((await engine.models()).map(({ id }) => id)).toEqual(['test-model', 'other-model'])
    expect(upstream.requests[0]!.headers['authorization']).toBe(`Bearer ${KEY}`)
  })

  it('stops the provider when the page stops listening', async () => {
    const { url, upstream } = await startProxy()
    upstream.faults.push({ kind: 'hang', after: 1 })
    const engine = createRemoteEngine({
      baseUrl: `${url}/v1`,
      model: 'test-model',
      apiKey: tokenSource(url, login),
    })
    for await (const { choices } of await engine.chat.completions.create(QUESTION)) {
      if (choices[0]?.delta.content) break
    }
    await expect.poll(() => upstream.requests[0]!.left, PATIENT).toBe(true)
  })

  it('gives tokens to whom it knows', async () => {
    const { url } = await startProxy()
    for (const headers of [{}, { authorization: 'Bearer guess' }]) {
      expect((await fetch(`${url}/token`, { method: 'POST', headers })).status).toBe(401)
    }
    await expect(tokenSource(url, {})()).rejects.toThrow(/401/)
  })

  it('refuses tokens that ended, are for something else, or are not its own', async () => {
    const { url, upstream } = await startProxy()
    const sign = (audience: string, end: string, secret = SECRET): Promise<string> =>
      new SignJWT({ models: ['test-model'] })
        .setProtectedHeader({ alg: 'HS256' })
        .setSubject('visitor')
        .setAudience(audience)
        .setExpirationTime(end)
        .sign(new TextEncoder().encode(secret))
    const unsigned = `${btoa('{"alg":"none"}')}.${btoa('{"sub":"x","aud":"chat","models":["test-model"]}')}.`
    for (const token of [
      await sign('chat', '1 second ago'),
      await sign('admin', '1 hour'),
      await sign('chat', '1 hour', 'another secret, as long as the one'),
      unsigned,
      CODE,
      KEY,
    ]) {
      expect((await post(url, token)).status).toBe(401)
    }
    expect((await post(url, await sign('chat', '1 hour'))).status).toBe(200)
    expect(upstream.requests).toHaveLength(1)
  })

  it('lets only that through which a token is for', async () => {
    const { url, upstream } = await startProxy({ maxTokens: 50 })
    const token = await tokenSource(url, login)()
    expect((await post(url, token, { model: 'dearer-model', messages: [] })).status).toBe(403)
    expect((await post(url, token, [1])).status).toBe(400)
    // Without a connection: that would be closed while the body is on its way.
    const tooLarge = await createProxy(settingsFor(upstream)).request('/v1/chat/completions', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: 'x'.repeat(2_000_000),
    })
    expect(tooLarge.status).toBe(413)
    expect(upstream.requests).toHaveLength(0)
    await post(url, token, {
      model: 'test-model',
      messages: [],
      n: 100,
      tools: [{}],
      max_completion_tokens: 1e6,
    })
    await post(url, token, { model: 'test-model', messages: [], max_tokens: 7 })
    expect(upstream.requests.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      { model: 'test-model', messages: [], max_completion_tokens: 50 },
      { model: 'test-model', messages: [], max_tokens: 7 },
    ])
  })

  it('limits how often a visitor asks, and says when to come back', async () => {
    const { url } = await startProxy({ requestsPerMinute: 2 })
    const token = await tokenSource(url, login)()
    const statuses = []
    for (let i = 0; i < 3; i++) statuses.push((await post(url, token)).status)
    expect(statuses).toEqual([200, 200, 429])
    const wait = Number((await post(url, token)).headers.get('retry-after'))
    expect(wait).toBeGreaterThan(0)
    expect(wait).toBeLessThanOrEqual(60)
  })

  it('passes errors on, but no key', async () => {
    const { url, upstream } = await startProxy({ upstreamKey: 'wrong-key-of-the-proxy' })
    const token = await tokenSource(url, login)()
    const refused = await post(url, token)
    expect(refused.status).toBe(502)
    expect(await refused.text()).not.toContain('wrong-key')

    const right = await startProxy()
    right.upstream.faults.push({
      kind: 'status',
      status: 429,
      body: { error: { message: `${KEY} asks too often` } },
      headers: { 'retry-after': '9', 'x-organization': 'ours' },
    })
    const limited = await post(right.url, await tokenSource(right.url, login)())
    expect(limited.status).toBe(429)
    expect(limited.headers.get('retry-after')).toBe('9')
    expect(limited.headers.get('x-organization')).toBeNull()
    expect(await limited.json()).toEqual({ error: { message: '[key] asks too often' } })

    await upstream.close()
    const gone = await post(url, token)
    expect(gone.status).toBe(502)
    expect(inspect(await gone.json())).not.toContain('wrong-key')
  })

  it('opens for the pages it is told only', async () => {
    const { url } = await startProxy()
    const preflight = (origin: string): Promise<Response> =>
      fetch(`${url}/v1/chat/completions`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      })
    expect((await preflight(PAGE)).headers.get('access-control-allow-origin')).toBe(PAGE)
    expect((await preflight('https://other.example')).headers.get('access-control-allow-origin')).toBeNull()
  })

  it('shares one token among calls, and renews it in time', async () => {
    const { url } = await startProxy({ lifetimeSeconds: 0.2 })
    const source = tokenSource(url, login)
    const [one, same] = await Promise.all([source(), source()])
    expect(same).toBe(one)
    await expect.poll(async () => (await source()) === one, PATIENT).toBe(false)
  })

  it('runs on edge runtimes', async () => {
    const upstream = await startServer({ key: KEY })
    const env = environment(upstream)
    const request = new Request('https://proxy.example/token', { method: 'POST', ...login })
    const { token } = (await (await edge.fetch(request, env)).json()) as { token: string }
    const chat = new Request('https://proxy.example/v1/chat/completions', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ model: 'test-model', messages: QUESTION.messages }),
    })
    expect(await (await edge.fetch(chat, env)).json()).toMatchObject({
      choices: [{ message: { content: SCRIPTED_TEXT } }],
    })
  })

  it('knows nobody by an empty code', async () => {
    const server = await startServer()
    const { identify } = readSettings({ ...environment(server), PROXY_VISITORS: ` ${CODE} , ,` })
    const identified = (headers: Record<string, string>) =>
      identify(new Request('https://proxy.example/token', { method: 'POST', headers }))
    expect(await identified(login.headers)).toBe('visitor-0')
    for (const headers of [
      {},
      { authorization: '' },
      { authorization: 'Bearer' },
      { authorization: 'Bearer ' },
    ])
      expect(await identified(headers as Record<string, string>)).toBeNull()
    expect(() => readSettings({ ...environment(server), PROXY_VISITORS: ' ,' })).toThrow(
      'Set PROXY_VISITORS.',
    )
  })

  it('does not start half set up', async () => {
    expect(() => readSettings({})).toThrow('Set PROXY_VISITORS.')
    const server = await startServer()
    expect(() => createProxy({ ...settingsFor(server), tokenSecret: 'short' })).toThrow(/32/)
  })
})
