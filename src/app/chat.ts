import type { ChatMessage, Engine, EngineInfo, LoadProgress, Usage } from '../contract/engine'

export interface Turn {
  readonly question: string
  answer: string
  /** 'waiting' until the first token; 'stopped' keeps what was answered so far. */
  state: 'waiting' | 'answering' | 'done' | 'cut' | 'stopped' | 'failed'
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
    const { events } = this.#options
    const turn: Turn = { question, answer: '', state: 'waiting' }
    const controller = new AbortController()
    this.#running = { turn, controller }
    this.#turns.push(turn)
    events.turnAdded(turn)
    try {
      await this.#answer(turn, controller.signal)
    } catch (error) {
      if (controller.signal.aborted) turn.state = 'stopped'
      else {
        turn.state = 'failed'
        await this.#dropLostEngine(error)
        events.failed(error, () => this.#askAgain(turn))
      }
    } finally {
      this.#running = null
      events.turnChanged(turn)
    }
  }

  /** Stops the answer that runs, if one does. */
  stop(): void {
    this.#running?.controller.abort()
  }

  /** Stops and forgets all turns. */
  clear(): void {
    this.stop()
    this.#turns = []
    this.#options.events.turnsCleared()
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

  async #answer(turn: Turn, signal: AbortSignal): Promise<void> {
    const { events, maxTokens = 512 } = this.#options
    const engine = await abortable(this.#loadEngine(), signal)
    const chunks = await engine.chat.completions.create(
      {
        messages: toMessages(this.#turns),
        max_tokens: maxTokens,
        temperature: 0.2,
        top_p: 0.9,
        // Small models fall into loops without it.
        repetition_penalty: 1.1,
        stream: true,
        stream_options: { include_usage: true },
      },
      { signal },
    )
    for await (const chunk of chunks) {
      const [choice] = chunk.choices
      const text = choice?.delta.content ?? ''
      if (text !== '') {
        turn.answer += text
        if (turn.state === 'waiting') {
          turn.state = 'answering'
          events.turnChanged(turn)
        }
        events.answerGrew(turn, text)
      }
      if (choice?.finish_reason === 'length') turn.state = 'cut'
      if (choice?.finish_reason === 'stop') turn.state = 'done'
      if (chunk.usage) events.measured(chunk.usage, engine.info)
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
