import { EngineError } from '../../contract/error'
import type { BackendSession, ForwardOptions, Logits } from '../backend'
import { type CacheForm, PageCache } from './page-cache'
import { type PassCall, type PassHost, runPass, writeRotation } from './pass'

/** What a session uses of its backend. */
export interface SessionHost extends PassHost {
  readonly cacheForm: CacheForm
  onDispose(session: WasmSession): void
}

export class WasmSession implements BackendSession {
  readonly contextLength: number
  readonly #host: SessionHost
  readonly #cache: PageCache
  #length = 0
  #disposed = false

  constructor(host: SessionHost, contextLength: number) {
    this.#host = host
    this.#cache = new PageCache(host.cacheForm, contextLength)
    this.contextLength = contextLength
  }

  get length(): number {
    return this.#length
  }

  // async, so that errors reject; the kernels themselves run in one go.
  async forward(tokens: ArrayLike<number>, options: ForwardOptions = {}): Promise<Logits[]> {
    const call = this.prepare(tokens, options)
    const [logits] = runPass(this.#host, [call])
    this.appended(call)
    return logits!
  }

  /** Checks a call and makes room for its tokens. */
  prepare(tokens: ArrayLike<number>, { outputs = 1 }: ForwardOptions): PassCall {
    this.#checkLive()
    const { model, maxBatch } = this.#host
    const count = tokens.length
    if (count < 1 || count > maxBatch) {
      throw new EngineError('invalid-argument', `forward() takes 1 to ${maxBatch} tokens, got ${count}.`)
    }
    if (!Number.isInteger(outputs) || outputs < 0 || outputs > count) {
      throw new EngineError('invalid-argument', `outputs must be 0 to ${count}, got ${outputs}.`)
    }
    if (this.#length + count > this.contextLength) {
      throw new EngineError(
        'context-overflow',
        `The context holds ${this.contextLength} tokens; ${this.#length} are in it and ${count} more do not fit.`,
        { details: { contextLength: this.contextLength, length: this.#length, tokens: count } },
      )
    }
    for (let i = 0; i < count; i++) {
      const token = tokens[i]!
      if (!Number.isInteger(token) || token < 0 || token >= model.vocabularySize) {
        throw new EngineError(
          'invalid-argument',
          `Token ids are 0 to ${model.vocabularySize - 1}, got ${String(token)}.`,
        )
      }
    }
    this.#cache.reserve(this.#length + count)
    return { tokens, outputs, start: this.#length, cache: this.#cache.pointer }
  }

  /** The pass of a prepared call is over. */
  appended({ tokens }: PassCall): void {
    this.#length += tokens.length
  }

  copyFrom(other: BackendSession, length: number): void {
    this.#checkLive()
    if (!(other instanceof WasmSession) || other.#host !== this.#host || other === this) {
      throw new EngineError('invalid-argument', 'copyFrom() takes another session of the same backend.')
    }
    const most = Math.min(other.#length, this.contextLength)
    if (!Number.isInteger(length) || length < 0 || length > most) {
      throw new EngineError('invalid-argument', `copyFrom() takes 0 to ${most} tokens, got ${length}.`)
    }
    this.truncate(0)
    this.#cache.copyFrom(other.#cache, length)
    this.#length = length
  }

  truncate(length: number): void {
    this.#checkLive()
    if (!Number.isInteger(length) || length < 0 || length > this.#length) {
      throw new EngineError('invalid-argument', `truncate() takes 0 to ${this.#length}, got ${length}.`)
    }
    this.#cache.shrink(length)
    this.#length = length
  }

  shift(from: number, to: number): void {
    this.#checkLive()
    if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= this.#length)) {
      throw new EngineError(
        'invalid-argument',
        `shift() takes 0 ≤ from ≤ to ≤ ${this.#length}, got ${from}, ${to}.`,
      )
    }
    // Keys that stay where they are must not be rounded anew.
    if (from === to) return
    const { model, arena, kernels, scratch, ropes, modelPointer } = this.#host
    const count = this.#length - to
    ropes.forEach((rope, table) => {
      writeRotation(arena.buffer, scratch.rotation + table * rope.dimensionCount * 4, rope, from - to)
    })
    const { pointer } = this.#cache
    model.layers.forEach((layer, index) => {
      const rotation = scratch.rotation + ropes.indexOf(layer.rope) * layer.rope.dimensionCount * 4
      kernels.shiftLayer(modelPointer, pointer, index, to, from, count, rotation, scratch.threadScratch)
    })
    this.truncate(from + count)
  }

  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#cache.dispose()
    this.#host.onDispose(this)
  }

  #checkLive(): void {
    if (this.#disposed) throw new EngineError('disposed', 'This session was disposed of; create another.')
  }
}
