import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createBreaker, createGate } from '../../src/router/providers/traffic'
import { SCRIPTED_TEXT } from '../remote-server/answers'
import type { Fault } from '../remote-server/faults'
import { ask, PATIENT, remoteOf, startServer } from './remote-harness'

const pause = (durationMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, durationMs))
/** Settled promises reach the breaker some microtasks later. */
const settle = (): Promise<void> => pause(0)

describe('the breaker', () => {
  // It rests by the clock, which stands still here.
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })
  const passes = (durationMs: number): unknown => vi.setSystemTime(Date.now() + durationMs)

  async function opened(restMs: number): Promise<ReturnType<typeof createBreaker>> {
    const breaker = createBreaker({ failures: 2, restMs })
    for (let i = 0; i < 2; i++) {
      breaker.attempt()!.fail()
      await settle()
    }
    return breaker
  }

  it('opens after failures in a row, not after some', async () => {
    const breaker = createBreaker({ failures: 2, restMs: 10_000 })
    for (const word of ['fail', 'succeed', 'fail', 'cancel'] as const) {
      breaker.attempt()![word]()
      await settle()
    }
    const attempt = breaker.attempt()!
    expect(attempt.isProbe).toBe(false)
    attempt.fail()
    await settle()
    expect(breaker.attempt()).toBeNull()
  })

  it('lets one request through after its rest, and closes when that succeeds', async () => {
    const breaker = await opened(30)
    expect(breaker.attempt()).toBeNull()
    passes(29)
    expect(breaker.attempt()).toBeNull()
    passes(1)
    const probe = breaker.attempt()!
    expect(probe.isProbe).toBe(true)
    expect(breaker.attempt()).toBeNull()
    probe.succeed()
    await settle()
    expect(breaker.attempt()?.isProbe).toBe(false)
  })

  it.for(['fail', 'cancel'] as const)('rests again when the probe says %s', async (word) => {
    const breaker = await opened(30)
    passes(30)
    breaker.attempt()![word]()
    await settle()
    // Twice as long.
    passes(59)
    expect(breaker.attempt()).toBeNull()
    passes(1)
    expect(breaker.attempt()?.isProbe).toBe(true)
  })

  it('keeps requests of an engine back', async () => {
    const server = await startServer()
    const broken: Fault = { kind: 'status', status: 500 }
    server.faults.push(broken, broken, broken)
    const engine = remoteOf(server, {
      breaker: { failures: 3, restMs: 50 },
      retry: { retries: 0 },
    })
    for (let i = 0; i < 3; i++) await ask(engine)
    expect(server.requests).toHaveLength(3)
    const kept = await ask(engine)
    expect(kept.error).toMatchObject({ code: 'unavailable', details: { remote: 'test' } })
    expect(server.requests).toHaveLength(3)
    passes(50)
    expect((await ask(engine)).text).toBe(SCRIPTED_TEXT)
    expect((await ask(engine)).text).toBe(SCRIPTED_TEXT)
  })

  it('does not open because of requests the remote does not like', async () => {
    const server = await startServer()
    const engine = remoteOf(server, { breaker: { failures: 1, restMs: 10_000 } })
    for (const status of [400, 401, 429]) {
      server.faults.push({ kind: 'status', status, headers: { 'retry-after': '100' } })
      await ask(engine)
    }
    expect((await ask(engine)).text).toBe(SCRIPTED_TEXT)
  })

  it('counts answers that broke after their first text', async () => {
    const server = await startServer()
    const cut: Fault = { kind: 'cut', after: 2, where: 'in-event' }
    server.faults.push(cut, cut)
    const engine = remoteOf(server, { breaker: { failures: 2, restMs: 10_000 } })
    await ask(engine)
    await ask(engine)
    expect((await ask(engine)).error).toMatchObject({ code: 'unavailable' })
  })
})

describe('the gate', () => {
  it('lets so many in, the others in their order as places become free', async () => {
    const gate = createGate(2)
    const calls = Array.from({ length: 4 }, () => new AbortController())
    const inside: number[] = []
    calls.forEach(({ signal }, index) => {
      gate.enter(signal).then(
        () => inside.push(index),
        () => undefined,
      )
    })
    await settle()
    expect(inside).toEqual([0, 1])
    // The third stops waiting: the fourth comes in its place.
    calls[2]!.abort()
    calls[0]!.abort()
    await settle()
    expect(inside).toEqual([0, 1, 3])
  })

  it('rejects at once whoever stops waiting', async () => {
    const gate = createGate(1)
    await gate.enter(new AbortController().signal)
    const waiting = new AbortController()
    const entered = gate.enter(waiting.signal)
    waiting.abort('gone')
    await expect(entered).rejects.toBe('gone')
  })

  it('keeps an engine to its number of requests, whatever becomes of them', async () => {
    const server = await startServer()
    const engine = remoteOf(server, { concurrency: 1 })
    server.faults.push({ kind: 'hang', after: 1 }, { kind: 'status', status: 400 })
    const controller = new AbortController()
    const first = ask(engine, {}, { signal: controller.signal })
    const others = [ask(engine), ask(engine)]
    await expect.poll(() => server.requests.length, PATIENT).toBe(1)
    await pause(50)
    expect(server.requests).toHaveLength(1)
    controller.abort()
    await first
    const [second, third] = await Promise.all(others)
    expect(second!.error).toMatchObject({ code: 'invalid-argument' })
    expect(third!.text).toBe(SCRIPTED_TEXT)
  })
})
