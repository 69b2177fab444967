import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { keepShared, takeShared } from '../../../src/app/shared-items'

/** A cache as far as it is used here. */
class FakeCache {
  readonly #kept = new Map<string, Response>()

  async put(url: URL, response: Response): Promise<void> {
    this.#kept.set(url.href, response)
  }

  async match(url: URL | string): Promise<Response | undefined> {
    return this.#kept.get(String(url))?.clone()
  }

  async keys(): Promise<{ url: string }[]> {
    return [...this.#kept.keys()].map((url) => ({ url }))
  }

  async delete({ url }: { url: string }): Promise<boolean> {
    return this.#kept.delete(url)
  }
}

let cache = new FakeCache()

function form(text: string, ...files: File[]): FormData {
  const data = new FormData()
  data.set('text', text)
  for (const file of files) data.append('files', file)
  return data
}

function folder(name: string): URL {
  return new URL(`https://minnow.example/shared/${name}/`)
}

describe('what is shared with the page', () => {
  beforeEach(() => {
    cache = new FakeCache()
    vi.stubGlobal('caches', { open: async () => cache })
  })

  afterEach(() => {
    vi.unstubAllGlobals()
    vi.useRealTimers()
  })

  it('is given once each, however quickly one follows the other', async () => {
    await keepShared(form('first', new File(['1'], 'über.txt', { type: 'text/plain' })), folder('a'))
    await keepShared(form('second'), folder('b'))
    const first = await takeShared(folder('a'))
    expect(first?.text).toBe('first')
    expect(first?.files.map(({ name, size }) => [name, size])).toEqual([['über.txt', 1]])
    expect(await takeShared(folder('b'))).toEqual({ text: 'second', files: [] })
    expect(await takeShared(folder('a'))).toBeNull()
    expect(await cache.keys()).toEqual([])
  })

  it('is not kept for ever where nobody takes it', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    await keepShared(form('old', new File(['1'], 'old.txt')), folder('a'))
    vi.setSystemTime(Date.now() + 86_400_000)
    await keepShared(form('new'), folder('b'))
    expect(await takeShared(folder('a'))).toBeNull()
    expect((await takeShared(folder('b')))?.text).toBe('new')
    expect(await cache.keys()).toEqual([])
  })
})
