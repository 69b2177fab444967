import type { BackendSession, Logits } from '../backend/backend'
import { TokenList } from './token-list'

/** A backend session together with the ids of the tokens in its KV cache. */
export class CachedSession {
  readonly #session: BackendSession
  readonly #tokens = new TokenList()
  /** Leading tokens whose keys and values are what a fresh prefill would give; sliding spoils those behind it. */
  #exactLength = Infinity
  #broken = false
  /** A count of uses, for eviction of the least recently used. */
  lastUse = 0

  constructor(session: BackendSession) {
    this.#session = session
  }

  /** True after a failed `forward`: what the KV cache holds is not known. */
  get broken(): boolean {
    return this.#broken
  }

  get contextLength(): number {
    return this.#session.contextLength
  }

  get length(): number {
    return this.#tokens.length
  }

  /** How many leading tokens of `prompt` need not be evaluated again. */
  reusable(prompt: ArrayLike<number>): number {
    return Math.min(this.#tokens.commonPrefix(prompt), this.#exactLength)
  }

  /**
   * Keeps as much of the cache as serves `prompt`, but leaves at least its last token to be evaluated, whose
   * logits are needed. Gives the number of tokens kept.
   */
  rewindTo(prompt: ArrayLike<number>): number {
    const kept = Math.max(0, Math.min(this.reusable(prompt), prompt.length - 1))
    this.truncate(kept)
    this.#exactLength = Infinity
    return kept
  }

  async forward(tokens: ArrayLike<number>, outputs: number): Promise<Logits[]> {
    this.#broken = true
    const logits = await this.#session.forward(tokens, { outputs })
    this.#broken = false
    this.#tokens.append(tokens)
    return logits
  }

  truncate(length: number): void {
    if (length >= this.#tokens.length) return
    this.#session.truncate(length)
    this.#tokens.truncate(length)
  }

  /** Forgets [from, to) and moves what follows down. */
  slide(from: number, to: number): void {
    this.#session.shift(from, to)
    this.#tokens.remove(from, to)
    this.#exactLength = Math.min(this.#exactLength, from)
  }

  dispose(): void {
    this.#session.dispose()
  }
}
