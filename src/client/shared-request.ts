import type { ChatCompletion, ChatCompletionChunk, ChatCompletionParams } from '../contract/engine'
import { EngineError } from '../contract/error'
import { PartStream } from './part-stream'
import type { AnswerBody } from './shared-messages'

/** How often a request is asked again, when engine after engine dies under it. */
const MAX_REPLAYS = 2

/** How much of an answer the reader has. */
interface Given {
  role: boolean
  text: string
  logprobs: number
  tokenIds: number
  signals: number
}

/**
 * One request to a shared engine, from its first asking to its end. When the engine dies in the middle, the
 * request is asked again with the same seed, and what the reader already has is left out of the repeated
 * answer.
 */
export class SharedRequest {
  readonly id: string = crypto.randomUUID()
  readonly params: ChatCompletionParams
  readonly result: Promise<ChatCompletion | AsyncIterable<ChatCompletionChunk>>
  readonly #stream: PartStream<ChatCompletionChunk>
  readonly #onEnd: (ended: 'here' | 'there') => void
  #resolve: (result: ChatCompletion | AsyncIterable<ChatCompletionChunk>) => void = () => undefined
  #reject: (error: unknown) => void = () => undefined
  #attempts = 0
  #askedIn = ''
  /** The first chunk's, for all of them. */
  #head: Pick<ChatCompletionChunk, 'id' | 'created'> | null = null
  #given: Given = nothingGiven()
  /** Of `#given`, what this attempt has repeated. */
  #seen: Given = nothingGiven()

  /** @param onEnd called once: 'there' where the leader ended it, 'here' where it must be told. */
  constructor(params: ChatCompletionParams, onEnd: (ended: 'here' | 'there') => void) {
    // A seed of one's own, so that the same answer can be had again.
    const seed = params.seed ?? crypto.getRandomValues(new Uint32Array(1))[0]!
    this.params = { ...params, seed }
    this.#onEnd = onEnd
    this.#stream = new PartStream<ChatCompletionChunk>(() => onEnd('here'))
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** The term it was asked in last; empty before the first. */
  get askedIn(): string {
    return this.#askedIn
  }

  /** Notes that it is asked in this term. False: it was asked too often, and has failed. */
  ask(term: string): boolean {
    this.#askedIn = term
    this.#seen = nothingGiven()
    if (this.#attempts++ <= MAX_REPLAYS) return true
    this.#lose(`The engine died ${this.#attempts - 1} times under this request.`)
    return false
  }

  receive(body: AnswerBody): void {
    switch (body.type) {
      case 'started':
        this.#resolve(this.#stream)
        return
      case 'part':
        this.#pass(body.part)
        return
      case 'completed':
        this.#onEnd('there')
        this.#resolve(body.completion)
        return
      case 'ended':
        this.#onEnd('there')
        this.#stream.finish()
        return
      case 'failed': {
        this.#onEnd('there')
        const error = EngineError.fromData(body.error)
        this.#reject(error)
        this.#stream.fail(error)
      }
    }
  }

  /** The caller gave up, or the engine was disposed of: what is not read yet is dropped. */
  cancel(reason: unknown): void {
    this.#onEnd('here')
    this.#reject(reason)
    this.#stream.fail(reason, { discard: true })
  }

  #lose(message: string): void {
    const error = new EngineError('worker-lost', `${message} Ask again.`)
    this.#onEnd('here')
    this.#reject(error)
    this.#stream.fail(error)
  }

  /**
   * Passes on what of a chunk is new to the reader. A repeated answer's chunks may be cut otherwise than
   * before.
   */
  #pass(part: ChatCompletionChunk): void {
    this.#head ??= { id: part.id, created: part.created }
    const given = this.#given
    const before = this.#seen
    const after = sum(before, part)
    const known = given.text.slice(before.text.length, after.text.length)
    const [choice] = part.choices
    const text = choice?.delta.content ?? ''
    if (!text.startsWith(known)) {
      this.#lose('The engine died in the middle of this answer, and its successor answers otherwise.')
      return
    }
    this.#seen = after
    const isEnd = choice === undefined || choice.finish_reason !== null
    if (!isEnd && !exceeds(after, given)) return
    const rest = <T>(list: readonly T[], had: number, at: number): T[] => list.slice(Math.max(0, had - at))
    const fresh: ChatCompletionChunk = { ...part, ...this.#head }
    fresh.choices = part.choices.map(({ delta, logprobs, ...others }) => ({
      ...others,
      delta: delta.content === undefined ? delta : { ...delta, content: text.slice(known.length) },
      logprobs: logprobs && { content: rest(logprobs.content, given.logprobs, before.logprobs) },
    }))
    if (part.minnow !== undefined) {
      const { tokenIds, signals } = part.minnow
      fresh.minnow = { ...part.minnow }
      if (tokenIds) fresh.minnow.tokenIds = rest(tokenIds, given.tokenIds, before.tokenIds)
      if (signals) fresh.minnow.signals = rest(signals, given.signals, before.signals)
    }
    if (exceeds(after, given)) this.#given = after
    this.#stream.push([fresh])
  }
}

function nothingGiven(): Given {
  return { role: false, text: '', logprobs: 0, tokenIds: 0, signals: 0 }
}

function sum(given: Given, { choices, minnow }: ChatCompletionChunk): Given {
  const [choice] = choices
  return {
    role: given.role || choice?.delta.role !== undefined,
    text: given.text + (choice?.delta.content ?? ''),
    logprobs: given.logprobs + (choice?.logprobs?.content.length ?? 0),
    tokenIds: given.tokenIds + (minnow?.tokenIds?.length ?? 0),
    signals: given.signals + (minnow?.signals?.length ?? 0),
  }
}

/**
 * Whether `a` holds anything that `b` lacks; they are of the same answer, so one of them is the other's
 * beginning.
 */
function exceeds(a: Given, b: Given): boolean {
  return (
    (a.role && !b.role) ||
    a.text.length > b.text.length ||
    a.logprobs > b.logprobs ||
    a.tokenIds > b.tokenIds ||
    a.signals > b.signals
  )
}
