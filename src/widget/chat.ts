import type {
  ChatCompletionParams,
  ChatMessage,
  Engine,
  EngineInfo,
  MinnowChunkPart,
  Usage,
} from '../contract/engine'
import type { RouteRequest, SettledRoute } from '../contract/route'
import { notSentError } from '../router/not-sent'
import { ChatEngine, type EngineState, type OpenEngine } from './chat-engine'
import { toMessages } from './chat-messages'
import { keptRoute, reasonOf, unrouted } from './chat-route'
import { DEFAULT_CHAT_SETTINGS, type ChatSettings } from './chat-settings'
import { takeLate, turnOfLate, type LateAnswer } from './late-answer'
import { canContinue, isUnderWay, newTurn, type Turn, type TurnJob } from './turn'
import { TurnTree } from './turn-tree'

/** What is shown is told through these; the chat knows no DOM. */
export interface ChatEvents {
  engineChanged(state: EngineState): void
  /** Other turns are shown, or one more; oldest first. */
  turnsChanged(turns: readonly Turn[]): void
  answerGrew(turn: Turn, text: string): void
  /** `turn.answer` is another text as a whole. */
  answerReplaced(turn: Turn): void
  turnChanged(turn: Turn): void
  measured(usage: Usage, info: EngineInfo): void
  /** `retry` does again what failed: the answer of `turn`, or without one the load. */
  failed(error: unknown, retry: () => void, turn: Turn | null): void
}

export interface ChatOptions {
  open: OpenEngine
  events: ChatEvents
  /** Who is asked, for each turn anew: the local engine, or what stands over it. Default: the local engine. */
  route?(local: Engine, turn: Turn): Engine | Promise<Engine>
  /** What a router wrote down of an answer that was stopped or failed. */
  trace?(id: string): Promise<SettledRoute | null>
  /** Changes what is sent for a turn: passages of documents, examples. Default: the conversation as it is. */
  prepare?(
    messages: readonly ChatMessage[],
    turn: Turn,
    signal: AbortSignal,
  ): Promise<readonly ChatMessage[]> | readonly ChatMessage[]
  /** Whether to ask for the probabilities of tokens. Default: never. */
  wantsTokens?(): boolean
}

/** A conversation as it is kept. */
export interface ChatContent {
  readonly id: string
  readonly turns: Iterable<Turn>
  /** Id of the last turn that is shown; null: the newest. */
  readonly leaf: string | null
  readonly settings: ChatSettings
}

/** A conversation with one engine: loads it, asks, stops, starts again after a failure. */
export class Chat {
  readonly #options: ChatOptions
  readonly #engine: ChatEngine
  #tree = new TurnTree()
  #running: { turn: Turn; controller: AbortController; done: Promise<void> } | null = null
  /** Of the conversation; consent to send is remembered for it. */
  #id: string = crypto.randomUUID()
  settings: ChatSettings = DEFAULT_CHAT_SETTINGS

  constructor(options: ChatOptions) {
    this.#options = options
    this.#engine = new ChatEngine(options.open, (state) => options.events.engineChanged(state))
  }

  /** Whether something is being answered; what is stopped no longer is. */
  get busy(): boolean {
    return this.#running !== null && !this.#running.controller.signal.aborted
  }

