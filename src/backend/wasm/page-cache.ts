import { EngineError } from '../../contract/error'
import type { Arena } from './arena'
import { cacheFields, recordBytes, writeRecord } from './records'

/** All memory that WebAssembly can address. */
const ADDRESS_SPACE_BYTES = 2 ** 32

/** What KV caches of one backend have in common. */
export interface CacheForm {
  readonly arena: Arena
  /** Bytes of a number. */
  readonly codeBytes: 1 | 2
  readonly pageTokens: number
  readonly pageBytes: number
  /** Of a page's end: the scales of its codes. */
  readonly pageScaleBytes: number
}

/** Bytes of the pages that `length` tokens take. */
export function cacheBytes({ pageTokens, pageBytes }: CacheForm, length: number): number {
  return Math.ceil(length / pageTokens) * pageBytes
}

/** The KV cache of one sequence: pages that come with its tokens (kernels/attention.ts) and go when they are forgotten. */
export class PageCache {
  /** Of the record that kernels take. */
  readonly pointer: number
  readonly #form: CacheForm
  readonly #table: number
  readonly #pages: number[] = []

  /** @throws EngineError 'out-of-memory' where `contextLength` tokens could never fit. */
  constructor(form: CacheForm, contextLength: number) {
    const { arena, codeBytes, pageTokens } = form
    const what = `A KV cache of ${contextLength} tokens`
    const wantedBytes = cacheBytes(form, contextLength)
    if (wantedBytes > ADDRESS_SPACE_BYTES - arena.usedBytes) {
      throw new EngineError(
        'out-of-memory',
        `${what} needs ${Math.ceil(wantedBytes / 2 ** 20)} MiB more, beyond the 4 GiB that WebAssembly has: ` +
          'choose a smaller context or model.',
        { details: { wantedBytes, heldBytes: arena.usedBytes } },
      )
    }
    this.#form = form
    const recordAndTable = recordBytes(cacheFields) + Math.ceil(contextLength / pageTokens) * 4
    this.pointer = arena.allocate(recordAndTable, what)
    this.#table = this.pointer + recordBytes(cacheFields)
    writeRecord(arena.buffer, this.pointer, cacheFields, { pages: this.#table, codeBytes })
  }

  /**
   * Makes room for `length` tokens.
   * @throws EngineError 'out-of-memory'; what is there stays.
   */
  reserve(length: number): void {
    const { arena, pageTokens, pageBytes, pageScaleBytes } = this.#form
    while (this.#pages.length * pageTokens < length) {
      const page = arena.allocate(pageBytes, `A KV cache that grows to ${length} tokens`)
      const { buffer } = arena
      // Memory may hold anything; a masked token's scale must at least be a number. Codes need not, and a page that was filled
      // in one go is read more slowly: 1.2 times the whole step at 1,024 tokens on two threads.
      new Uint8Array(buffer, page + pageBytes - pageScaleBytes, pageScaleBytes).fill(0)
      new DataView(buffer).setUint32(this.#table + this.#pages.length * 4, page, true)
      this.#pages.push(page)
    }
  }

  /** Gives back pages without any of the first `length` tokens. */
  shrink(length: number): void {
    const { arena, pageTokens } = this.#form
    for (const page of this.#pages.splice(Math.ceil(length / pageTokens))) arena.release(page)
  }

  /** Becomes the first `length` tokens of another cache. */
  copyFrom(other: PageCache, length: number): void {
    this.reserve(length)
    const { arena, pageBytes } = this.#form
    const bytes = new Uint8Array(arena.buffer)
    for (const [i, page] of this.#pages.entries()) {
      const from = other.#pages[i]!
      bytes.copyWithin(page, from, from + pageBytes)
    }
  }

  dispose(): void {
    this.shrink(0)
    this.#form.arena.release(this.pointer)
  }
}
