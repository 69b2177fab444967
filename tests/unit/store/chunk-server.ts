import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Manifest } from '../../../src/store/manifest'

/** A model of random bytes, cut as `npm run models:add` cuts. */
export interface RandomModel {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly manifest: Manifest
}

export function randomModel({
  sizeBytes = 9500,
  chunkBytes = 4000,
  pieceBytes = 1000,
  id = 'random',
}: { sizeBytes?: number; chunkBytes?: number; pieceBytes?: number; id?: string } = {}): RandomModel {
  const bytes = new Uint8Array(randomBytes(sizeBytes))
  const chunks: Manifest['chunks'] = cut(bytes, chunkBytes).map((chunk, index) => ({
    file: `chunk-${index}.bin`,
    sizeBytes: chunk.length,
    sha256: sha256(chunk),
    pieces: { sizeBytes: pieceBytes, sha256: cut(chunk, pieceBytes).map(sha256) },
  }))
  const manifest: Manifest = {
    schemaVersion: 1,
    id,
    name: `Random ${id}`,
    architecture: 'llama',
    quantization: 'Q4_0',
    contextLength: 64,
    parameters: sizeBytes,
    licence: 'MIT',
    source: { attribution: 'none' },
    file: 'random.gguf',
    sizeBytes,
    sha256: sha256(bytes),
    chunks,
  }
  return { bytes, manifest }
}

function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  )
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** What a server does wrong with one answer. */
export type Fault = 'break' | 'damage' | 'truncate' | 'pause' | number | 'wait'

/** Serves a model as chunks beside `manifest.json` and as `whole.gguf`, and does wrong what it is told to. */
export class ChunkServer {
  model: RandomModel
  /** As 'GET /path bytes=…', in order. */
  readonly requests: string[] = []
  /** Body bytes of chunks that were sent. */
  sentBytes = 0
  ranges = true
  /** Sends the second half of what has the fault 'pause'. */
  goOn: () => void = () => undefined
  /** Asked for each answer with a body. */
  fault: (request: IncomingMessage) => Fault | null = () => null
  readonly #server: Server
  #port = 0

  constructor(model: RandomModel) {
    this.model = model
    this.#server = createServer((request, response) => this.#answer(request, response))
  }

  get manifestUrl(): string {
    return `${this.origin}/manifest.json`
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve))
    this.#port = (this.#server.address() as AddressInfo).port
    return this
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { range } = request.headers
    this.requests.push([request.method, request.url, range].filter((part) => part !== undefined).join(' '))
    const body = this.#bodyOf(request.url ?? '')
    const fault = this.fault(request)
    if (fault === 'wait') return
    if (body === null || typeof fault === 'number') {
      response.writeHead(typeof fault === 'number' ? fault : 404).end('no')
      return
    }
    const [, from = '0', to = ''] = (this.ranges && /^bytes=(\d+)-(\d*)$/.exec(range ?? '')) || []
    const last = to === '' ? body.length - 1 : Math.min(Number(to), body.length - 1)
    let part = Uint8Array.from(body.subarray(Number(from), last + 1))
    if (fault === 'truncate') part = part.subarray(0, part.length - 10)
    if (fault === 'damage') part[Math.min(5, part.length - 1)]! ^= 1
    const headers: Record<string, string | number> = { 'content-length': part.length }
    const isPart = this.ranges && range !== undefined
    if (isPart) headers['content-range'] = `bytes ${from}-${last}/${body.length}`
    response.writeHead(isPart ? 206 : 200, headers)
    const isChunk = request.url !== '/manifest.json'
    if (fault === 'break') {
      const half = part.subarray(0, Math.floor(part.length / 2))
      if (isChunk) this.sentBytes += half.length
      response.write(half, () => setTimeout(() => response.destroy(), 20))
      return
    }
    if (isChunk) this.sentBytes += part.length
    if (fault === 'pause') {
      const half = Math.floor(part.length / 2)
      response.write(part.subarray(0, half))
      this.goOn = () => response.end(part.subarray(half))
      return
    }
    response.end(part)
  }

  #bodyOf(path: string): Uint8Array | null {
    const { bytes, manifest } = this.model
    if (path === '/manifest.json') return Buffer.from(JSON.stringify(manifest))
    if (path === '/whole.gguf') return bytes
    let start = 0
    for (const { file, sizeBytes } of manifest.chunks) {
      if (path === `/${file}`) return bytes.subarray(start, start + sizeBytes)
      start += sizeBytes
    }
    return null
  }
}
