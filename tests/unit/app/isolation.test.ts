import { describe, expect, it } from 'vitest'
import { isolate } from '../../../src/app/isolation'
import { WORKER_POLICY } from '../../../src/app/security-policy'

describe('isolate', () => {
  it('adds what a host left out, and keeps body, status and the other headers', async () => {
    const plain = new Response('text', { status: 203, headers: { 'content-type': 'text/html', etag: '"1"' } })
    const response = isolate(plain, { 'content-security-policy': WORKER_POLICY })
    expect(Object.fromEntries(response.headers)).toEqual({
      'content-security-policy': WORKER_POLICY,
      'content-type': 'text/html',
      'cross-origin-embedder-policy': 'require-corp',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      etag: '"1"',
    })
    expect(response.status).toBe(203)
    expect(await response.text()).toBe('text')
  })

  it('leaves what the host said', () => {
    const headers = {
      'Cross-Origin-Embedder-Policy': 'credentialless',
      'Content-Security-Policy': "default-src 'self'",
    }
    const response = isolate(new Response('', { headers }), { 'content-security-policy': WORKER_POLICY })
    expect(response.headers.get('cross-origin-embedder-policy')).toBe('credentialless')
    expect(response.headers.get('content-security-policy')).toBe("default-src 'self'")
  })

  it('passes on what it cannot rebuild', () => {
    const failed = Response.error()
    expect(isolate(failed)).toBe(failed)
  })

  it('keeps a response without a body without one', () => {
    const response = isolate(new Response(null, { status: 304 }))
    expect(response.status).toBe(304)
    expect(response.body).toBe(null)
  })
})
