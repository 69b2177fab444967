import type { BackendSession, FollowedLogits, FollowOptions, LogitDetail, Logits } from '../backend/backend'
import type { ForwardBatcher } from './forward-batcher'
import { TokenList } from './token-list'

/** A backend session together with the ids of the tokens in its KV cache. */
export class CachedSession {
  readonly #session: BackendSession
  readonly #batcher: ForwardBatcher
  readonly #tokens = new TokenList()
  /** Leading tokens whose keys and values are what a fresh prefill would give; sliding spoils those behind it. */
  #exactLength = Infinity
  #broken = false

  constructor(session: BackendSession, batcher: ForwardBatcher) {
    this.#session = session
    this.#batcher = batcher
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

  /** Takes over what `other` has of `prompt`, where that is more and the backend can. */
  begin(other: CachedSession, prompt: ArrayLike<number>): void {
    const length = other.reusable(prompt)
    if (this.#session.copyFrom === undefined || length <= this.reusable(prompt)) return
    this.#broken = true
    this.#session.copyFrom(other.#session, length)
    this.#broken = false
    this.#tokens.truncate(0)
    this.#tokens.append(Array.from({ length }, (_, i) => prompt[i]!))
    this.#exactLength = Infinity
  }

  async forward(
    tokens: ArrayLike<number>,
    options: { outputs: number; detail: LogitDetail; temperature?: number | undefined },
  ): Promise<Logits[]> {
    this.#broken = true
    const logits = await this.#batcher.forward(this.#session, tokens, options)
    this.#broken = false
    this.#tokens.append(tokens)
    return logits
  }

  /** Whether the device can go on by itself. */
  get canFollow(): boolean {
    return this.#session.follow !== undefined && this.#session.canFollow !== false
  }

  /**
   * Begins the step behind the newest output, before that output's token is known here. Say by `followed()` that the
   * one the device took is right, or take it back by `truncate()`.
   */
  follow(options: FollowOptions): Promise<FollowedLogits> {
    const step = this.#session.follow!(options)
    step.catch(() => {
      this.#broken = true
    })
    return step
  }

  followed(token: number): void {
    this.#tokens.append([token])
  }

  truncate(length: number): void {
    // The backend's session holds more than the list where a step that followed was not wanted any more.
    if (length >= this.#session.length) return
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
