import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * A file as large hosts of models give it: its address leads to another origin, which gives ranges but shows pages of
 * other origins neither ETag nor Content-Range.
 */
export class RedirectingSite {
  readonly path = '/someone/model/resolve/main/Tiny.gguf'
  /** As 'GET bytes=…', of the file itself. */
  readonly requests: string[] = []
  readonly #bytes: Uint8Array
  readonly #servers: Server[] = []

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  async start(): Promise<this> {
    const files = await this.#listen(({ method, headers }, response) => {
      this.requests.push([method, headers.range].filter((part) => part !== undefined).join(' '))
      const { length } = this.#bytes
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? []
      const part = this.#bytes.subarray(Number(from ?? 0), to === undefined ? length : Number(to) + 1)
      response.writeHead(from === undefined ? 200 : 206, {
        'access-control-allow-origin': '*',
        'cross-origin-resource-policy': 'cross-origin',
        'content-length': part.length,
        etag: '"1"',
        ...(from === undefined ? {} : { 'content-range': `bytes ${from}-${to}/${length}` }),
      })
      response.end(method === 'HEAD' ? undefined : part)
    })
    await this.#listen(({ url }, response) => {
      const headers = { 'access-control-allow-origin': '*', location: `${files}/file` }
      response.writeHead(url === this.path ? 302 : 404, headers).end()
    })
    return this
  }

  /** Where the file lies, and where its address is. */
  get origins(): string[] {
    return this.#servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  }

  get url(): string {
    return `${this.origins[1]}${this.path}`
  }

  async stop(): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }

  async #listen(answer: RequestListener): Promise<string> {
    const server = createServer(answer)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    this.#servers.push(server)
    return this.origins.at(-1)!
  }
}
