import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createPartBatcher } from '../../src/worker/part-batcher'

describe('createPartBatcher', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  function record(): { sent: { atMs: number; parts: number[] }[]; send: (parts: number[]) => void } {
    const sent: { atMs: number; parts: number[] }[] = []
    const startMs = performance.now()
    return { sent, send: (parts) => sent.push({ atMs: performance.now() - startMs, parts }) }
  }

  it('sends the first part at once', () => {
    const { sent, send } = record()
    createPartBatcher(send).push(1)
    expect(sent).toEqual([{ atMs: 0, parts: [1] }])
  })

  it('sends slow parts one by one, without delay', () => {
    const { sent, send } = record()
    const batcher = createPartBatcher(send)
    for (const part of [1, 2, 3]) {
      batcher.push(part)
      vi.advanceTimersByTime(20)
    }
    expect(sent.map(({ parts }) => parts)).toEqual([[1], [2], [3]])
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 20, 40])
  })

  it('gathers fast parts for one interval and holds none longer', () => {
    const { sent, send } = record()
    const batcher = createPartBatcher(send)
    for (let part = 0; part < 40; part++) {
      batcher.push(part)
      vi.advanceTimersByTime(1)
    }
    vi.advanceTimersByTime(16)
    expect(sent.flatMap(({ parts }) => parts)).toEqual(Array.from({ length: 40 }, (_, part) => part))
    for (const { atMs, parts } of sent) expect(atMs - parts[0]!).toBeLessThanOrEqual(16)
    expect(sent.length).toBeLessThanOrEqual(5)
  })

  it('sends by its own clock where the timer never gets a turn', () => {
    const { sent, send } = record()
    let nowMs = 0
    const batcher = createPartBatcher(send, { now: () => nowMs })
    for (let part = 0; part < 34; part++) {
      batcher.push(part)
      nowMs++
    }
    expect(sent.length).toBe(3)
  })

  it('flush sends the rest once and stops the timer', () => {
    const { sent, send } = record()
    const batcher = createPartBatcher(send)
    batcher.push(1)
    batcher.push(2)
    batcher.flush()
    vi.advanceTimersByTime(100)
    expect(sent.map(({ parts }) => parts)).toEqual([[1], [2]])
    expect(vi.getTimerCount()).toBe(0)
  })
})
