import { afterEach, expect, test, vi } from 'vitest'
import { createRemoteEngine } from '../../../src/router/providers/remote-engine'
import { ask, setup } from './fixtures'

afterEach(() => void vi.unstubAllGlobals())

const SECRET = 'ana.example@example.org'

/** A server that fails `failures` times, then answers with what is given. */
function server(failures: number, words: readonly string[]): { fetch: typeof fetch; bodies: string[] } {
  const bodies: string[] = []
  const answer: typeof fetch = async (_, init) => {
    bodies.push(typeof init?.body === 'string' ? init.body : '')
    if (bodies.length <= failures) return new Response('{}', { status: 503 })
    const events = words.map((content) => ({
      choices: [{ index: 0, delta: { content }, finish_reason: null }],
    }))
    const last = { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }
    const text = [...events, last].map(
      (event) => `data: ${JSON.stringify({ id: 'x', model: 'large', ...event })}\n\n`,
    )
    return new Response(`${text.join('')}data: [DONE]\n\n`, {
      headers: { 'content-type': 'text/event-stream' },
    })
  }
  return { fetch: answer, bodies }
}

test('over a real remote, what was sent is what went over the wire, for each attempt', async () => {
  const { fetch, bodies } = server(1, ['Write to [EMA', 'IL_1], ', 'please.'])
  vi.stubGlobal('fetch', fetch)
  const remote = createRemoteEngine({
    baseUrl: 'https://api.example/v1',
    model: 'large',
    apiKey: 'key-that-nobody-sees-1234567890',
    retry: { baseMs: 1 },
  })
  const { router } = setup({ says: { after: 0.1 }, remote })
  const { text, settled } = await ask(router, `Whom? ${SECRET}`)
  expect(text).toBe(`Write to ${SECRET}, please.`)
  expect(settled.source).toEqual({ kind: 'remote', model: 'large', verifiedBy: null })
  expect(bodies).toHaveLength(2)
  expect(settled.sent.map((sent) => sent.text)).toEqual(bodies)
  expect(settled.sent.map(({ attempt }) => attempt)).toEqual([1, 2])
  expect(bodies.join('')).not.toContain(SECRET)
  const kept = JSON.stringify(await router.ledger.list())
  expect(kept).not.toContain(SECRET)
  expect(kept).not.toContain('key-that-nobody-sees')
  await remote.dispose()
})
