import type { TokenLogprob } from '../contract/engine'
import type { TokenSignal } from '../contract/signals'
import { StopStringMatcher } from './stop-strings'
import type { EngineDetokenizer } from './tokenizer-interface'

/** A piece of the answer: text and the tokens that begin in it. */
export interface AnswerPiece {
  text: string
  tokenIds: number[]
  /** These two: one for each of `tokenIds`, or none where they were not asked for. */
  logprobs: TokenLogprob[]
  signals: TokenSignal[]
}

/** What is told of a token beside its text, where it was asked for. */
export interface TokenReadings {
  readonly logprob: TokenLogprob | null
  readonly signal: TokenSignal | null
}

/** A token whose text is not given out yet, and where in the answer it begins and ends. */
interface PendingToken {
  id: number
  readings: TokenReadings
  start: number
  end: number
}

/** Builds the answer from its tokens: whole characters, no stop strings, each token beside its text. */
export class AnswerText {
  readonly #detokenizer: EngineDetokenizer
  readonly #matcher: StopStringMatcher
  readonly #pending: PendingToken[] = []
  #ready = ''
  /** Characters detokenised and given out so far. */
  #textLength = 0
  #givenLength = 0

  constructor(detokenizer: EngineDetokenizer, stops: readonly string[]) {
    this.#detokenizer = detokenizer
    this.#matcher = new StopStringMatcher(stops)
  }

  /** Adds a token; true where its text completes a stop string and the answer ends here. */
  push(id: number, readings: TokenReadings): boolean {
    const piece = this.#detokenizer.push(id)
    this.#pending.push({ id, readings, start: this.#textLength, end: this.#textLength + piece.length })
    this.#textLength += piece.length
    this.#give(this.#matcher.push(piece))
    return this.#matcher.stopped
  }

  /** What can be given out since the last call; null where that is no text. */
  take(): AnswerPiece | null {
    if (this.#ready === '') return null
    return this.#release((token) => token.end <= this.#givenLength)
  }

  /** The rest, once no more tokens come; null where there is none. */
  finish(): AnswerPiece | null {
    if (this.#matcher.stopped) {
      // Tokens that begin at the stop string or behind it are no part of the answer.
      const piece = this.#release((token) => token.start < this.#givenLength)
      return piece.text === '' && piece.tokenIds.length === 0 ? null : piece
    }
    this.#give(this.#matcher.push(this.#detokenizer.flush()))
    if (!this.#matcher.stopped) this.#give(this.#matcher.flush())
    const { stopped } = this.#matcher
    const piece = this.#release((token) => !stopped || token.start < this.#givenLength)
    return piece.text === '' && piece.tokenIds.length === 0 ? null : piece
  }

  #give(text: string): void {
    this.#ready += text
    this.#givenLength += text.length
  }

  #release(isOut: (token: PendingToken) => boolean): AnswerPiece {
    const piece: AnswerPiece = { text: this.#ready, tokenIds: [], logprobs: [], signals: [] }
    this.#ready = ''
    while (this.#pending.length > 0 && isOut(this.#pending[0]!)) {
      const { id, readings } = this.#pending.shift()!
      piece.tokenIds.push(id)
      if (readings.logprob !== null) piece.logprobs.push(readings.logprob)
      if (readings.signal !== null) piece.signals.push(readings.signal)
    }
    return piece
  }
}
