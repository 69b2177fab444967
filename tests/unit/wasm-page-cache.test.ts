import { describe, expect, it } from 'vitest'
import { Arena } from '../../src/backend/wasm/arena'
import { cacheBytes, type CacheForm, PageCache } from '../../src/backend/wasm/page-cache'

const PAGE_BYTES = 65_536

/** Room for two pages of a cache and what else there is. */
function createForm(): CacheForm {
  const arena = new Arena(new WebAssembly.Memory({ initial: 1, maximum: 3 }))
  return { arena, codeBytes: 2, pageTokens: 256, pageBytes: PAGE_BYTES, pageScaleBytes: 1024 }
}

describe('a KV cache in pages', () => {
  it('takes what is known before: a page for each 256 tokens begun', () => {
    const form = createForm()
    const cache = new PageCache(form, 2048)
    const before = form.arena.usedBytes
    for (const [length, pages] of [
      [0, 0],
      [1, 1],
      [256, 1],
      [257, 2],
    ] as const) {
      cache.reserve(length)
      expect(cacheBytes(form, length)).toBe(pages * PAGE_BYTES)
      expect(form.arena.usedBytes - before).toBe(pages * PAGE_BYTES)
    }
    cache.shrink(256)
    expect(form.arena.usedBytes - before).toBe(PAGE_BYTES)
    cache.dispose()
    expect(form.arena.usedBytes).toBe(0)
  })

  it('stays as it is where memory ends, and grows when there is room again', () => {
    const form = createForm()
    const one = new PageCache(form, 2048)
    const other = new PageCache(form, 2048)
    one.reserve(200)
    other.reserve(200)
    const used = form.arena.usedBytes
    expect(() => one.reserve(300)).toThrow('A KV cache that grows to 300 tokens needs 1 MiB more')
    expect(form.arena.usedBytes).toBe(used)
    other.dispose()
    one.reserve(300)
    one.dispose()
    expect(form.arena.usedBytes).toBe(0)
  })

  it('begins with scales of zero, whatever was in its memory', () => {
    const form = createForm()
    const first = new PageCache(form, 256)
    new Uint8Array(form.arena.buffer, 8192).fill(0xff)
    first.reserve(1)
    const page = new DataView(form.arena.buffer).getUint32(first.pointer + 8, true)
    const scales = new Uint8Array(form.arena.buffer, page + PAGE_BYTES - 1024, 1024)
    expect(scales.every((byte) => byte === 0)).toBe(true)
  })

  it('that could never fit is refused at once', () => {
    const { arena, ...form } = createForm()
    expect(() => new PageCache({ ...form, arena }, 2 ** 25)).toThrow('beyond the 4 GiB that WebAssembly has')
    expect(arena.usedBytes).toBe(0)
  })
})
