import type { ChatCompletionChunk, FinishReason } from '../contract/engine'
import type { RouteEvent } from '../contract/route'
import type { RouteRun } from './route-run'

type Delta = ChatCompletionChunk['choices'][number]['delta']

/** What a router says, as chunks of one stream, whoever's text it is; and what of it stands on the screen. */
export class AnswerWriter {
  readonly #run: RouteRun
  readonly #created: number
  #hasRole = false
  #shown = ''
  #isEnded = false

  constructor(run: RouteRun) {
    this.#run = run
    this.#created = Math.floor(run.entry.at / 1000)
  }

  /** The text on the screen. */
  get shown(): string {
    return this.#shown
  }

  /** The chunk that ends the answer was given. */
  get isEnded(): boolean {
    return this.#isEnded
  }

  /** An engine's chunk whose text is shown. */
  show(chunk: ChatCompletionChunk): ChatCompletionChunk {
    const [choice, ...others] = chunk.choices
    const text = choice?.delta.content ?? ''
    const { entry, parts } = this.#run
    if (text !== '') entry.latencyMs.firstText ??= parts.now() - entry.at
    this.#shown += text
    if (choice === undefined || this.#hasRole) return this.shape(chunk)
    this.#hasRole = true
    return this.shape({
      ...chunk,
      choices: [{ ...choice, delta: { role: 'assistant', ...choice.delta } }, ...others],
    })
  }

  /** A text that is shown, and what the model wants called. */
  showText(content: string, model: string, tool_calls?: Delta['tool_calls']): ChatCompletionChunk {
    return this.show({ ...this.#chunk({ content, ...(tool_calls && { tool_calls }) }), model })
  }

  /** An engine's chunk as one of ours: readings the caller did not ask for are left out, usage comes at the end. */
  shape({ choices, model, minnow }: ChatCompletionChunk): ChatCompletionChunk {
    const kept = { ...minnow }
    if (this.#run.params.minnow?.signals !== true) {
      delete kept.signals
      delete kept.promptSignals
    }
    return {
      ...this.#chunk({}),
      model,
      choices,
      ...(Object.keys(kept).length === 0 ? {} : { minnow: kept }),
    }
  }

  event(route: RouteEvent): ChatCompletionChunk {
    return this.bare({ minnow: { route } })
  }

  /** A chunk without a choice. */
  bare(fields: Partial<ChatCompletionChunk>): ChatCompletionChunk {
    return { ...this.#chunk({}), choices: [], ...fields }
  }

  end(model: string, finish: FinishReason): ChatCompletionChunk {
    this.markEnded()
    return {
      ...this.#chunk({}),
      model,
      choices: [{ index: 0, delta: {}, finish_reason: finish, logprobs: null }],
    }
  }

  /** The answer ended with an engine's own last chunk. */
  markEnded(): void {
    this.#isEnded = true
  }

  /** Another answer comes in the place of what was shown. */
  drop(): void {
    this.#shown = ''
  }

  #chunk(delta: Delta): ChatCompletionChunk {
    return {
      id: this.#run.entry.id,
      object: 'chat.completion.chunk',
      created: this.#created,
      model: this.#run.parts.local.info.model,
      choices: [{ index: 0, delta, finish_reason: null, logprobs: null }],
    }
  }
}
