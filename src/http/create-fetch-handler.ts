import type { ChatCompletionParams, Engine } from '../contract/engine'
import { EngineError } from '../contract/error'
import { errorResponse, HttpError } from './error-response'
import { eventStream } from './event-stream'
import { readChatParams, readJson } from './read-request'

export interface FetchHandlerOptions {
  /** Where the interface begins. Default '/v1'. */
  basePath?: string
  /** Requests must carry it as `Authorization: Bearer …`. Default: none is needed. */
  apiKey?: string
  /**
   * Origins whose pages may ask, as in 'https://example.com', or '*' for all. Default: none but the handler's own. A
   * page of another origin can then neither ask nor read.
   */
  allowOrigins?: readonly string[] | '*'
  /** Greatest size of a request in bytes. Default 4 MiB. */
  maxBodyBytes?: number
}

export type FetchHandler = (request: Request) => Promise<Response>

const DEFAULT_BODY_BYTES = 4 * 2 ** 20

/**
 * OpenAI's interface over HTTP for an engine, as a function from Request to Response: for a service worker, Node
 * (`minnow serve`), Deno, Bun or a test. Serves `POST /v1/chat/completions`, whole or as server-sent events, `GET /v1/models`
 * and `GET /v1/models/{id}`. Errors have OpenAI's form. Who closes the connection stops the answer. Never rejects.
 *
 * @param engine or a function that gives it, called for each request: the engine may come later, or change.
 * @see https://platform.openai.com/docs/api-reference
 */
export function createFetchHandler(
  engine: Engine | (() => Engine | Promise<Engine>),
  options: FetchHandlerOptions = {},
): FetchHandler {
  const basePath = (options.basePath ?? '/v1').replace(/\/+$/, '')
  const maxBodyBytes = options.maxBodyBytes ?? DEFAULT_BODY_BYTES
  const openedAt = Math.floor(Date.now() / 1000)
  const open = typeof engine === 'function' ? engine : () => engine

  const model = (id: string): object => ({ id, object: 'model', created: openedAt, owned_by: 'minnow' })

  const answer = async (request: Request): Promise<Response> => {
    if (options.apiKey !== undefined) checkKey(request, options.apiKey)
    const { pathname } = new URL(request.url)
    const route = pathname.startsWith(`${basePath}/`) ? pathname.slice(basePath.length) : null
    if (route === '/chat/completions') {
      checkMethod(request, 'POST')
      const params = readChatParams(await readJson(request, maxBodyBytes))
      return complete(await open(), params, request.signal)
    }
    if (route === '/models' || route?.startsWith('/models/') === true) {
      checkMethod(request, 'GET')
      const { info } = await open()
      const wanted = decodeURIComponent(route.slice('/models/'.length))
      if (wanted === '') return Response.json({ object: 'list', data: [model(info.model)] })
      if (wanted === info.model) return Response.json(model(wanted))
      throw noSuchModel(wanted, info.model)
    }
    throw new HttpError(404, `There is no ${request.method} ${pathname}.`, { code: 'unknown_url' })
  }

  return async (request) => {
    const origin = request.headers.get('origin')
    const headers = corsHeaders(origin, options.allowOrigins ?? [])
    if (request.method === 'OPTIONS') return new Response(null, { status: 204, headers })
    let response: Response
    try {
      checkOrigin(request, origin, headers)
      response = await answer(request)
    } catch (error) {
      response = errorResponse(error)
    }
    for (const [name, value] of headers) response.headers.set(name, value)
    return response
  }
}

async function complete(
  engine: Engine,
  params: ChatCompletionParams,
  signal: AbortSignal,
): Promise<Response> {
  const { completions } = engine.chat
  const { model, stream, ...rest } = params
  if (model !== undefined && model !== engine.info.model) throw noSuchModel(model, engine.info.model)
  if (stream === true) {
    const chunks = await completions.create({ ...rest, stream }, { signal })
    return new Response(eventStream(chunks), {
      headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' },
    })
  }
  return Response.json(await completions.create({ ...rest, stream: false }, { signal }))
}

/** Another model would answer than the one that was asked: say so instead. */
function noSuchModel(wanted: string, loaded: string): HttpError {
  return new HttpError(404, `The model '${wanted}' is not here; '${loaded}' is.`, {
    code: 'model_not_found',
    parameter: 'model',
  })
}

function checkMethod(request: Request, method: string): void {
  if (request.method === method) return
  const { pathname } = new URL(request.url)
  throw new HttpError(405, `${pathname} takes ${method}, not ${request.method}.`, {
    headers: { allow: method },
  })
}

function checkKey(request: Request, key: string): void {
  if (sameText(request.headers.get('authorization') ?? '', `Bearer ${key}`)) return
  throw new EngineError(
    'unauthorized',
    'The API key is missing or wrong. Send it as "Authorization: Bearer …".',
  )
}

/** Takes as long whatever differs, so that a key cannot be found letter by letter. */
function sameText(left: string, right: string): boolean {
  let difference = left.length ^ right.length
  for (let i = 0; i < right.length; i++) difference |= left.charCodeAt(i) ^ right.charCodeAt(i)
  return difference === 0
}

/** A browser sends the origin of the page that asks: others than those allowed get no answer. */
function checkOrigin(request: Request, origin: string | null, headers: Headers): void {
  const isOwn = origin === null || origin === new URL(request.url).origin
  if (isOwn || headers.has('access-control-allow-origin')) return
  throw new HttpError(403, `Pages of ${origin} may not ask here.`, { code: 'origin_not_allowed' })
}

function corsHeaders(
  origin: string | null,
  allowed: NonNullable<FetchHandlerOptions['allowOrigins']>,
): Headers {
  const headers = new Headers({ vary: 'origin' })
  if (origin === null || (allowed !== '*' && !allowed.includes(origin))) return headers
  headers.set('access-control-allow-origin', allowed === '*' ? '*' : origin)
  headers.set('access-control-allow-methods', 'GET, POST')
  headers.set('access-control-allow-headers', '*, authorization')
  headers.set('access-control-max-age', '600')
  return headers
}
