import { describe, expect, it } from 'vitest'
import type { RemoteTimeouts } from '../../src/router/providers/remote-options'
import { SCRIPTED_TEXT } from '../remote-server/answers'
import type { Fault } from '../remote-server/faults'
import { ask, PATIENT, QUESTION, remoteOf, startServer } from './remote-harness'

/** Long enough for a busy machine to answer in; so those that wait for it do so together. */
const LIMIT_MS = 1500

interface Case {
  fault: Fault
  limit: keyof RemoteTimeouts
  phase: string
}

const BEFORE_TEXT: Case[] = [
  { fault: { kind: 'hang-before-head' }, limit: 'connectMs', phase: 'connect' },
  { fault: { kind: 'hang-before-head' }, limit: 'firstTokenMs', phase: 'firstToken' },
  { fault: { kind: 'hang', after: 0 }, limit: 'firstTokenMs', phase: 'firstToken' },
  { fault: { kind: 'hang-with-comments', after: 0 }, limit: 'firstTokenMs', phase: 'firstToken' },
  { fault: { kind: 'slow-loris', after: 0 }, limit: 'firstTokenMs', phase: 'firstToken' },
]

const AFTER_TEXT: Case[] = [
  { fault: { kind: 'hang', after: 3 }, limit: 'betweenTokensMs', phase: 'betweenTokens' },
  { fault: { kind: 'hang-with-comments', after: 3 }, limit: 'betweenTokensMs', phase: 'betweenTokens' },
  { fault: { kind: 'slow-loris', after: 3 }, limit: 'betweenTokensMs', phase: 'betweenTokens' },
  { fault: { kind: 'endless', after: 3 }, limit: 'totalMs', phase: 'total' },
]

const limited = (limit: keyof RemoteTimeouts): RemoteTimeouts => ({ [limit]: LIMIT_MS })

describe('time limits', () => {
  it('end requests that show no text, which are sent again', async () => {
    await Promise.all(
      BEFORE_TEXT.map(async ({ fault, limit, phase }) => {
        const server = await startServer()
        server.faults.push(fault, fault)
        const retry = { retries: 1, baseMs: 1, maxMs: 1 }
        const outcome = await ask(remoteOf(server, { timeouts: limited(limit), retry }))
        expect(outcome, fault.kind).toMatchObject({
          rejected: true,
          error: { code: 'timeout', details: { remote: 'test', phase } },
        })
        expect(server.requests, fault.kind).toHaveLength(2)
        await expect.poll(() => server.requests.every(({ left }) => left), PATIENT).toBe(true)
      }),
    )
  })

  it('are not noticed where it happens once', async () => {
    await Promise.all(
      BEFORE_TEXT.map(async ({ fault, limit }) => {
        const server = await startServer()
        server.faults.push(fault)
        const { text, error, chunks } = await ask(remoteOf(server, { timeouts: limited(limit) }))
        expect(error, fault.kind).toBeNull()
        expect(text, fault.kind).toBe(SCRIPTED_TEXT)
        expect(chunks[0]?.minnow?.remote?.requests, fault.kind).toBe(2)
      }),
    )
  })

  it('end answers that were begun, and nothing is sent again', async () => {
    await Promise.all(
      AFTER_TEXT.map(async ({ fault, limit, phase }) => {
        const server = await startServer()
        server.faults.push(fault)
        const { text, error } = await ask(remoteOf(server, { timeouts: limited(limit) }))
        expect(text, fault.kind).toMatch(/^The café’s 🐟/)
        expect(error, fault.kind).toMatchObject({ code: 'timeout', details: { phase } })
        await expect.poll(() => server.requests[0]!.left, PATIENT).toBe(true)
        expect(server.requests, fault.kind).toHaveLength(1)
      }),
    )
  })

  it('of the whole call leave no time for another request', async () => {
    const server = await startServer()
    server.faults.push({ kind: 'hang', after: 0 })
    const { error } = await ask(remoteOf(server, { timeouts: limited('totalMs') }))
    expect(error).toMatchObject({ code: 'timeout', details: { phase: 'total' } })
    expect(server.requests).toHaveLength(1)
  })

  it('leave a slow reader its time', async () => {
    const server = await startServer()
    const engine = remoteOf(server, { timeouts: limited('betweenTokensMs') })
    let text = ''
    for await (const { choices } of await engine.chat.completions.create(QUESTION)) {
      text += choices[0]?.delta.content ?? ''
      if (text === 'The') await new Promise((resolve) => setTimeout(resolve, LIMIT_MS * 1.5))
    }
    expect(text).toBe(SCRIPTED_TEXT)
  })

  it('leave a model time to think, as long as thoughts come', async () => {
    const server = await startServer()
    server.faults.push({ kind: 'thoughts', count: 8, everyMs: LIMIT_MS / 5 })
    const { text, error } = await ask(
      remoteOf(server, { timeouts: { firstTokenMs: LIMIT_MS, betweenTokensMs: LIMIT_MS } }),
    )
    expect(error).toBeNull()
    expect(text).toBe(SCRIPTED_TEXT)
  })
})
