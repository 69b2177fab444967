import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serve, type RunningServer } from '../../../scripts/serve'

let folder: string
let server: RunningServer

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'minnow-serve-'))
  mkdirSync(join(folder, 'site/assets'), { recursive: true })
  mkdirSync(join(folder, 'site-beside'))
  mkdirSync(join(folder, 'other'))
  writeFileSync(join(folder, 'site/index.html'), '<p>hi</p>')
  writeFileSync(
    join(folder, 'site/own.html'),
    `<meta http-equiv="Content-Security-Policy" content="default-src 'self'; img-src 'none'" />`,
  )
  writeFileSync(join(folder, 'site/empty.txt'), '')
  writeFileSync(join(folder, 'site/numbers.bin'), '0123456789')
  writeFileSync(join(folder, 'site/assets/main-abcdefgh.js'), 'void 0')
  writeFileSync(join(folder, 'site/assets/kernel.wasm'), '')
  writeFileSync(join(folder, 'site-beside/secret.txt'), 'secret')
  writeFileSync(join(folder, 'secret.txt'), 'secret')
  writeFileSync(join(folder, 'other/index.html'), 'other')
  server = await serve({ mounts: { '/': join(folder, 'site'), '/other/': join(folder, 'other') } })
})

afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(server.origin + path, { headers })
}

/** fetch() would tidy the path up. */
function getRaw(path: string): Promise<string> {
  const { hostname, port } = new URL(server.origin)
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(Number(port), hostname, () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`)
    })
    socket.on('data', (data) => (text += String(data)))
    socket.on('end', () => resolve(text))
    socket.on('error', reject)
  })
}

describe('serve', () => {
  it('isolates the page and forbids what it does not need', async () => {
    const { headers } = await get('/')
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
    expect(headers.get('cross-origin-embedder-policy')).toBe('require-corp')
    expect(headers.get('content-security-policy')).toContain("script-src 'self' 'wasm-unsafe-eval';")
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  })

  it('gives workers the strictest policy, and pages their own, in no frame', async () => {
    const policyOf = async (path: string) => (await get(path)).headers.get('content-security-policy')
    const worker = await policyOf('/assets/main-abcdefgh.js')
    expect(worker).toContain("connect-src 'self'")
    expect(worker).not.toContain('https:')
    expect(await policyOf('/own.html')).toBe("default-src 'self'; img-src 'none'; frame-ancestors 'none'")
  })

  it('leaves isolation out where told', async () => {
    const plain = await serve({ mounts: { '/': join(folder, 'site') }, isolated: false })
    const { headers } = await fetch(plain.origin)
    await plain.close()
    expect(headers.has('cross-origin-embedder-policy')).toBe(false)
  })

  it.each([
    ['/', 'text/html; charset=utf-8', 'no-cache'],
    ['/other/', 'text/html; charset=utf-8', 'no-cache'],
    ['/assets/main-abcdefgh.js', 'text/javascript; charset=utf-8', 'public, max-age=31536000, immutable'],
    ['/assets/kernel.wasm', 'application/wasm', 'no-cache'],
    ['/numbers.bin', 'application/octet-stream', 'no-cache'],
  ])('gives %s as %s, %s', async (path, type, cache) => {
    const response = await get(path)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe(type)
    expect(response.headers.get('cache-control')).toBe(cache)
  })

  it.each([
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=8-99', 206, '89', 'bytes 8-9/10'],
    ['bytes=10-', 416, '', 'bytes */10'],
    ['bytes=4-2', 416, '', 'bytes */10'],
    ['bytes=0-1,4-5', 200, '0123456789', null],
    ['rows=1-2', 200, '0123456789', null],
  ])('answers the range %s with %i', async (range, status, text, contentRange) => {
    const response = await get('/numbers.bin', { range })
    expect(response.status).toBe(status)
    expect(await response.text()).toBe(text)
    expect(response.headers.get('content-range')).toBe(contentRange)
  })

  it('answers an unchanged file with 304', async () => {
    const etag = (await get('/numbers.bin')).headers.get('etag') ?? ''
    expect((await get('/numbers.bin', { 'if-none-match': etag })).status).toBe(304)
  })

  it('gives an empty file and only the headers for HEAD', async () => {
    expect(await (await get('/empty.txt')).text()).toBe('')
    const head = await fetch(`${server.origin}/numbers.bin`, { method: 'HEAD' })
    expect(head.headers.get('content-length')).toBe('10')
    expect(await head.text()).toBe('')
  })

  it('refuses other methods', async () => {
    const { status } = await fetch(server.origin, { method: 'POST' })
    expect(status).toBe(405)
  })

  it.each([
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/..%2fsite-beside/secret.txt',
    '/other/..%2f..%2fsecret.txt',
    '/%00',
    '/%zz',
    '/assets/',
    '/missing',
  ])('gives nothing outside of its folders: %s', async (path) => {
    const answer = await getRaw(path)
    expect(answer).toMatch(/^HTTP\/1\.1 404 /)
    expect(answer).not.toContain('secret')
  })
})
