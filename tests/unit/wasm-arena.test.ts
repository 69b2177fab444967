import { describe, expect, it } from 'vitest'
import { Arena } from '../../src/backend/wasm/arena'
import { isEngineError } from '../../src/contract/error'
import { randomNumbers } from '../fixtures/random-weights'

const pageBytes = 65_536

const arenaOf = (maximum = 65_536): Arena => new Arena(new WebAssembly.Memory({ initial: 1, maximum }))

describe('the arena', () => {
  it('hands out blocks that are aligned, apart, and beyond the control words', () => {
    const arena = arenaOf()
    const sizes = [1, 64, 65, 0, 1000, 200_000]
    const pointers = sizes.map((size) => arena.allocate(size, 'A block'))
    expect(pointers[0]).toBeGreaterThanOrEqual(4096)
    pointers.forEach((pointer, i) => {
      expect(pointer % 64).toBe(0)
      if (i > 0) expect(pointer).toBeGreaterThanOrEqual(pointers[i - 1]! + sizes[i - 1]!)
    })
    expect(arena.buffer.byteLength).toBeGreaterThanOrEqual(pointers.at(-1)! + 200_000)
    expect(arena.usedBytes).toBe(64 + 64 + 128 + 0 + 1024 + 200_000)
  })

  it('grows by no more than is missing', () => {
    const arena = arenaOf()
    arena.allocate(pageBytes - 4096, 'A block')
    expect(arena.buffer.byteLength).toBe(pageBytes)
    arena.allocate(64, 'A block')
    expect(arena.buffer.byteLength).toBe(2 * pageBytes)
  })

  it('uses a released block again, and joins neighbours', () => {
    const arena = arenaOf()
    const [a, b, c] = [arena.allocate(128, 'a'), arena.allocate(256, 'b'), arena.allocate(128, 'c')]
    const last = arena.allocate(64, 'last')
    arena.release(a)
    arena.release(c)
    arena.release(b)
    expect(arena.allocate(512, 'abc')).toBe(a)
    expect(arena.usedBytes).toBe(576)
    arena.release(a)
    // A part of a free block; the rest stays free.
    expect(arena.allocate(64, 'part')).toBe(a)
    expect(arena.allocate(448, 'rest')).toBe(a + 64)
    expect(arena.allocate(64, 'next')).toBe(last + 64)
  })

  it('takes back from the end, and ignores what it did not give', () => {
    const arena = arenaOf()
    const a = arena.allocate(64, 'a')
    const b = arena.allocate(64, 'b')
    arena.release(b)
    arena.release(b)
    arena.release(a + 1)
    expect(arena.usedBytes).toBe(64)
    expect(arena.allocate(1024, 'c')).toBe(b)
    arena.release(a)
    arena.release(b)
    expect(arena.usedBytes).toBe(0)
    expect(arena.allocate(64, 'again')).toBe(a)
  })

  it('never gives one byte twice, whatever the order', () => {
    const random = randomNumbers(1)
    const arena = arenaOf()
    const live = new Map<number, number>()
    for (let step = 0; step < 3000; step++) {
      const [first] = live.keys()
      if (first !== undefined && random() < 0.48) {
        const pointer = [...live.keys()][Math.floor(random() * live.size)]!
        arena.release(pointer)
        live.delete(pointer)
        continue
      }
      const size = 1 + Math.floor(random() * 5000)
      const pointer = arena.allocate(size, 'A block')
      for (const [other, otherSize] of live) {
        if (pointer < other + otherSize && other < pointer + size) {
          expect({ pointer, size, other, otherSize }).toBe('apart')
        }
      }
      live.set(pointer, size)
    }
    for (const pointer of live.keys()) arena.release(pointer)
    expect(arena.usedBytes).toBe(0)
    expect(arena.allocate(arena.buffer.byteLength - 4096, 'Everything')).toBe(4096)
  })

  it('says what did not fit, and goes on', () => {
    const arena = arenaOf(2)
    const before = arena.allocate(1000, 'A block')
    let error: unknown
    try {
      arena.allocate(3 * 2 ** 20, 'A KV cache of 2048 tokens')
    } catch (thrown) {
      error = thrown
    }
    expect(isEngineError(error, 'out-of-memory')).toBe(true)
    expect((error as Error).message).toMatch(/^A KV cache of 2048 tokens needs 3 MiB more.*smaller context/)
    expect(error).toMatchObject({ details: { wantedBytes: 3 * 2 ** 20, heldBytes: pageBytes } })
    expect(arena.usedBytes).toBe(1024)
    expect(arena.allocate(64, 'A small one')).toBe(before + 1024)
  })
})
