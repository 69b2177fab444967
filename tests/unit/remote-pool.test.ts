import { describe, expect, it } from 'vitest'
import type { Engine } from '../../src/contract/engine'
import { createRemotePool } from '../../src/router/providers/remote-pool'
import type { RemoteEngineOptions } from '../../src/router/providers/remote-options'
import { createMockEngine } from '../../src/testing/mock-engine'
import { scriptedAnswer } from '../remote-server/answers'
import type { Fault } from '../remote-server/faults'
import type { RemoteServer } from '../remote-server/server'
import { ask, remoteOf, startServer, PATIENT } from './remote-harness'

/** A remote that answers its own name, after these faults. */
async function remote(
  name: string,
  faults: Fault[] = [],
  options: Partial<RemoteEngineOptions> = {},
): Promise<{ server: RemoteServer; engine: Engine }> {
  const server = await startServer({ answer: scriptedAnswer(`${name} says so`) })
  server.faults.push(...faults)
  return {
    server,
    engine: remoteOf(server, { name, model: `${name}-model`, retry: { retries: 0 }, ...options }),
  }
}

const down: Fault = { kind: 'status', status: 503 }
const tooLong: Fault = {
  kind: 'status',
  status: 400,
  body: { error: { message: 'too long', code: 'context_length_exceeded' } },
}
const flagged: Fault = {
  kind: 'status',
  status: 400,
  body: { error: { message: 'no', code: 'content_policy_violation' } },
}
const limited: Fault = { kind: 'status', status: 429, headers: { 'retry-after': '60' } }

describe('a pool in order', () => {
  it('asks the first, and says who answered', async () => {
    const [a, b] = [await remote('a'), await remote('b')]
    const { text, chunks } = await ask(createRemotePool([a.engine, b.engine]))
    expect(text).toBe('a says so')
    expect(chunks[0]?.minnow?.remote).toEqual({ name: 'a', model: 'a-model', price: null, requests: 1 })
    expect(b.server.requests).toHaveLength(0)
  })

  it.for<[string, Fault, Partial<RemoteEngineOptions>]>([
    ['an outage', down, {}],
    ['a hang', { kind: 'hang', after: 0 }, { timeouts: { firstTokenMs: 300 } }],
    ['a rate limit', limited, {}],
    ['a refused text', flagged, {}],
    ['a refused key', { kind: 'status', status: 401 }, {}],
    ['garbage', { kind: 'garbage', after: 0, what: 'json' }, {}],
  ])('goes on to the next after %s', async ([, fault, options]) => {
    const [a, b] = [await remote('a', [fault], options), await remote('b')]
    const pool = createRemotePool([a.engine, b.engine])
    const completion = await pool.chat.completions.create({ messages: [{ role: 'user', content: 'Who?' }] })
    expect(completion.choices[0]!.message.content).toBe('b says so')
    expect(completion.minnow?.remote).toMatchObject({ name: 'b', requests: 2 })
  })

  it('takes one with a longer context for a prompt that is too long', async () => {
    const a = await remote('a', [tooLong], { contextLength: 8192 })
    const shorter = await remote('shorter', [], { contextLength: 4096 })
    const longer = await remote('longer', [], { contextLength: 131_072 })
    const { text } = await ask(createRemotePool([a.engine, shorter.engine, longer.engine]))
    expect(text).toBe('longer says so')
    expect(shorter.server.requests).toHaveLength(0)
  })

  it('prefers one kept for the cause, and never takes it for another', async () => {
    const a = await remote('a', [flagged, down])
    const b = await remote('b', [])
    const lenient = await remote('lenient')
    const pool = createRemotePool([a.engine, { engine: lenient.engine, only: ['policy'] }, b.engine])
    expect((await ask(pool)).text).toBe('lenient says so')
    expect((await ask(pool)).text).toBe('b says so')
  })

  it('falls back on the causes it is told only', async () => {
    const [a, b] = [await remote('a', [down, flagged]), await remote('b')]
    const pool = createRemotePool([a.engine, b.engine], { fallbackOn: ['policy'] })
    expect((await ask(pool)).error).toMatchObject({ code: 'unavailable', details: { remote: 'a' } })
    expect((await ask(pool)).text).toBe('b says so')
  })

  it('does not ask others what none would like', async () => {
    const [a, b] = [await remote('a', [{ kind: 'status', status: 400 }]), await remote('b')]
    const { error } = await ask(createRemotePool([a.engine, b.engine]))
    expect(error).toMatchObject({ code: 'invalid-argument' })
    expect(b.server.requests).toHaveLength(0)
  })

  it('never joins two answers', async () => {
    const [a, b] = [await remote('a', [{ kind: 'cut', after: 1, where: 'in-event' }]), await remote('b')]
    const { text, error } = await ask(createRemotePool([a.engine, b.engine]))
    expect(text).toBe('a')
    expect(error).toMatchObject({ code: 'network' })
    expect(b.server.requests).toHaveLength(0)
  })

  it('lets one rest that was asked too often', async () => {
    const [a, b] = [await remote('a', [limited]), await remote('b', [])]
    const pool = createRemotePool([a.engine, b.engine])
    await ask(pool)
    expect((await ask(pool)).text).toBe('b says so')
    expect(a.server.requests).toHaveLength(1)
    // Better than nobody, all the same.
    b.server.faults.push(down)
    expect((await ask(pool)).text).toBe('a says so')
  })

  it('tells of all failures in one error', async () => {
    const [a, b] = [await remote('a', [limited, down]), await remote('b', [flagged, down])]
    const pool = createRemotePool([a.engine, b.engine])
    const mixed = (await ask(pool)).error
    expect(mixed).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/a answered with status 429.*b answered with status 400/s) as string,
      details: { codes: 'rate-limited content-policy', retryAfterMs: 60_000 },
    })
    a.server.faults.push(limited)
    const same = await ask(
      createRemotePool([(await remote('x', [flagged])).engine, (await remote('y', [flagged])).engine]),
    )
    expect(same.error).toMatchObject({ code: 'content-policy' })
  })
})

