import type { ChatMessage, Engine, EngineInfo, LoadProgress, Usage } from '../contract/engine'
import { isEngineError } from '../contract/error'
import type { RouteEvent, RouteReason, RouteRequest, SettledRoute } from '../contract/route'

/** What a router says while it works. */
export type RouteProgress = Exclude<RouteEvent, SettledRoute>

export interface Turn {
  readonly question: string
  answer: string
  /** 'waiting' until the first token; 'stopped' keeps what was answered so far. */
  state: 'waiting' | 'answering' | 'done' | 'cut' | 'stopped' | 'failed'
  /** The newest word of the router on this turn, until it is settled. */
  progress: RouteProgress | null
  /** Whose answer it is, and why; null until it is settled. */
  route: SettledRoute | null
  usage: Usage | null
}

export type EngineState =
  | { phase: 'loading'; progress: LoadProgress | null }
  | { phase: 'ready'; info: EngineInfo }
  | { phase: 'failed' }

/** What the page shows is told through these; the chat knows no DOM. */
export interface ChatEvents {
  engineChanged(state: EngineState): void
  turnAdded(turn: Turn): void
  answerGrew(turn: Turn, text: string): void
  /** `turn.answer` is another text as a whole. */
  answerReplaced(turn: Turn): void
  turnChanged(turn: Turn): void
  turnsCleared(): void
  measured(usage: Usage, info: EngineInfo): void
  /** `retry` does again what failed. */
  failed(error: unknown, retry: () => void): void
}

/** Without one, the embedded model's template says it is a model of another name, and it answers worse. */
const SYSTEM_MESSAGE = 'You are a helpful assistant.'

export interface ChatOptions {
  open(options: { onProgress(progress: LoadProgress): void; signal: AbortSignal }): Promise<Engine>
  events: ChatEvents
  /** Who is asked, for each question anew: the local engine, or a router over it. Default: the local engine. */
  route?(local: Engine): Engine | Promise<Engine>
  /** What a router wrote down of an answer that was stopped or failed. */
  trace?(id: string): Promise<SettledRoute | null>
  /** Default 512. */
  maxTokens?: number
}

/** A conversation with one engine: loads it, asks, stops, starts again after a failure. */
export class Chat {
  readonly #options: ChatOptions
  #engine: Promise<Engine> | null = null
  #loading = new AbortController()
  #turns: Turn[] = []
  #running: { turn: Turn; controller: AbortController } | null = null
  /** What consent to send is remembered for. */
  #scope: string = crypto.randomUUID()

  constructor(options: ChatOptions) {
    this.#options = options
  }

  get busy(): boolean {
    return this.#running !== null
  }

