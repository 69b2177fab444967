import type {
  ChatCompletion,
  ChatCompletionChunk,
  FinishReason,
  MinnowReadings,
  Timings,
  TokenLogprob,
  Usage,
} from '../contract/engine'
import type { PromptReading, TokenSignal } from '../contract/signals'
import type { AnswerPiece } from './answer-text'
import type { GenerationSettings } from './params/parse-params'

/** What is the same in every part of one answer. */
export interface CompletionHead {
  id: string
  /** Seconds since 1970. */
  created: number
  model: string
  system_fingerprint: string
}

/** Makes OpenAI's chunks: of each choice the role first, then text, then the finish reason; then usage if asked for. */
export class ChunkFactory {
  readonly #head: CompletionHead
  readonly #settings: GenerationSettings

  constructor(head: CompletionHead, settings: GenerationSettings) {
    this.#head = head
    this.#settings = settings
  }

  role(index: number, reading: PromptReading | null): ChatCompletionChunk {
    const chunk = this.#chunk([choice(index, { role: 'assistant', content: '' }, null)])
    if (reading !== null) chunk.minnow = { promptSignals: reading }
    return chunk
  }

  piece(index: number, piece: AnswerPiece): ChatCompletionChunk {
    const logprobs = this.#settings.topLogprobs === null ? null : { content: piece.logprobs }
    const chunk = this.#chunk([choice(index, { content: piece.text }, null, logprobs)])
    const { tokenIds, signals } = this.#settings
    if (tokenIds || signals) {
      const part: MinnowReadings = {}
      if (tokenIds) part.tokenIds = piece.tokenIds
      if (signals) part.signals = piece.signals
      chunk.minnow = part
    }
    return chunk
  }

  finish(index: number, reason: FinishReason): ChatCompletionChunk {
    return this.#chunk([choice(index, {}, reason)])
  }

  usage(usage: Usage): ChatCompletionChunk {
    return { ...this.#chunk([]), usage }
  }

  #chunk(choices: ChatCompletionChunk['choices']): ChatCompletionChunk {
    const { id, created, model, system_fingerprint } = this.#head
    const chunk: ChatCompletionChunk = {
      id,
      object: 'chat.completion.chunk',
      created,
      model,
      system_fingerprint,
      choices,
    }
    // OpenAI sends null on every other chunk once usage is asked for.
    if (this.#settings.includeUsage) chunk.usage = null
    return chunk
  }
}

/** Collects the pieces of one choice of an answer that is not streamed. */
class ChoiceBuilder {
  text = ''
  finishReason: FinishReason = 'stop'
  reading: PromptReading | null = null
  readonly tokenIds: number[] = []
  readonly logprobs: TokenLogprob[] = []
  readonly signals: TokenSignal[] = []

  add(piece: AnswerPiece): void {
    this.text += piece.text
    this.tokenIds.push(...piece.tokenIds)
    this.logprobs.push(...piece.logprobs)
    this.signals.push(...piece.signals)
  }
}

/** Collects an answer that is not streamed. */
export class CompletionBuilder {
  readonly #settings: GenerationSettings
  readonly #choices: readonly ChoiceBuilder[]

  constructor(settings: GenerationSettings) {
    this.#settings = settings
    this.#choices = Array.from({ length: settings.n }, () => new ChoiceBuilder())
  }

  start(index: number, reading: PromptReading | null): void {
    this.#choices[index]!.reading = reading
  }

  add(index: number, piece: AnswerPiece): void {
    this.#choices[index]!.add(piece)
  }

  finish(index: number, reason: FinishReason): void {
    this.#choices[index]!.finishReason = reason
  }

  build(head: CompletionHead, usage: Usage): ChatCompletion {
    const { id, created, model, system_fingerprint } = head
    const completion: ChatCompletion = {
      id,
      object: 'chat.completion',
      created,
      model,
      system_fingerprint,
      choices: this.#choices.map(({ text, finishReason, logprobs }, index) => ({
        index,
        message: { role: 'assistant', content: text },
        finish_reason: finishReason,
        logprobs: this.#settings.topLogprobs === null ? null : { content: logprobs },
      })),
      usage,
    }
    const part: MinnowReadings = {}
    // Asked for only where there is one choice.
    const { tokenIds, reading, signals } = this.#choices[0]!
    if (this.#settings.tokenIds) part.tokenIds = tokenIds
    if (reading !== null) Object.assign(part, { signals, promptSignals: reading })
    if (Object.keys(part).length > 0) completion.minnow = part
    return completion
  }
}

/**
 * What several answers to one prompt took: the prompt is counted once, and the times to its end are those of the first.
 */
export function sumUsage(usages: readonly Usage[]): Usage {
  const [first, ...others] = usages
  if (first === undefined) throw new Error('no usage to sum up')
  return others.reduce((sum, { completion_tokens, minnow }) => {
    const decodeMs = sum.minnow.decodeMs + minnow.decodeMs
    const tokens = decodedTokens(sum.minnow) + decodedTokens(minnow)
    return {
      ...sum,
      completion_tokens: sum.completion_tokens + completion_tokens,
      total_tokens: sum.total_tokens + completion_tokens,
      minnow: {
        ...sum.minnow,
        decodeMs,
        decodeTokensPerSecond: decodeMs > 0 ? (tokens * 1000) / decodeMs : 0,
        draftedTokens: sum.minnow.draftedTokens + minnow.draftedTokens,
        acceptedTokens: sum.minnow.acceptedTokens + minnow.acceptedTokens,
      },
    }
  }, first)
}

function decodedTokens({ decodeTokensPerSecond, decodeMs }: Timings): number {
  return (decodeTokensPerSecond * decodeMs) / 1000
}

function choice(
  index: number,
  delta: ChatCompletionChunk['choices'][number]['delta'],
  finishReason: FinishReason | null,
  logprobs: { content: TokenLogprob[] } | null = null,
): ChatCompletionChunk['choices'][number] {
  return { index, delta, finish_reason: finishReason, logprobs }
}