  /** The turn that is being answered. */
  get answering(): Turn | null {
    return this.busy ? (this.#running?.turn ?? null) : null
  }

  get id(): string {
    return this.#id
  }

  /** The turns that are shown, oldest first. */
  get turns(): Turn[] {
    return this.#tree.path()
  }

  /** All turns, those of other branches too. */
  get allTurns(): Turn[] {
    return this.#tree.all()
  }

  /** The turns that may be shown in this one's place, itself among them, oldest first. */
  siblings(turn: Turn): readonly Turn[] {
    return this.#tree.siblings(turn)
  }

  /** Starts to load the engine, unless it is there or on its way. */
  load(): void {
    const engine = this.#engine.load()
    engine.catch((error: unknown) => {
      const { current } = this.#engine
      const isReplaced = current !== null && current !== engine
      // Whoever asks meanwhile fails with the same error and shows it with the question.
      if (this.#running === null && !isReplaced) this.#options.events.failed(error, () => this.load(), null)
    })
  }

  /** The local engine, once it is loaded. Loads it, unless it is there or on its way. */
  engine(): Promise<Engine> {
    return this.#engine.load()
  }

  /** Stops, gives up the engine, and loads the one that `open` gives now; the conversation stays. */
  reload(): void {
    this.release()
    this.load()
  }

  /** Stops and gives up the engine; the next question opens it anew. */
  release(): void {
    this.stop()
    this.#engine.drop()
  }

  /**
   * Asks, once the engine is ready. Resolves when the answer is complete, stopped or failed; never rejects. False where
   * something else is being answered: then nothing was asked.
   */
  async ask(question: string, job: TurnJob | null = null): Promise<boolean> {
    return this.#whenFree(() => this.#askNew(question, this.turns.at(-1)?.id ?? null, job))
  }

  /** Asks something else in the place of a turn, which stays beside it. */
  async edit(turn: Turn, question: string): Promise<void> {
    // Other jobs are not told by their question.
    const job = turn.job?.type === 'documents' ? turn.job : null
    await this.#whenFree(() => this.#askNew(question, turn.parent, job))
  }

  /** Another answer to the same question; the old one stays beside it. */
  async regenerate(turn: Turn): Promise<void> {
    // At the usual temperature a small model would say the same again.
    const temperature = Math.max(0.7, this.settings.temperature)
    await this.#whenFree(() => this.#askNew(turn.question, turn.parent, turn.job, { temperature }))
  }

  /** Goes on with an answer that was cut or stopped, on this device. */
  async continueAnswer(turn: Turn): Promise<void> {
    if (canContinue(turn)) await this.#whenFree(() => this.#continueAnswer(turn))
  }

  async #continueAnswer(turn: Turn): Promise<void> {
    const { state, answer } = turn
    turn.state = 'answering'
    await this.#run(
      turn,
      async (signal) => {
        this.#options.events.turnChanged(turn)
        try {
          const asking: Asking = { continues: true, route: { mode: 'only-on-device' } }
          await this.#answer(turn, asking, { id: null, model: null }, signal)
        } catch (error) {
          if (turn.answer === answer) turn.state = state
          throw error
        }
      },
      () => void this.continueAnswer(turn),
    )
  }

