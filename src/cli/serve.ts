import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'
import { getRequestListener } from '@hono/node-server'
import { createFetchHandler, type FetchHandler } from '../http/create-fetch-handler'
import { count, invalid, parsed } from './argument-values'
import type { Command } from './command'
import { ENGINE_OPTIONS, ENGINE_USAGE, openEngine, readEngineArguments } from './engine-arguments'

const USAGE = `Usage: minnow serve [options]
Serves a model of this machine with OpenAI's interface: give clients the address it prints as their base URL.

  --port N              default: 11435
  --host NAME           default: localhost. Of another name, name a key too
  --api-key-env NAME    an environment variable with a key that requests must carry
  --parallel N          most requests answered at the same time (default: 4)
  --allow-origin URL    a site whose pages may ask; may be given several times. Default: none
${ENGINE_USAGE}
  --help

Exit codes: 0 ended, 1 failed, 2 wrong arguments, 130 interrupted.`

const DEFAULT_PORT = 11_435

const LOCAL_HOSTS = new Set(['localhost', '127.0.0.1', '::1'])

interface ServeArguments {
  host: string
  port: number
  apiKey: string | null
  allowOrigins: readonly string[]
}

export const serve: Command = {
  usage: USAGE,
  async run(argv, { output, messages }, signal) {
    const { values } = parsed(() =>
      parseArgs({
        args: [...argv],
        options: {
          ...ENGINE_OPTIONS,
          port: { type: 'string' },
          host: { type: 'string' },
          'api-key-env': { type: 'string' },
          parallel: { type: 'string' },
          'allow-origin': { type: 'string', multiple: true },
        },
      }),
    )
    const host = values.host ?? 'localhost'
    const given: ServeArguments = {
      host,
      port: portOf(values.port),
      apiKey: keyOf(values['api-key-env'], host),
      allowOrigins: (values['allow-origin'] ?? []).map(originOf),
    }
    const parallel = count('--parallel', values.parallel)
    const engine = await openEngine(readEngineArguments(values), messages, signal, parallel)
    try {
      const handler = createFetchHandler(engine, {
        ...(given.apiKey === null ? {} : { apiKey: given.apiKey }),
        allowOrigins: given.allowOrigins,
      })
      await listen(given, handler, signal, (address) =>
        output.write(`${engine.info.model} answers at ${address}/v1\n`),
      )
    } finally {
      await engine.dispose()
    }
  },
}

/** Serves until the signal fires. */
async function listen(
  { host, port }: ServeArguments,
  handler: FetchHandler,
  signal: AbortSignal,
  onListening: (address: string) => void,
): Promise<void> {
  const guarded = LOCAL_HOSTS.has(host) ? onlyLocalNames(handler) : handler
  // It answers whatever happens: nothing is left to reject.
  const respond = getRequestListener(guarded, { overrideGlobalObjects: false })
  const server = createServer((incoming, outgoing) => void respond(incoming, outgoing))
  server.listen(port, host)
  await once(server, 'listening', { signal })
  const { port: actual } = server.address() as AddressInfo
  onListening(`http://${host.includes(':') ? `[${host}]` : host}:${actual}`)
  const closed = once(server, 'close')
  signal.addEventListener('abort', () => {
    server.close()
    server.closeAllConnections()
  })
  await closed
  signal.throwIfAborted()
}

/** A page that has its own name point to this machine would count as of the same origin: refuse names not of this machine. */
function onlyLocalNames(handler: FetchHandler): FetchHandler {
  return (request) => {
    const { hostname } = new URL(request.url)
    if (LOCAL_HOSTS.has(hostname.replace(/^\[|\]$/g, ''))) return handler(request)
    const message = `This server answers to localhost, not to '${hostname}'.`
    const error = { message, type: 'invalid_request_error', param: null, code: 'host_not_allowed' }
    return Promise.resolve(Response.json({ error }, { status: 403 }))
  }
}

function portOf(value: string | undefined): number {
  // 0 is any free one.
  if (value === '0') return 0
  const port = count('--port', value) ?? DEFAULT_PORT
  if (port > 65_535) throw invalid(`--port must be at most 65535, but is ${port}.`)
  return port
}

/** In the environment, since the arguments of a process can be read by others on this machine. */
function keyOf(name: string | undefined, host: string): string | null {
  if (name === undefined) {
    if (LOCAL_HOSTS.has(host)) return null
    throw invalid(`Whoever reaches ${host} could ask. Name a variable with a key by --api-key-env.`)
  }
  const key = process.env[name]
  if (key === undefined || key === '') throw invalid(`The environment variable ${name} holds no key.`)
  return key
}

function originOf(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : null
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw invalid(`--allow-origin must be like https://example.com, but is ${JSON.stringify(value)}.`)
  }
  return url.origin
}