describe('the hook before sending', () => {
  it('sees every request to every remote', async () => {
    const a = await remote('a', [down, down], { retry: { retries: 1, baseMs: 1, maxMs: 1 } })
    const b = await remote('b')
    const seen: string[] = []
    const beforeSend = ({ url, model }: { url: string; model: string }): void =>
      void seen.push(`${model} ${url}`)
    const { chunks } = await ask(createRemotePool([a.engine, b.engine]), {}, { beforeSend })
    const toA = `a-model ${a.server.baseUrl}/chat/completions`
    expect(seen).toEqual([toA, toA, `b-model ${b.server.baseUrl}/chat/completions`])
    expect(chunks[0]?.minnow?.remote?.requests).toBe(3)
  })

  it('ends the call where it refuses, and nothing is sent', async () => {
    const [a, b] = [await remote('a', [down]), await remote('b')]
    const no = new Error('not to b')
    const beforeSend = ({ model }: { model: string }): void => {
      if (model === 'b-model') throw no
    }
    const { error } = await ask(createRemotePool([a.engine, b.engine]), {}, { beforeSend })
    expect(error).toBe(no)
    expect(b.server.requests).toHaveLength(0)
  })
})

describe('balancing', () => {
  it('is by weight', async () => {
    const counts = { a: 0, b: 0 }
    const count = (name: 'a' | 'b'): Engine =>
      createMockEngine({
        reply: () => {
          counts[name]++
          return name
        },
      })
    // A generator of numbers with a fixed start: Lehmer's.
    let state = 7
    const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
    const pool = createRemotePool(
      [
        { engine: count('a'), weight: 3 },
        { engine: count('b'), weight: 1 },
      ],
      { strategy: 'weighted', random },
    )
    for (let i = 0; i < 400; i++) await ask(pool)
    // 300 expected, standard deviation 8.7.
    expect(counts.a).toBeGreaterThan(265)
    expect(counts.a).toBeLessThan(335)
    expect(counts.a + counts.b).toBe(400)
  })

  it('is by latency, once each is known', async () => {
    const slow = createMockEngine({ reply: 'slow', wordMs: 800 })
    const quick = createMockEngine({ reply: 'quick' })
    const pool = createRemotePool([slow, quick], { strategy: 'least-latency' })
    const texts: string[] = []
    for (let i = 0; i < 5; i++) texts.push((await ask(pool)).text)
    expect(texts).toEqual(['slow', 'quick', 'quick', 'quick', 'quick'])
  })
})

describe('a pool as an engine', () => {
  it('tells the longest context, and disposes of all', async () => {
    const a = await remote('a', [], { contextLength: 8192 })
    const b = await remote('b', [], { contextLength: 131_072 })
    const pool = createRemotePool([a.engine, b.engine])
    expect(pool.info).toMatchObject({ model: 'a-model', contextLength: 131_072 })
    await pool.dispose()
    expect((await ask(b.engine)).error).toMatchObject({ code: 'disposed' })
  })

  it('heeds its signal between remotes', async () => {
    const [a, b] = [await remote('a', [down]), await remote('b', [{ kind: 'hang', after: 0 }])]
    const controller = new AbortController()
    const asked = ask(createRemotePool([a.engine, b.engine]), {}, { signal: controller.signal })
    await expect.poll(() => b.server.requests.length, PATIENT).toBe(1)
    controller.abort('gone')
    expect((await asked).error).toBe('gone')
  })

  it('needs somebody to ask', () => {
    expect(() => createRemotePool([])).toThrow(/at least one/)
    expect(() => createRemotePool([{ engine: createMockEngine(), only: ['policy'] }])).toThrow(/at least one/)
    expect(() => createRemotePool([{ engine: createMockEngine(), weight: 0 }])).toThrow(/weight/)
  })
})
