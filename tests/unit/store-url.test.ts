import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { parseGguf } from '../../src/gguf/parse'
import { openModelUrl } from '../../src/store/model-url'
import { urlSource } from '../../src/store/url-source'
import { tinyModel } from '../fixtures/tiny-models'

const servers: Server[] = []

/** Serves by `answer`; gives the address and the requests that came, as 'METHOD /path range'. */
async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ base: string; requests: string[] }> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(
      [request.method, request.url, request.headers.range].filter((part) => part !== undefined).join(' '),
    )
    answer(request, response)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { base: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, requests }
}

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

/** Answers as a static file server with ranges does. */
function sendRange(
  file: Uint8Array,
  request: IncomingMessage,
  response: ServerResponse,
  headers: Record<string, string> = {},
): void {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
  if (first === undefined || last === undefined) {
    response
      .writeHead(200, { 'content-length': file.length, ...headers })
      .end(request.method === 'HEAD' ? '' : file)
    return
  }
  const body = file.subarray(Number(first), Number(last) + 1)
  response
    .writeHead(206, {
      'content-range': `bytes ${first}-${last}/${file.length}`,
      'content-length': body.length,
      ...headers,
    })
    .end(body)
}

const window = 8 * 2 ** 20
/** Two windows and a bit. */
const large = new Uint8Array(randomBytes(2 * window + 12_345))

describe('urlSource', () => {
  it('reads ranges, each once in a pass', async () => {
    const { base, requests } = await serve((request, response) =>
      sendRange(large, request, response, { etag: '"1"' }),
    )
    const progress: number[] = []
    const source = await urlSource(`${base}a.gguf`, {
      onProgress: ({ loadedBytes }) => progress.push(loadedBytes),
    })
    expect(source).toMatchObject({ sizeBytes: large.length, ranges: true })
    expect(await source.read(window - 5, 10)).toEqual(large.subarray(window - 5, window + 5))
    expect(await source.read(2 * window - 5, 12_350)).toEqual(large.subarray(2 * window - 5))
    expect(requests).toEqual([
      'GET /a.gguf bytes=0-0',
      `GET /a.gguf bytes=0-${window - 1}`,
      `GET /a.gguf bytes=${window}-${2 * window - 1}`,
      `GET /a.gguf bytes=${2 * window}-${large.length - 1}`,
    ])
    expect(progress.at(-1)).toBe(large.length)
  })

  it('parses a model without reading all of it', async () => {
    const model = new Uint8Array(3 * window)
    model.set(tinyModel({ architecture: 'qwen2', type: 'Q4_0', layers: 1 }))
    const { base, requests } = await serve((request, response) => sendRange(model, request, response))
    const { tensors } = await parseGguf(await urlSource(`${base}m.gguf`))
    expect(tensors.has('token_embd.weight')).toBe(true)
    expect(requests.some((request) => request.includes(`bytes=${2 * window}`))).toBe(false)
  })

  it('asks HEAD for the size where Content-Range is hidden', async () => {
    const { base, requests } = await serve((request, response) => {
      response.sendDate = false
      const hide = { 'content-range': '' }
      sendRange(large, request, response, request.method === 'HEAD' ? {} : hide)
    })
    const source = await urlSource(base)
    expect(source).toMatchObject({ sizeBytes: large.length, ranges: true })
    expect(await source.read(large.length - 3, 3)).toEqual(large.subarray(-3))
    expect(requests[1]).toBe('HEAD /')
  })

  it('downloads the whole file, and says so, where the server gives no ranges', async () => {
    const small = large.subarray(0, 50_000)
    const { base, requests } = await serve((_, response) => response.writeHead(200).end(small))
    const source = await urlSource(base)
    expect(source).toMatchObject({ sizeBytes: 50_000, ranges: false })
    expect(await source.read(40_000, 10_000)).toEqual(small.subarray(40_000))
    expect(requests).toHaveLength(1)
  })

  it('tries a range that fails once more', async () => {
    let failures = 1
    const { base, requests } = await serve((request, response) => {
      if (request.headers.range === 'bytes=0-0' || failures-- <= 0) sendRange(large, request, response)
      else response.writeHead(503).end('busy')
    })
    const source = await urlSource(base)
    expect(await source.read(5, 5)).toEqual(large.subarray(5, 10))
    expect(requests.slice(0, 3)).toEqual([
      'GET / bytes=0-0',
      `GET / bytes=0-${window - 1}`,
      `GET / bytes=0-${window - 1}`,
    ])
  })

  it('refuses a file that changes while it is read', async () => {
    let version = 0
    const { base } = await serve((request, response) =>
      sendRange(large, request, response, { etag: `"${version++}"` }),
    )
    await expect((await urlSource(base)).read(0, 5)).rejects.toMatchObject({
      code: 'integrity',
      details: { expected: '"0"', got: '"1"' },
    })
  })

  it('refuses what is not there and what is no address', async () => {
    const { base } = await serve((_, response) => response.writeHead(404).end('no'))
    await expect(urlSource(`${base}no.gguf`)).rejects.toMatchObject({
      code: 'network',
      message: expect.stringMatching(/404/) as string,
    })
    await expect(urlSource('models/relative.gguf')).rejects.toMatchObject({ code: 'invalid-argument' })
    await expect(urlSource('http://127.0.0.1:9/closed')).rejects.toMatchObject({ code: 'network' })
  })
})

