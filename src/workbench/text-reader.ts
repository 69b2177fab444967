import type { Backend, BackendSession, Logits } from '../backend/backend'
import { EngineError } from '../contract/error'
import type { TokenSignal } from '../contract/signals'
import { macrotaskYield } from '../engine/macrotask'
import type { Tokenizer } from '../tokenizer/tokenizer'

/** Tokens, where the model has so many; longer prompts lose their beginning. */
export const CONTEXT_LENGTH = 1024

/** What reading texts needs of a model. */
export interface ReadableModel {
  readonly backend: Backend
  readonly tokenizer: Tokenizer
  /** Tokens. */
  readonly contextLength: number
}

/** One sequence that keeps what it has in common with the next: choices share their question's prefill. */
export class TextReader {
  readonly #model: ReadableModel
  readonly #session: BackendSession
  readonly #contextLength: number
  #held: number[] = []

  constructor(model: ReadableModel) {
    this.#model = model
    this.#contextLength = Math.min(CONTEXT_LENGTH, model.contextLength)
    this.#session = model.backend.createSession({ contextLength: this.#contextLength })
  }

  encode(text: string): number[] {
    const { tokenizer } = this.#model
    const ids = tokenizer.encode(text, { addBos: tokenizer.addsBos })
    // A text without tokens still needs one to give logits after.
    return ids.length > 0 ? ids : [tokenizer.bosId ?? tokenizer.eosId ?? 0]
  }

  encodeContinuation(text: string): number[] {
    return this.#model.tokenizer.encode(text)
  }

  /** The hidden state after `context`, and the signals of each token of `continuation` there. */
  async read(
    context: readonly number[],
    continuation: readonly number[],
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<{ hidden: Float32Array; signals: TokenSignal[] }> {
    const kept = context.slice(-this.#roomBeside(continuation.length))
    const tokens = [...kept, ...continuation]
    // The last context token is evaluated again: its logits are the first continuation token's.
    const from = Math.min(sharedLength(tokens, this.#held), kept.length - 1)
    this.#truncate(from)
    const outputs = continuation.length
    const rows: { hidden: Float32Array | null; signal: TokenSignal }[] = []
    // The last token of the continuation says nothing about itself.
    const input = tokens.slice(from, -1)
    for (let at = 0; at < input.length; at += this.#model.backend.maxBatch) {
      // The kernels run in this thread: an interrupt needs a turn of the event loop to be heard.
      if (signal !== undefined) await macrotaskYield()()
      signal?.throwIfAborted()
      const batch = input.slice(at, at + this.#model.backend.maxBatch)
      const firstRow = input.length - outputs
      const wanted = Math.min(batch.length, Math.max(0, at + batch.length - firstRow))
      const logits = await this.#forward(batch, wanted)
      for (const row of logits) {
        const next = continuation[rows.length]!
        rows.push({ hidden: rows.length === 0 ? row.hidden() : null, signal: signalOf(row, next) })
      }
    }
    return { hidden: rows[0]!.hidden!, signals: rows.map((row) => row.signal) }
  }

  /** Goes on greedily until `isDone` says so of the text, the model ends its turn, or there are `maxTokens`. */
  async continue(
    context: readonly number[],
    maxTokens: number,
    isDone: (text: string) => boolean,
  ): Promise<{ hidden: Float32Array; signals: TokenSignal[]; text: string }> {
    const { tokenizer, backend } = this.#model
    const kept = context.slice(-this.#roomBeside(maxTokens))
    const from = Math.min(sharedLength(kept, this.#held), kept.length - 1)
    this.#truncate(from)
    let logits: Logits | undefined
    for (let at = from; at < kept.length; at += backend.maxBatch) {
      const batch = kept.slice(at, at + backend.maxBatch)
      ;[logits] = await this.#forward(batch, at + batch.length === kept.length ? 1 : 0)
    }
    const hidden = logits!.hidden()
    const signals: TokenSignal[] = []
    const ids: number[] = []
    let text = ''
    while (ids.length < maxTokens) {
      const token = logits!.argmax
      if (tokenizer.endOfGeneration.has(token)) break
      signals.push(signalOf(logits!, token))
      ids.push(token)
      text = tokenizer.decode(ids)
      if (isDone(text)) break
      ;[logits] = await this.#forward([token], 1)
    }
    return { hidden, signals, text }
  }

  dispose(): void {
    this.#session.dispose()
  }

  /** Tokens of a context beside so many others. */
  #roomBeside(count: number): number {
    if (count < this.#contextLength) return this.#contextLength - count
    throw new EngineError(
      'context-overflow',
      `A continuation of ${count} tokens leaves no room in a context of ${this.#contextLength}. Shorten it.`,
    )
  }

  #truncate(length: number): void {
    this.#session.truncate(length)
    this.#held.length = length
  }

  async #forward(tokens: readonly number[], outputs: number): Promise<Logits[]> {
    const logits = await this.#session.forward(tokens, { outputs })
    this.#held.push(...tokens)
    return logits
  }
}

/** A token as its raw logits saw it. */
export function signalOf(logits: Logits, token: number): TokenSignal {
  return {
    logprob: Math.min(0, logits.values()[token]! - logits.logSumExp),
    margin: logits.margin,
    entropy: logits.entropy,
  }
}

function sharedLength(a: readonly number[], b: readonly number[]): number {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length++
  return length
}
