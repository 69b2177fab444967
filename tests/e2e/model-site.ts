import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { serve, type RunningServer } from '../../scripts/serve'

const ROOT = join(import.meta.dirname, '../..')
const FOLDER = '/models/smollm2-135m-instruct-q4_1/'

/** Serves the library, the harness and the model, on one port for its life, and counts what it sends of the model. */
export class ModelSite {
  /** Paths of chunks that were asked for, with their ranges, in order. */
  readonly requests: string[] = []
  /** Bytes of chunks that were handed to the network. */
  sentBytes = 0
  /** Another text of the manifest. */
  manifest: string | null = null
  /** Damages or holds back the chunk of this name. */
  fault: { file: string; kind: 'damage' | 'hold' } | null = null
  /** Milliseconds between pieces of 256 KiB. */
  pauseMs = 0
  #server: RunningServer | null = null
  #port = 0

  async start(): Promise<this> {
    this.#server = await serve({
      mounts: {
        '/dist/': join(ROOT, 'dist'),
        '/models/': join(ROOT, 'models'),
        '/harness/': join(import.meta.dirname, 'harness'),
        '/': join(ROOT, 'public'),
      },
      port: this.#port,
      intercept: (request, response) => this.#intercept(request, response),
    })
    this.#port = Number(new URL(this.#server.origin).port)
    return this
  }

  get origin(): string {
    return `http://localhost:${this.#port}`
  }

  /** Breaks all connections. */
  async stop(): Promise<void> {
    await this.#server?.close()
    this.#server = null
  }

  #intercept(request: IncomingMessage, response: ServerResponse): boolean {
    const path = request.url ?? ''
    if (path === `${FOLDER}manifest.json` && this.manifest !== null) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(this.manifest)
      return true
    }
    if (!path.startsWith(FOLDER) || !path.endsWith('.bin')) return false
    const file = path.slice(FOLDER.length)
    this.requests.push([file, request.headers.range].filter((part) => part !== undefined).join(' '))
    if (this.fault?.file === file && this.fault.kind === 'hold') return true
    void this.#send(file, request, response)
    return true
  }

  async #send(file: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const bytes = readFileSync(join(ROOT, FOLDER, file))
    if (this.fault?.file === file) bytes[1000]! ^= 1
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    const first = Number(from ?? 0)
    const end = to === undefined ? bytes.length : Number(to) + 1
    response.writeHead(from === undefined ? 200 : 206, {
      'content-length': end - first,
      ...(from === undefined ? {} : { 'content-range': `bytes ${first}-${end - 1}/${bytes.length}` }),
    })
    const step = 2 ** 18
    const closed = once(response, 'close')
    for (let at = first; at < end && !response.destroyed; at += step) {
      const part = bytes.subarray(at, Math.min(at + step, end))
      const isTaken = response.write(part)
      this.sentBytes += part.length
      if (!isTaken) await Promise.race([closed, once(response, 'drain')])
      if (this.pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, this.pauseMs))
    }
    response.end()
  }
}