describe('openModelUrl', () => {
  const pieces = [large.slice(0, 70_000), large.slice(70_000, 100_000)]
  const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
  const manifest = {
    schemaVersion: 1,
    id: 'test',
    name: 'Test',
    architecture: 'llama',
    quantization: 'F32',
    contextLength: 1,
    parameters: 1,
    licence: 'MIT',
    source: { attribution: 'none' },
    file: 'test.gguf',
    sizeBytes: 100_000,
    sha256: sha256(large.subarray(0, 100_000)),
    chunks: pieces.map((bytes, index) => ({
      file: `c${index}.bin`,
      sizeBytes: bytes.length,
      sha256: sha256(bytes),
    })),
  }

  const answerWith =
    (chunks: Record<string, Uint8Array | undefined>) =>
    (request: IncomingMessage, response: ServerResponse): void => {
      const name = request.url?.replace('/models/test/', '') ?? ''
      const body = name === 'manifest.json' ? JSON.stringify(manifest) : chunks[name]
      response.writeHead(body === undefined ? 404 : 200).end(body)
    }

  it('reads chunks that lie beside the manifest', async () => {
    const { base, requests } = await serve(answerWith({ 'c0.bin': pieces[0], 'c1.bin': pieces[1] }))
    const progress: number[] = []
    const opened = await openModelUrl(`${base}models/test/manifest.json`, {
      onProgress: ({ loadedBytes }) => progress.push(loadedBytes),
    })
    expect(opened.manifest).toEqual(manifest)
    expect(await opened.source.read(0, 100_000)).toEqual(large.subarray(0, 100_000))
    expect(requests.slice(1)).toEqual(['GET /models/test/c0.bin', 'GET /models/test/c1.bin'])
    expect(progress.at(-1)).toBe(100_000)
    expect(progress).toEqual(progress.toSorted((a, b) => a - b))
  })

  const faults: [what: string, chunk: Uint8Array | undefined, code: string][] = [
    ['missing', undefined, 'network'],
    ['too short', pieces[1]!.subarray(1), 'integrity'],
    ['too long', large.subarray(70_000, 100_001), 'integrity'],
    ['of other bytes', large.subarray(0, 30_000), 'integrity'],
  ]
  for (const [what, chunk, code] of faults) {
    it(`refuses a chunk that is ${what}, and names it`, async () => {
      const { base, requests } = await serve(answerWith({ 'c0.bin': pieces[0], 'c1.bin': chunk }))
      const { source } = await openModelUrl(`${base}models/test/manifest.json`)
      await expect(source.read(69_000, 2000)).rejects.toMatchObject({
        code,
        message: expect.stringMatching(/c1\.bin/) as string,
      })
      expect(requests.filter((request) => request.endsWith('c1.bin'))).toHaveLength(2)
    })
  }

  it('breaks off a download when the signal fires', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const { base } = await serve((request, response) => {
      if (request.url?.endsWith('.json') === true) answerWith({})(request, response)
      else {
        response.writeHead(200)
        response.write(pieces[0]!.subarray(0, 1000), () => controller.abort(reason))
      }
    })
    const { source } = await openModelUrl(`${base}models/test/manifest.json`)
    await expect(source.read(0, 10, { signal: controller.signal })).rejects.toBe(reason)
  })

  it('refuses a page in place of the manifest', async () => {
    const { base } = await serve((_, response) => response.writeHead(200).end('<!doctype html>'))
    await expect(openModelUrl(`${base}manifest.json`)).rejects.toMatchObject({ code: 'invalid-model' })
  })
})
