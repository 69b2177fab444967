import type {
  ChatCompletion,
  ChatCompletionChunk,
  FinishReason,
  MinnowReadings,
  TokenLogprob,
  Usage,
} from '../contract/engine'
import type { PromptReading, TokenSignal } from '../contract/signals'
import type { AnswerPiece } from './answer-text'
import type { GenerationSettings } from './params'

/** What is the same in every part of one answer. */
export interface CompletionHead {
  id: string
  /** Seconds since 1970. */
  created: number
  model: string
}

/** Makes OpenAI's chunks: the role first, then text, then the finish reason, then usage if asked for. */
export class ChunkFactory {
  readonly #head: CompletionHead
  readonly #settings: GenerationSettings

  constructor(head: CompletionHead, settings: GenerationSettings) {
    this.#head = head
    this.#settings = settings
  }

  role(reading: PromptReading | null): ChatCompletionChunk {
    const chunk = this.#chunk([choice({ role: 'assistant', content: '' }, null)])
    if (reading !== null) chunk.minnow = { promptSignals: reading }
    return chunk
  }

  piece(piece: AnswerPiece): ChatCompletionChunk {
    const logprobs = this.#settings.topLogprobs === null ? null : { content: piece.logprobs }
    const chunk = this.#chunk([choice({ content: piece.text }, null, logprobs)])
    const { tokenIds, signals } = this.#settings
    if (tokenIds || signals) {
      const part: MinnowReadings = {}
      if (tokenIds) part.tokenIds = piece.tokenIds
      if (signals) part.signals = piece.signals
      chunk.minnow = part
    }
    return chunk
  }

  finish(reason: FinishReason): ChatCompletionChunk {
    return this.#chunk([choice({}, reason)])
  }

  usage(usage: Usage): ChatCompletionChunk {
    return { ...this.#chunk([]), usage }
  }

  #chunk(choices: ChatCompletionChunk['choices']): ChatCompletionChunk {
    const { id, created, model } = this.#head
    const chunk: ChatCompletionChunk = { id, object: 'chat.completion.chunk', created, model, choices }
    // OpenAI sends null on every other chunk once usage is asked for.
    if (this.#settings.includeUsage) chunk.usage = null
    return chunk
  }
}

/** Collects the pieces of an answer that is not streamed. */
export class CompletionBuilder {
  readonly #settings: GenerationSettings
  #text = ''
  readonly #tokenIds: number[] = []
  readonly #logprobs: TokenLogprob[] = []
  readonly #signals: TokenSignal[] = []
  #reading: PromptReading | null = null

  constructor(settings: GenerationSettings) {
    this.#settings = settings
  }

  start(reading: PromptReading | null): void {
    this.#reading = reading
  }

  add(piece: AnswerPiece): void {
    this.#text += piece.text
    this.#tokenIds.push(...piece.tokenIds)
    this.#logprobs.push(...piece.logprobs)
    this.#signals.push(...piece.signals)
  }

  build(head: CompletionHead, finishReason: FinishReason, usage: Usage): ChatCompletion {
    const { id, created, model } = head
    const completion: ChatCompletion = {
      id,
      object: 'chat.completion',
      created,
      model,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: this.#text },
          finish_reason: finishReason,
          logprobs: this.#settings.topLogprobs === null ? null : { content: this.#logprobs },
        },
      ],
      usage,
    }
    const part: MinnowReadings = {}
    if (this.#settings.tokenIds) part.tokenIds = this.#tokenIds
    if (this.#reading !== null) Object.assign(part, { signals: this.#signals, promptSignals: this.#reading })
    if (Object.keys(part).length > 0) completion.minnow = part
    return completion
  }
}

function choice(
  delta: ChatCompletionChunk['choices'][number]['delta'],
  finishReason: FinishReason | null,
  logprobs: { content: TokenLogprob[] } | null = null,
): ChatCompletionChunk['choices'][number] {
  return { index: 0, delta, finish_reason: finishReason, logprobs }
}
