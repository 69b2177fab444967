import { afterEach, expect, test, vi } from 'vitest'
import type { Engine } from '../../../src/contract/engine'
import type { ConsentQuestion } from '../../../src/router/consent'
import { createRemoteEngine } from '../../../src/router/providers/remote-engine'
import { createRemotePool } from '../../../src/router/providers/remote-pool'
import { createMemoryStorage } from '../../../src/router/storage/tables'
import { ask, setup } from './fixtures'

afterEach(() => void vi.unstubAllGlobals())

const SECRET = 'ana.example@example.org'

/** A server that fails `failures` times, then answers with what is given. */
function server(
  failures: number,
  words: readonly string[],
): { fetch: typeof fetch; bodies: string[]; urls: string[] } {
  const bodies: string[] = []
  const urls: string[] = []
  const answer: typeof fetch = async (url, init) => {
    urls.push(url instanceof URL ? url.href : '')
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
  return { fetch: answer, bodies, urls }
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

const at = (host: string, model = 'large'): Engine =>
  createRemoteEngine({
    baseUrl: `https://${host}/v1?api-version=1`,
    model,
    body: { provider: { data_collection: 'deny' } },
    retry: { baseMs: 1, retries: 0 },
  })

test('consent shows what leaves to the letter, and where to', async () => {
  const { fetch, bodies, urls } = server(1, ['yes'])
  vi.stubGlobal('fetch', fetch)
  const questions: ConsentQuestion[] = []
  const { router } = setup({
    says: { after: 0.1 },
    remote: createRemotePool([at('a.example'), at('b.example', 'larger')]),
    consent: (question) => {
      questions.push(question)
      return 'once'
    },
  })
  await router.chat.completions.create({
    messages: [{ role: 'user', content: `Whom? ${SECRET}` }],
    max_tokens: 5,
    repetition_penalty: 1.1,
  })
  expect(questions).toHaveLength(1)
  expect(questions[0]?.requests.map(({ body }) => body)).toEqual(bodies)
  expect(questions[0]?.text).toBe(bodies[0])
  expect(questions[0]?.requests.map(({ url, model }) => [url, model])).toEqual([
    ['https://a.example/v1/chat/completions', 'large'],
    ['https://b.example/v1/chat/completions', 'larger'],
  ])
  expect(urls).toEqual(questions[0]?.requests.map(({ url }) => `${url}?api-version=1`))
})

test('consent and cached answers are those of one server and model', async () => {
  const { fetch, urls } = server(0, ['yes'])
  vi.stubGlobal('fetch', fetch)
  const storage = createMemoryStorage()
  let asked = 0
  const askAt = async (remote: Engine): Promise<string> => {
    const { router } = setup({
      policy: { mode: 'prefer-in-cloud', cache: { lifetimeMs: 1e6 } },
      remote,
      storage: { ...storage, close() {} },
      consent: () => {
        asked++
        return 'scope'
      },
    })
    const { settled } = await ask(router)
    return settled.source.kind
  }
  expect([await askAt(at('a.example')), await askAt(at('a.example')), asked]).toEqual(['remote', 'cache', 1])
  expect([await askAt(at('b.example')), asked]).toEqual(['remote', 2])
  expect([await askAt(at('b.example', 'larger')), asked]).toEqual(['remote', 3])
  // A pool of servers that all were agreed to is; one more is not.
  expect([await askAt(createRemotePool([at('b.example'), at('a.example')])), asked]).toEqual(['remote', 3])
  const more = createRemotePool([at('b.example'), at('c.example')])
  expect([await askAt(more), asked]).toEqual(['remote', 4])
  expect(urls).toHaveLength(5)
})

test('a remote that would send something else than it said is stopped', async () => {
  const { fetch, urls } = server(0, ['yes'])
  vi.stubGlobal('fetch', fetch)
  const elsewhere = at('b.example')
  const remote: Engine = {
    ...elsewhere,
    info: elsewhere.info,
    outgoing: (params) => at('a.example').outgoing!(params),
  }
  const { router } = setup({ says: { after: 0.1 }, remote })
  const { settled } = await ask(router)
  expect(settled).toMatchObject({
    source: { kind: 'unverified' },
    decision: { reason: 'no-consent' },
    sent: [],
  })
  expect(urls).toEqual([])
})
