import type {
  ChatCompletion,
  ChatCompletionChunk,
  FinishReason,
  TokenLogprob,
  Usage,
} from '../contract/engine'
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

  role(): ChatCompletionChunk {
    return this.#chunk([choice({ role: 'assistant', content: '' }, null)])
  }

  piece(piece: AnswerPiece): ChatCompletionChunk {
    const logprobs = this.#settings.topLogprobs === null ? null : { content: piece.logprobs }
    const chunk = this.#chunk([choice({ content: piece.text }, null, logprobs)])
    if (this.#settings.tokenIds) chunk.minnow = { tokenIds: piece.tokenIds }
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

  constructor(settings: GenerationSettings) {
    this.#settings = settings
  }

  add(piece: AnswerPiece): void {
    this.#text += piece.text
    this.#tokenIds.push(...piece.tokenIds)
    this.#logprobs.push(...piece.logprobs)
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
    if (this.#settings.tokenIds) completion.minnow = { tokenIds: this.#tokenIds }
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
