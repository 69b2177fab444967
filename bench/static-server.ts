import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'

const mediaTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.wasm': 'application/wasm',
}

export interface StaticServer {
  readonly origin: string
  close(): Promise<void>
}

export interface StaticServerOptions {
  readonly onServed?: (file: string) => void
  /** For `/ask/NAME`; the page waits for the answer. */
  readonly onAsked?: ((name: string) => Promise<void>) | null
}

/**
 * Serves folders of this machine on a free port of 127.0.0.1, cross-origin isolated (threads need that).
 * Not the app's server on purpose: the benchmark must answer for models and peers alike, from one origin, with the
 * same headers.
 */
export async function startStaticServer(
  mounts: ReadonlyMap<string, string>,
  { onServed = () => {}, onAsked = null }: StaticServerOptions = {},
): Promise<StaticServer> {
  const server = createServer((request, response) => {
    const asked = /^\/ask\/(\w+)$/.exec(request.url ?? '')?.[1]
    if (asked !== undefined && onAsked !== null) {
      onAsked(asked).then(
        () => response.writeHead(204).end(),
        (error: unknown) => response.writeHead(500).end(String(error)),
      )
      return
    }
    respond(mounts, onServed, request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function respond(
  mounts: ReadonlyMap<string, string>,
  onServed: (file: string) => void,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname)
  const file = locate(mounts, path)
  const info = file === null ? null : await stat(file).catch(() => null)
  const headers = {
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
    'cross-origin-resource-policy': 'same-origin',
    'accept-ranges': 'bytes',
  }
  if (file === null || info === null || !info.isFile()) {
    response.writeHead(404, headers).end(`Nothing at ${path}.`)
    return
  }
  onServed(file)
  const type = mediaTypes[extname(file)] ?? 'application/octet-stream'
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
  const start = range === null ? 0 : Number(range[1])
  const end = range === null || range[2] === '' ? info.size - 1 : Math.min(Number(range[2]), info.size - 1)
  response.writeHead(range === null ? 200 : 206, {
    ...headers,
    'content-type': type,
    'content-length': end - start + 1,
    ...(range === null ? {} : { 'content-range': `bytes ${start}-${end}/${info.size}` }),
    // The bytes come from the browser's cache where it wants them, as on a real second visit.
    'cache-control': 'public, max-age=3600',
  })
  if (request.method === 'HEAD') response.end()
  else createReadStream(file, { start, end }).pipe(response)
}

/** The longest mounted prefix wins; a path can't leave its folder. */
function locate(mounts: ReadonlyMap<string, string>, path: string): string | null {
  const prefixes = [...mounts.keys()].toSorted((a, b) => b.length - a.length)
  for (const prefix of prefixes) {
    if (!path.startsWith(prefix)) continue
    const rest = normalize(path.slice(prefix.length) || 'index.html')
    if (rest.startsWith('..')) return null
    return join(mounts.get(prefix) ?? '', rest === '.' || rest === '/' ? 'index.html' : rest)
  }
  return null
}
