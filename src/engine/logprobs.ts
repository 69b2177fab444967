import type { Logits } from '../backend/backend'
import type { TokenLogprob, TopLogprob } from '../contract/engine'
import { Candidates } from './sampling/candidates'
import { selectTopK } from './sampling/top-k'
import type { EngineTokenizer } from './tokenizer-interface'

/** A token's raw logit, from as little of the row as holds it. */
export function logitOf(logits: Logits, token: number): number {
  if (token === logits.argmax) return logits.maximum
  const place = logits.top?.ids.indexOf(token) ?? -1
  return place < 0 ? logits.values()[token]! : logits.top!.logits[place]!
}

/** Reads log-probabilities off raw logits, at temperature 1 and before any sampling transform. */
export class LogprobReader {
  readonly #tokenizer: EngineTokenizer
  readonly #topCount: number
  readonly #candidates = new Candidates(32)
  readonly #decoder = new TextDecoder()

  /** @param topCount alternatives a token, 0…20 */
  constructor(tokenizer: EngineTokenizer, topCount: number) {
    this.#tokenizer = tokenizer
    this.#topCount = topCount
  }

  read(logits: Logits, token: number): TokenLogprob {
    const { logSumExp } = logits
    const top: TopLogprob[] = []
    if (this.#topCount > 0) {
      if (logits.top) this.#candidates.fill(logits.top, Math.min(this.#topCount, logits.top.ids.length))
      else selectTopK(logits.values(), this.#topCount, this.#candidates)
      for (let i = 0; i < this.#candidates.count; i++) {
        top.push(this.#describe(this.#candidates.ids[i]!, this.#candidates.logits[i]! - logSumExp))
      }
    }
    return { ...this.#describe(token, logitOf(logits, token) - logSumExp), top_logprobs: top }
  }

  #describe(token: number, logprob: number): TopLogprob {
    const bytes = this.#tokenizer.bytesOf(token)
    // Rounding may put a certain token a hair above probability 1.
    return { token: this.#decoder.decode(bytes), logprob: Math.min(0, logprob), bytes: [...bytes] }
  }
}
