/**
 * A small static server with what the engine needs: MIME types, byte ranges, cache headers, cross-origin
 * isolation. Used by `npm start`, the end-to-end tests and the benchmark.
 */
import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { extname, join, normalize, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { WORKER_POLICY } from '../src/app/security-policy'

export interface ServeOptions {
  /** URL prefix, ending in `/`, to folder. The longest prefix that matches wins. */
  mounts: Readonly<Record<string, string>>
  /** Default 0: any free port. */
  port?: number
  /** Default 'localhost'. */
  host?: string
  /** COOP and COEP, without which there is one thread. Default true. */
  isolated?: boolean
  /** Sees every request first; true where it answers it. For tests that count, damage or hold back. */
  intercept?: (request: IncomingMessage, response: ServerResponse) => boolean
  /** Whether pages of other origins may use the scripts, models and `embed.html`. Default false. */
  shared?: boolean
}

export interface RunningServer {
  /** For instance `http://localhost:4173`. */
  readonly origin: string
  close(): Promise<void>
}

const MIME_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.gguf': 'application/octet-stream',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
}

/** Of pages that bring no policy of their own: these are tests' and examples'. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self' https: http://localhost:* http://127.0.0.1:*",
  "style-src 'self'",
  "img-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

/** The page that may be framed, where it is shared. */
const FRAMED_PAGE = /[/\\]embed\.html$/

/** Starts the server and resolves once it listens. */
export async function serve({
  mounts,
  port = 0,
  host = 'localhost',
  isolated = true,
  intercept = () => false,
  shared = false,
}: ServeOptions): Promise<RunningServer> {
  const prefixes = Object.entries(mounts).toSorted(([a], [b]) => b.length - a.length)
  const server = createServer((request, response) => {
    if (intercept(request, response)) return
    respond(request, response, prefixes, { isolated, shared }).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500)
      response.end()
      // A reader that leaves (a cancelled download) is no fault.
      if (!response.destroyed) console.error(error)
    })
  })
  await listen(server, port, host)
  const address = server.address()
  const actualPort = typeof address === 'object' && address !== null ? address.port : port
  return {
    origin: `http://${host}:${actualPort}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve())
  })
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  prefixes: readonly (readonly [string, string])[],
  { isolated, shared }: { isolated: boolean; shared: boolean },
): Promise<void> {
  response.setHeader('X-Content-Type-Options', 'nosniff')
  response.setHeader('Referrer-Policy', 'no-referrer')
  if (isolated) {
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp')
    response.setHeader('Cross-Origin-Resource-Policy', shared ? 'cross-origin' : 'same-origin')
  }
  if (shared) response.setHeader('Access-Control-Allow-Origin', '*')
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { Allow: 'GET, HEAD' }).end()
    return
  }
  const file = await findFile(request.url ?? '/', prefixes)
  if (file === null) {
    response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' }).end('not found\n')
    return
  }
  const { path, sizeBytes, modified } = file
  response.setHeader('Content-Type', MIME_TYPES[extname(path)] ?? 'application/octet-stream')
  const policy = await policyOf(path)
  response.setHeader(
    'Content-Security-Policy',
    shared && FRAMED_PAGE.test(path) ? policy.replace("frame-ancestors 'none'", 'frame-ancestors *') : policy,
  )
  response.setHeader('Accept-Ranges', 'bytes')
  const etag = `"${sizeBytes.toString(36)}-${modified.getTime().toString(36)}"`
  response.setHeader('ETag', etag)
  response.setHeader('Cache-Control', cacheControl(path))
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304).end()
    return
  }
  const range = parseRange(request.headers.range, sizeBytes)
  if (range === 'unsatisfiable') {
    response.writeHead(416, { 'Content-Range': `bytes */${sizeBytes}` }).end()
    return
  }
  const { first, last } = range ?? { first: 0, last: sizeBytes - 1 }
  response.setHeader('Content-Length', last - first + 1)
  if (range === null) response.writeHead(200)
  else response.writeHead(206, { 'Content-Range': `bytes ${first}-${last}/${sizeBytes}` })
  if (request.method === 'HEAD' || sizeBytes === 0) {
    response.end()
    return
  }
  await pipeline(createReadStream(path, { start: first, end: last }), response)
}

interface FoundFile {
  path: string
  sizeBytes: number
  modified: Date
}

async function findFile(
  url: string,
  prefixes: readonly (readonly [string, string])[],
): Promise<FoundFile | null> {
  let pathname: string
  try {
    pathname = decodeURIComponent(new URL(url, 'http://localhost').pathname)
  } catch {
    return null
  }
  if (pathname.includes('\0')) return null
  const mount = prefixes.find(([prefix]) => pathname.startsWith(prefix))
  if (mount === undefined) return null
  const [prefix, folder] = mount
  const root = normalize(folder)
  const path = normalize(join(root, pathname.slice(prefix.length)))
  if (path !== root && !path.startsWith(root.endsWith(sep) ? root : root + sep)) return null
  for (const candidate of [path, join(path, 'index.html')]) {
    const found = await stat(candidate).catch(() => null)
    if (found?.isFile() === true) return { path: candidate, sizeBytes: found.size, modified: found.mtime }
  }
  return null
}

/**
 * Of a page the policy it names in its HTML, and that nobody may frame it, which HTML can't say; of all else, and so of
 * workers, who take theirs from the response of their script, the strictest.
 */
async function policyOf(path: string): Promise<string> {
  if (extname(path) !== '.html') return WORKER_POLICY
  const own = /<meta\s+http-equiv="Content-Security-Policy"\s+content="([^"]+)"/.exec(
    await readFile(path, 'utf8'),
  )
  return `${own?.[1] ?? PAGE_POLICY}; frame-ancestors 'none'`
}

/** One range of bytes; null where none (or several) is asked for. */
function parseRange(
  header: string | undefined,
  sizeBytes: number,
): { first: number; last: number } | 'unsatisfiable' | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
  if (match === null) return null
  const [, from = '', to = ''] = match
  if (from === '' && to === '') return null
  const first = from === '' ? Math.max(0, sizeBytes - Number(to)) : Number(from)
  const last = from === '' || to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1)
  return first > last ? 'unsatisfiable' : { first, last }
}

/** Files with a content hash in their name (of the bundler, of a model's chunk) never change. */
function cacheControl(path: string): string {
  const isHashed =
    /\.[0-9a-f]{8}\.bin$/.test(path) || (/-[\w-]{8,}\.\w+$/.test(path) && path.includes(`${sep}assets${sep}`))
  return isHashed ? 'public, max-age=31536000, immutable' : 'no-cache'
}
