import type { TextMessage } from '../contract/chat-messages'
import type { ChatCompletionParams, Engine, MinnowChunkPart, Usage } from '../contract/engine'
import type { RouteRequest, SettledRoute } from '../contract/route'
import type { ChatEngine } from './chat-engine'
import { toMessages } from './chat-messages'
import type { ChatOptions } from './chat-options'
import { unrouted } from './chat-route'
import type { ChatSettings } from './chat-settings'
import type { Turn } from './turn'

/** How a turn is asked. */
export interface Asking {
  readonly route?: RouteRequest
  readonly temperature?: number
  /** Goes on with the answer that is there. */
  readonly continues?: boolean
}

/** What was seen of a stream. */
export interface Seen {
  id: string | null
  /** Whose text came last. */
  model: string | null
}

/** What a turn is asked in. */
export interface TurnContext {
  readonly conversation: string
  readonly settings: ChatSettings
  /** From the first turn to this one. */
  readonly path: readonly Turn[]
}

/** Asks for a turn's answer and writes it into the turn as it comes. */
export class TurnWriter {
  readonly #options: ChatOptions
  readonly #engine: ChatEngine

  constructor(options: ChatOptions, engine: ChatEngine) {
    this.#options = options
    this.#engine = engine
  }

  /**
   * Resolves when it is complete.
   * @param contextOf is called once there is an engine
   * @param seen is filled in also where this rejects
   */
  async write(
    turn: Turn,
    contextOf: () => TurnContext,
    asking: Asking,
    seen: Seen,
    signal: AbortSignal,
  ): Promise<void> {
    const { events, route = (engine: Engine) => engine } = this.#options
    const local = await abortable(this.#engine.load(), signal)
    const engine = await abortable(Promise.resolve(route(local, turn)), signal)
    const params = await this.#paramsOf(turn, contextOf(), asking, local.info.contextLength, signal)
    const chunks = await engine.chat.completions.create(params, { signal })
    turn.tokens =
      params.logprobs === true && (asking.continues !== true || turn.tokens !== null)
        ? (turn.tokens ?? [])
        : null
    let settled: SettledRoute | null = null
    // Of an answer asked for again, the old text stays until there is a new one.
    let isOld = turn.answer !== '' && asking.continues !== true
    const usedBefore = asking.continues === true ? turn.usage : null
    for await (const chunk of chunks) {
      const [choice] = chunk.choices
      const event = chunk.minnow?.route
      seen.id = chunk.id
      if (event?.type === 'settled') settled = event
      else if (event !== undefined) {
        turn.progress = event
        if (event.type !== 'asking') this.#replace(turn, '')
        events.turnChanged(turn)
      }
      this.#takeNotes(turn, chunk.minnow)
      const text = choice?.delta.content ?? ''
      if (choice?.logprobs && turn.tokens !== null) turn.tokens.push(...choice.logprobs.content)
      if (text !== '') {
        if (isOld) this.#replace(turn, '')
        isOld = false
        seen.model = chunk.model
        turn.answer += text
        if (turn.state === 'waiting') {
          turn.state = 'answering'
          events.turnChanged(turn)
        }
        events.answerGrew(turn, text)
      }
      if (choice?.finish_reason) turn.state = choice.finish_reason === 'stop' ? 'done' : 'cut'
      if (chunk.usage) turn.usage = sumOf(usedBefore, chunk.usage)
    }
    turn.route = settled ?? unrouted(seen.id ?? '', local.info.model)
    turn.said = null
    const { kind } = turn.route.source
    // The figures are this device's.
    if (turn.usage !== null && kind !== 'remote' && kind !== 'cache') events.measured(turn.usage, local.info)
  }

  async #paramsOf(
    turn: Turn,
    { conversation, settings, path }: TurnContext,
    asking: Asking,
    contextLength: number,
    signal: AbortSignal,
  ): Promise<ChatCompletionParams & { stream: true }> {
    const { prepare = (messages: readonly TextMessage[]) => messages, wantsTokens = () => false } =
      this.#options
    const { system, temperature, topP, maxTokens, mode } = settings
    const { continues = false, route = {} } = asking
    const { messages, skipped } = toMessages(
      system,
      path,
      contextLength - Math.min(maxTokens, contextLength / 2),
    )
    turn.skipped = skipped
    if (continues) messages.push({ role: 'assistant', content: turn.answer })
    const wantsLogprobs = wantsTokens() && route.mode !== 'only-in-cloud'
    return {
      messages: await abortable(Promise.resolve(prepare(messages, turn, signal)), signal),
      max_tokens: maxTokens,
      temperature: asking.temperature ?? temperature,
      top_p: topP,
      // Small models fall into loops without it.
      repetition_penalty: 1.1,
      stream: true,
      stream_options: { include_usage: true },
      ...(wantsLogprobs ? { logprobs: true, top_logprobs: 5 } : {}),
      minnow: {
        ...(continues ? { continueAnswer: true } : {}),
        route: { scope: conversation, ...(mode === null ? {} : { mode }), ...route },
      },
    }
  }

  /** What a job tells beside the text. */
  #takeNotes(turn: Turn, { citations, progress, preset }: MinnowChunkPart = {}): void {
    if (citations === undefined && progress === undefined && preset === undefined) return
    turn.citations = citations ?? turn.citations
    turn.steps = progress ?? turn.steps
    turn.fault = preset?.fault ?? null
    this.#options.events.turnChanged(turn)
  }

  #replace(turn: Turn, text: string): void {
    turn.answer = text
    turn.corrected = false
    if (turn.tokens !== null) turn.tokens = []
    this.#options.events.answerReplaced(turn)
  }

  /** What was written down of an answer that was seen to begin. */
  async trace({ id }: Seen): Promise<SettledRoute | null> {
    return id === null ? null : ((await this.#options.trace?.(id).catch(() => null)) ?? null)
  }

  /** Also of a part of an answer is told whose it is, and what was sent for it. */
  async traceOf(turn: Turn, seen: Seen): Promise<void> {
    const { id, model } = seen
    if (id === null) return
    const local = await this.#engine.current?.then(
      ({ info }) => info.model,
      () => null,
    )
    if (local === null || local === undefined) return
    const base = (await this.trace(seen)) ?? unrouted(id, local)
    const isRemote = model !== null && model !== local
    const source = isRemote ? ({ kind: 'remote', model, verifiedBy: null } as const) : base.source
    if (turn.answer !== '' || base.sent.length > 0) turn.route = { ...base, source }
  }
}

/** What an answer took that was gone on with. */
function sumOf(before: Usage | null, after: Usage): Usage {
  if (before === null) return after
  const { timeToFirstTokenMs, prefillMs, decodeMs } = before.minnow
  return {
    ...after,
    completion_tokens: before.completion_tokens + after.completion_tokens,
    minnow: {
      ...after.minnow,
      timeToFirstTokenMs,
      prefillMs: prefillMs + after.minnow.prefillMs,
      decodeMs: decodeMs + after.minnow.decodeMs,
    },
  }
}

/** `promise`, or the signal's reason as soon as it fires; the promise itself goes on. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
