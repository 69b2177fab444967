/**
 * A key proxy: holds the provider's key, and hands out tokens that live for minutes and can do one thing. Web standards
 * only, so that it runs in Node (node.ts) and on edge runtimes (edge.ts) alike.
 */
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import { jwtVerify, SignJWT } from 'jose'

export interface ProxySettings {
  /** The provider's, up to and without `/chat/completions`. */
  upstreamUrl: string
  upstreamKey: string
  /** Signs the tokens. At least 32 random characters. */
  tokenSecret: string
  /** Origins of the pages that may use it. */
  origins: readonly string[]
  /** Models that may be asked. */
  models: readonly string[]
  /** Who asks for a token: your session cookie, your login. null: nobody known. */
  identify: (request: Request) => Promise<string | null> | string | null
  /** Seconds a token lives. Default 300. */
  lifetimeSeconds?: number
  /** Most new tokens of an answer. Default 1024. */
  maxTokens?: number
  /** Requests a user may send in a minute. Counted in this process: put a shared store here for several. Default 20. */
  requestsPerMinute?: number
}

const AUDIENCE = 'chat'
const BODY_BYTES = 1_000_000

export function createProxy(settings: ProxySettings): Hono {
  const { upstreamUrl, upstreamKey, origins, models, identify } = settings
  const { lifetimeSeconds = 300, maxTokens = 1024, requestsPerMinute = 20 } = settings
  if (settings.tokenSecret.length < 32) throw new Error('tokenSecret needs at least 32 random characters.')
  const secret = new TextEncoder().encode(settings.tokenSecret)
  const mayGo = createRateLimit(requestsPerMinute)
  const app = new Hono()

  app.use(
    cors({
      origin: [...origins],
      allowMethods: ['GET', 'POST'],
      allowHeaders: ['authorization', 'content-type'],
      exposeHeaders: ['retry-after'],
      credentials: true,
    }),
  )

  app.post('/token', async (context) => {
    const user = await identify(context.req.raw)
    if (user === null) return context.json(errorBody('Log in first.'), 401)
    const token = await new SignJWT({ models: [...models] })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(user)
      .setAudience(AUDIENCE)
      .setIssuedAt()
      .setExpirationTime(`${lifetimeSeconds}s`)
      .sign(secret)
    context.header('cache-control', 'no-store')
    return context.json({ token, expiresInSeconds: lifetimeSeconds })
  })

  app.get('/v1/models', async (context) => {
    const scope = await readToken(context.req.header('authorization'), secret)
    if (scope === null) return context.json(errorBody('This token is not valid.'), 401)
    return context.json({ object: 'list', data: scope.models.map((id) => ({ id, object: 'model' })) })
  })

  app.post('/v1/chat/completions', bodyLimit({ maxSize: BODY_BYTES }), async (context) => {
    const scope = await readToken(context.req.header('authorization'), secret)
    if (scope === null) return context.json(errorBody('This token is not valid.'), 401)
    const body = await context.req.json<unknown>().catch(() => null)
    if (!isRecord(body)) return context.json(errorBody('The body must be a JSON object.'), 400)
    if (typeof body['model'] !== 'string' || !scope.models.includes(body['model'])) {
      return context.json(errorBody('This token is not for this model.'), 403)
    }
    const waitSeconds = mayGo(scope.user)
    if (waitSeconds > 0) {
      context.header('retry-after', String(waitSeconds))
      return context.json(errorBody('Too many requests.'), 429)
    }
    const upstream = await fetch(`${upstreamUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${upstreamKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(forwarded(body, maxTokens)),
      // A page that stops listening stops the provider as well.
      signal: context.req.raw.signal,
      redirect: 'manual',
    }).catch(() => null)
    if (upstream === null) return context.json(errorBody('The provider cannot be reached.'), 502)
    return upstream.ok ? passOn(upstream) : passOnError(upstream, upstreamKey)
  })

  return app
}

/** Only what the page needs: no cookies and no organisation names of the provider. */
function passOn(upstream: Response): Response {
  const type = upstream.headers.get('content-type') ?? 'application/octet-stream'
  return new Response(upstream.body, { headers: { 'content-type': type, 'cache-control': 'no-store' } })
}

/** A refused key is this proxy's fault and no business of the page; other errors go on without it. */
async function passOnError(upstream: Response, upstreamKey: string): Promise<Response> {
  const text = await upstream.text()
  if (upstream.status === 401 || upstream.status < 400) {
    return Response.json(errorBody('The proxy is not set up right.'), { status: 502 })
  }
  const retryAfter = upstream.headers.get('retry-after')
  return new Response(text.replaceAll(upstreamKey, '[key]'), {
    status: upstream.status,
    headers: {
      'content-type': upstream.headers.get('content-type') ?? 'text/plain',
      ...(retryAfter === null ? {} : { 'retry-after': retryAfter }),
    },
  })
}

interface Scope {
  user: string
  models: string[]
}

async function readToken(authorization: string | undefined, secret: Uint8Array): Promise<Scope | null> {
  const token = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1]
  if (token === undefined) return null
  try {
    const { payload } = await jwtVerify(token, secret, { algorithms: ['HS256'], audience: AUDIENCE })
    const models: unknown = payload['models']
    if (payload.sub === undefined || !Array.isArray(models)) return null
    return { user: payload.sub, models: models.filter((model) => typeof model === 'string') }
  } catch {
    return null
  }
}

/** Seconds to wait before the next request of a user; 0: go on. */
function createRateLimit(requestsPerMinute: number): (user: string) => number {
  const windows = new Map<string, { endsAt: number; count: number }>()
  return (user) => {
    const now = Date.now()
    for (const [name, { endsAt }] of windows) if (endsAt <= now) windows.delete(name)
    const window = windows.get(user) ?? { endsAt: now + 60_000, count: 0 }
    windows.set(user, window)
    window.count++
    return window.count <= requestsPerMinute ? 0 : Math.ceil((window.endsAt - now) / 1000)
  }
}

/** Only these go on: others could cost more (`n`) or do more (`tools`) than the token is for. */
const FIELDS = [
  'model',
  'messages',
  'stream',
  'stream_options',
  'temperature',
  'top_p',
  'frequency_penalty',
  'presence_penalty',
  'seed',
  'stop',
  'logprobs',
  'top_logprobs',
]

function forwarded(body: Record<string, unknown>, maxTokens: number): Record<string, unknown> {
  const limit = 'max_completion_tokens' in body ? 'max_completion_tokens' : 'max_tokens'
  const asked = body[limit]
  return {
    ...Object.fromEntries(FIELDS.flatMap((name) => (name in body ? [[name, body[name]]] : []))),
    [limit]: typeof asked === 'number' && asked > 0 ? Math.min(asked, maxTokens) : maxTokens,
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function errorBody(message: string): { error: { message: string } } {
  return { error: { message } }
}