  /** Starts to load the engine, unless it is there or on its way. */
  load(): void {
    const engine = this.#loadEngine()
    engine.catch((error: unknown) => {
      const isReplaced = this.#engine !== null && this.#engine !== engine
      // Whoever asks meanwhile fails with the same error and shows it with the question.
      if (this.#running === null && !isReplaced) this.#options.events.failed(error, () => this.load())
    })
  }

  /** Stops, gives up the engine, and loads the one that `open` gives now; the conversation stays. */
  reload(): void {
    this.stop()
    this.#loading.abort()
    this.#engine?.then((engine) => engine.dispose()).catch(() => undefined)
    this.#engine = null
    this.load()
  }

  /** Asks, once the engine is ready. Resolves when the answer is complete, stopped or failed; never rejects. */
  async ask(question: string): Promise<void> {
    if (this.#running !== null) return
    const turn = newTurn(question)
    this.#turns.push(turn)
    this.#options.events.turnAdded(turn)
    await this.#run(
      turn,
      async (signal) => {
        const seen: Seen = { id: null, model: null }
        try {
          await this.#answer(turn, {}, seen, signal)
        } catch (error) {
          await this.#traceOf(turn, seen)
          throw error
        }
      },
      () => this.#askAgain(turn),
    )
  }

  /** Asks a remote for another answer of a turn. The old one stays until the new one begins, and where that fails. */
  async askBigger(turn: Turn): Promise<void> {
    if (this.#running !== null || !this.#turns.includes(turn)) return
    const { events } = this.#options
    const { answer, state, route, usage } = turn
    turn.state = 'waiting'
    await this.#run(
      turn,
      async (signal) => {
        const seen: Seen = { id: null, model: null }
        events.turnChanged(turn)
        try {
          await this.#answer(turn, { mode: 'only-in-cloud' }, seen, signal)
        } catch (error) {
          Object.assign(turn, { answer, state, usage })
          events.answerReplaced(turn)
          turn.route = await this.#keptRoute(route, seen, signal.aborted ? null : error)
          // Whoever said no knows it.
          if (!signal.aborted && reasonOf(error) !== 'no-consent') throw error
        }
      },
      () => void this.askBigger(turn),
    )
  }

  /** Shows an answer that came later: a question had waited for the network. */
  settle(id: string, question: string, answer: string, route: SettledRoute): void {
    const { events } = this.#options
    const known = this.#turns.find((turn) => turn.route?.id === id)
    const turn = known ?? newTurn(question)
    Object.assign(turn, { answer, route, state: 'done', usage: null })
    if (known === undefined) {
      // The turn that runs stays the last one, as its question is the last message.
      this.#turns.splice(this.#running === null ? this.#turns.length : -1, 0, turn)
      events.turnAdded(turn)
    }
    events.answerReplaced(turn)
    events.turnChanged(turn)
  }

  /** Stops the answer that runs, if one does. */
  stop(): void {
    this.#running?.controller.abort()
  }

  /** Stops and forgets all turns. */
  clear(): void {
    this.stop()
    this.#turns = []
    this.#scope = crypto.randomUUID()
    this.#options.events.turnsCleared()
  }

  async #run(turn: Turn, work: (signal: AbortSignal) => Promise<void>, again: () => void): Promise<void> {
    const { events } = this.#options
    const controller = new AbortController()
    this.#running = { turn, controller }
    try {
      await work(controller.signal)
    } catch (error) {
      if (controller.signal.aborted) turn.state = 'stopped'
      else {
        if (isUnderWay(turn)) turn.state = 'failed'
        await this.#dropLostEngine(error)
        events.failed(error, again)
      }
    } finally {
      turn.progress = null
      this.#running = null
      events.turnChanged(turn)
    }
  }

  #askAgain(turn: Turn): void {
    if (this.#running !== null) return
    const turns = this.#turns.filter((other) => other !== turn)
    this.#turns = []
    this.#options.events.turnsCleared()
    for (const other of turns) {
      this.#turns.push(other)
      this.#options.events.turnAdded(other)
    }
    void this.ask(turn.question)
  }

  async #answer(turn: Turn, request: RouteRequest, seen: Seen, signal: AbortSignal): Promise<void> {
    const { events, maxTokens = 512, route = (engine: Engine) => engine } = this.#options
    const local = await abortable(this.#loadEngine(), signal)
    const engine = await abortable(Promise.resolve(route(local)), signal)
    const chunks = await engine.chat.completions.create(
      {
        messages: toMessages(this.#turns.slice(0, this.#turns.indexOf(turn) + 1)),
        max_tokens: maxTokens,
        temperature: 0.2,
        top_p: 0.9,
        // Small models fall into loops without it.
        repetition_penalty: 1.1,
        stream: true,
        stream_options: { include_usage: true },
        minnow: { route: { scope: this.#scope, ...request } },
      },
      { signal },
    )
    let settled: SettledRoute | null = null
    // Of an answer asked for again, the old text stays until there is a new one.
    let isOld = turn.answer !== ''
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
      const text = choice?.delta.content ?? ''
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
      turn.usage = chunk.usage ?? turn.usage
    }
    turn.route = settled ?? unrouted(seen.id ?? '', local.info.model)
    const { kind } = turn.route.source
    // The figures are this device's.
    if (turn.usage !== null && kind !== 'remote' && kind !== 'cache') events.measured(turn.usage, local.info)
  }

  #replace(turn: Turn, text: string): void {
    turn.answer = text
    this.#options.events.answerReplaced(turn)
  }

  /** Also of a part of an answer is told whose it is, and what was sent for it. */
  async #traceOf(turn: Turn, { id, model }: Seen): Promise<void> {
    if (id === null || this.#engine === null) return
    const local = await this.#engine.then(
      ({ info }) => info.model,
      () => null,
    )
    if (local === null) return
    const base = (await this.#options.trace?.(id).catch(() => null)) ?? unrouted(id, local)
    const isRemote = model !== null && model !== local
    const source = isRemote ? ({ kind: 'remote', model, verifiedBy: null } as const) : base.source
    if (turn.answer !== '' || base.sent.length > 0) turn.route = { ...base, source }
  }

  /** Of an answer that was to be replaced and was not. What was sent for that is told with it. */
  async #keptRoute(route: SettledRoute | null, { id }: Seen, error: unknown): Promise<SettledRoute | null> {
    if (route === null || reasonOf(error) === 'no-consent') return route
    const trace = id === null ? null : await this.#options.trace?.(id).catch(() => null)
    const kept = { ...route, sent: [...route.sent, ...(trace?.sent ?? [])] }
    if (error === null) return kept
    const spentUsd = route.cost.spentUsd + (trace?.cost.spentUsd ?? 0)
    const reason = reasonOf(error) ?? 'remote-failed'
    return {
      ...kept,
      source: { ...route.source, kind: 'unverified', verifiedBy: null },
      decision: { ...route.decision, action: 'local', stage: 'after', reason },
      cost: { ...route.cost, spentUsd },
      errorCode: isEngineError(error) ? error.code : 'internal',
    }
  }

