import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { scriptedAnswer, type Answerer, type ChatRequest } from './answers'
import type { Fault } from './faults'
import { Reply, sendJson } from './reply'

/** What the server got. */
export interface ReceivedRequest {
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** As it came. */
  readonly body: string
  /** True once the client has closed the connection before the response was over. */
  left: boolean
}

export interface RemoteServer {
  /** Ends in /v1. */
  readonly baseUrl: string
  /** Each request takes the first one; without one all goes well. */
  readonly faults: (Fault | null)[]
  /** Requests for answers, oldest first. */
  readonly requests: ReceivedRequest[]
  /** Requests of any kind so far, preflights included. */
  readonly received: number
  close(): Promise<void>
}

export interface RemoteServerOptions {
  /** Default: the scripted answer. */
  answer?: Answerer
  /** Without it every key is good. */
  key?: string
  model?: string
  /** For the list of models, beside the id. */
  modelFields?: Readonly<Record<string, unknown>>
  /** null: pages of other origins are kept out. Default '*'. */
  allowOrigin?: string | null
}

/** OpenAI's interface for chat over HTTP on a free port of this machine, with faults to order. */
export async function startRemoteServer(options: RemoteServerOptions = {}): Promise<RemoteServer> {
  const {
    answer = scriptedAnswer(),
    key,
    model = 'test-model',
    modelFields = {},
    allowOrigin = '*',
  } = options
  const faults: (Fault | null)[] = []
  const requests: ReceivedRequest[] = []
  let received = 0

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (allowOrigin !== null) {
      response.setHeader('access-control-allow-origin', allowOrigin)
      response.setHeader('access-control-allow-headers', 'authorization, content-type')
      response.setHeader('access-control-expose-headers', 'retry-after')
    }
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    if (request.method === 'OPTIONS') {
      response.writeHead(204).end()
      return
    }
    const body = await readBody(request)
    const question: ReceivedRequest = { path, headers: request.headers, body, left: false }
    const gone = new AbortController()
    response.on('close', () => {
      if (!response.writableFinished) question.left = true
      gone.abort()
    })
    const fault = path.endsWith('/chat/completions') ? faults.shift() : undefined
    if (path.endsWith('/chat/completions')) requests.push(question)
    if (key !== undefined && request.headers.authorization !== `Bearer ${key}`) {
      // OpenAI masks the key here; others do not.
      const message = `Incorrect API key provided: ${request.headers.authorization ?? 'none'}.`
      sendJson(response, 401, { error: { message, type: 'invalid_request_error', code: 'invalid_api_key' } })
      return
    }
    if (path === '/v1/models') {
      sendJson(response, 200, { object: 'list', data: [{ id: model, object: 'model', ...modelFields }] })
      return
    }
    if (path !== '/v1/chat/completions') {
      sendJson(response, 404, { error: { message: `There is no ${path}.` } })
      return
    }
    const reply = new Reply(response, gone.signal, parseRequest(body), model, answer)
    await reply.send(fault ?? null)
  }

  const server = createServer((request, response) => {
    received++
    handle(request, response).catch((error: unknown) => {
      if (response.destroyed) return
      if (response.headersSent) response.destroy()
      else sendJson(response, 500, { error: { message: String(error) } })
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    faults,
    requests,
    get received() {
      return received
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return Buffer.concat(pieces).toString()
}

function parseRequest(body: string): ChatRequest {
  const data = JSON.parse(body) as Partial<ChatRequest> & {
    max_tokens?: number
    stream_options?: { include_usage?: boolean }
  }
  return {
    model: data.model ?? '',
    messages: data.messages ?? [],
    stream: data.stream === true,
    includeUsage: data.stream_options?.include_usage === true,
    maxTokens: data.max_tokens ?? 256,
    temperature: data.temperature ?? 1,
  }
}