  /** Puts a reader's words in the place of an answer; what is asked later builds on them. */
  correct(turn: Turn, answer: string): void {
    if (this.#tree.get(turn.id) !== turn || isUnderWay(turn)) return
    Object.assign(turn, { answer, corrected: true, state: 'done', tokens: null })
    this.#options.events.answerReplaced(turn)
  }

  /** Asks a remote for another answer of a turn. The old one stays until the new one begins, and where that fails. */
  async askBigger(turn: Turn): Promise<void> {
    if (this.#tree.get(turn.id) === turn) await this.#whenFree(() => this.#askBigger(turn))
  }

  async #askBigger(turn: Turn): Promise<void> {
    const { events } = this.#options
    const { answer, corrected, state, route, usage, tokens } = turn
    turn.state = 'waiting'
    await this.#run(
      turn,
      async (signal) => {
        const seen: Seen = { id: null, model: null }
        events.turnChanged(turn)
        try {
          if (this.settings.mode === 'only-on-device') throw notSentError('mode', null)
          await this.#answer(turn, { route: { mode: 'only-in-cloud' } }, seen, signal)
        } catch (error) {
          Object.assign(turn, { answer, corrected, state, usage, tokens })
          events.answerReplaced(turn)
          turn.route = keptRoute(route, await this.#trace(seen), signal.aborted ? null : error)
          // Whoever said no knows it.
          if (!signal.aborted && reasonOf(error) !== 'no-consent') throw error
        }
      },
      () => void this.askBigger(turn),
    )
  }

  /** Shows a turn instead of its siblings. */
  select(turn: Turn): void {
    if (this.busy) return
    this.#tree.select(turn)
    this.#options.events.turnsChanged(this.turns)
  }

  /** Takes over what another tab wrote of this conversation. */
  merge(turns: readonly Turn[]): void {
    for (const turn of turns) {
      const known = this.#tree.get(turn.id)
      if (known === undefined) this.#tree.insert(turn)
      else if (known !== this.#running?.turn) {
        const { answer, corrected, state, route, usage, citations, fault, said } = turn
        Object.assign(known, { answer, corrected, state, route, usage, citations, fault, said })
      }
    }
    this.#options.events.turnsChanged(this.turns)
  }

  /** Shows an answer that came later: a question had waited for the network. False where it is of another conversation. */
  async settle(late: LateAnswer): Promise<boolean> {
    const { events } = this.#options
    const isNew = turnOfLate(this.#tree, late) === undefined
    // A new turn comes after the one that runs.
    if (isNew) await this.#running?.done
    if (late.conversation !== this.#id) return false
    const turn = takeLate(this.#tree, late)
    if (isNew) events.turnsChanged(this.turns)
    events.answerReplaced(turn)
    events.turnChanged(turn)
    return true
  }

  /** Stops the answer that runs, if one does. */
  stop(): void {
    this.#running?.controller.abort()
  }

  /** Stops and begins a new conversation with the settings of always. */
  clear(): void {
    this.show({ id: crypto.randomUUID(), turns: [], leaf: null, settings: DEFAULT_CHAT_SETTINGS })
  }

  /** Stops and shows a conversation. */
  show({ id, turns, leaf, settings }: ChatContent): void {
    this.stop()
    this.#id = id
    this.#tree = new TurnTree(turns, leaf)
    this.settings = settings
    this.#options.events.turnsChanged(this.turns)
  }

  async #askNew(
    question: string,
    parent: string | null,
    job: TurnJob | null,
    asking: Asking = {},
  ): Promise<void> {
    const turn = newTurn(question, this.#id, parent, job)
    this.#tree.add(turn)
    await this.#runNew(turn, asking)
  }

  async #runNew(turn: Turn, asking: Asking): Promise<void> {
    await this.#run(
      turn,
      async (signal) => {
        const seen: Seen = { id: null, model: null }
        this.#options.events.turnsChanged(this.turns)
        try {
          await this.#answer(turn, asking, seen, signal)
        } catch (error) {
          await this.#traceOf(turn, seen)
          throw error
        }
      },
      () => {
        if (this.#running !== null) return
        const { id, at } = turn
        Object.assign(turn, newTurn(turn.question, turn.conversation, turn.parent, turn.job), { id, at })
        this.#options.events.answerReplaced(turn)
        void this.#runNew(turn, asking)
      },
    )
  }

  async #run(turn: Turn, work: (signal: AbortSignal) => Promise<void>, again: () => void): Promise<void> {
    const { events } = this.#options
    const controller = new AbortController()
    let finish = (): void => undefined
    const done = new Promise<void>((resolve) => {
      finish = resolve
    })
    this.#running = { turn, controller, done }
    try {
      await work(controller.signal)
    } catch (error) {
      if (controller.signal.aborted) {
        if (isUnderWay(turn)) turn.state = 'stopped'
      } else {
        if (isUnderWay(turn)) turn.state = 'failed'
        await this.#engine.dropLost(error)
        events.failed(error, again, turn)
      }
    } finally {
      turn.progress = null
      turn.steps = null
      this.#running = null
      events.turnChanged(turn)
      finish()
    }
  }

  /** Once what was stopped has ended, and unless something is being answered; tells whether it was done. */
  async #whenFree(work: () => Promise<void>): Promise<boolean> {
    while (this.#running?.controller.signal.aborted === true) await this.#running.done
    if (this.#running !== null) return false
    await work()
    return true
  }

  async #answer(turn: Turn, asking: Asking, seen: Seen, signal: AbortSignal): Promise<void> {
    const { events, route = (engine: Engine) => engine } = this.#options
    const local = await abortable(this.#engine.load(), signal)
    const engine = await abortable(Promise.resolve(route(local, turn)), signal)
    const params = await this.#paramsOf(turn, asking, local.info.contextLength, signal)
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
    asking: Asking,
    contextLength: number,
    signal: AbortSignal,
  ): Promise<ChatCompletionParams & { stream: true }> {
    const { prepare = (messages: readonly ChatMessage[]) => messages, wantsTokens = () => false } =
      this.#options
    const { system, temperature, topP, maxTokens, mode } = this.settings
    const { continues = false, route = {} } = asking
    const { messages, skipped } = toMessages(
      system,
      this.#tree.pathTo(turn),
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
        route: { scope: this.#id, ...(mode === null ? {} : { mode }), ...route },
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
  async #trace({ id }: Seen): Promise<SettledRoute | null> {
    return id === null ? null : ((await this.#options.trace?.(id).catch(() => null)) ?? null)
  }

  /** Also of a part of an answer is told whose it is, and what was sent for it. */
  async #traceOf(turn: Turn, seen: Seen): Promise<void> {
    const { id, model } = seen
    if (id === null) return
    const local = await this.#engine.current?.then(
      ({ info }) => info.model,
      () => null,
    )
    if (local === null || local === undefined) return
    const base = (await this.#trace(seen)) ?? unrouted(id, local)
    const isRemote = model !== null && model !== local
    const source = isRemote ? ({ kind: 'remote', model, verifiedBy: null } as const) : base.source
    if (turn.answer !== '' || base.sent.length > 0) turn.route = { ...base, source }
  }
}

/** How a turn is asked. */
interface Asking {
  readonly route?: RouteRequest
  readonly temperature?: number
  /** Goes on with the answer that is there. */
  readonly continues?: boolean
}

/** What was seen of a stream. */
interface Seen {
  id: string | null
  /** Whose text came last. */
  model: string | null
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