  #loadEngine(): Promise<Engine> {
    this.#engine ??= this.#openEngine()
    return this.#engine
  }

  async #openEngine(): Promise<Engine> {
    const { open, events } = this.#options
    const { signal } = (this.#loading = new AbortController())
    events.engineChanged({ phase: 'loading', progress: null })
    try {
      const engine = await open({
        signal,
        onProgress: (progress) => {
          if (!signal.aborted) events.engineChanged({ phase: 'loading', progress })
        },
      })
      if (!signal.aborted) events.engineChanged({ phase: 'ready', info: engine.info })
      return engine
    } catch (error) {
      if (!signal.aborted) {
        this.#engine = null
        events.engineChanged({ phase: 'failed' })
      }
      throw error
    }
  }

  /** An engine whose worker died is of no more use: the next question opens a new one. */
  async #dropLostEngine(error: unknown): Promise<void> {
    if (!(error instanceof Error && 'code' in error && error.code === 'worker-lost')) return
    const lost = this.#engine
    if (lost === null) return
    this.#engine = null
    this.#options.events.engineChanged({ phase: 'failed' })
    await (await lost).dispose()
  }
}

/** What was seen of a stream. */
interface Seen {
  id: string | null
  /** Whose text came last. */
  model: string | null
}

function newTurn(question: string): Turn {
  return { question, answer: '', state: 'waiting', progress: null, route: null, usage: null }
}

function isUnderWay({ state }: Turn): boolean {
  return state === 'waiting' || state === 'answering'
}

/** Why a router did not send. */
function reasonOf(error: unknown): RouteReason | null {
  const reason = isEngineError(error) ? error.details['reason'] : undefined
  return typeof reason === 'string' ? (reason as RouteReason) : null
}

/** What there is to tell of an answer without a router. */
function unrouted(id: string, model: string): SettledRoute {
  return {
    type: 'settled',
    id,
    source: { kind: 'local', model, verifiedBy: null },
    confidence: null,
    decision: {
      action: 'local',
      stage: 'rules',
      reason: 'no-remote',
      confidence: null,
      threshold: null,
      rule: null,
    },
    sent: [],
    cost: { spentUsd: 0, savedUsd: 0, priced: false },
    errorCode: null,
    human: false,
  }
}

/** The conversation as the engine takes it; a turn that failed before its answer is left out. */
function toMessages(turns: readonly Turn[]): ChatMessage[] {
  const messages: ChatMessage[] = [{ role: 'system', content: SYSTEM_MESSAGE }]
  turns.forEach((turn, index) => {
    const isLast = index === turns.length - 1
    if (!isLast && turn.answer === '') return
    messages.push({ role: 'user', content: turn.question })
    if (!isLast) messages.push({ role: 'assistant', content: turn.answer })
  })
  return messages
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
