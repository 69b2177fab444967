import type { Engine } from '../contract/engine'
import { notSentError } from '../router/not-sent'
import { ChatEngine } from './chat-engine'
import type { ChatOptions } from './chat-options'
import { keptRoute, reasonOf } from './chat-route'
import { DEFAULT_CHAT_SETTINGS, type ChatSettings } from './chat-settings'
import { takeLate, turnOfLate, type LateAnswer } from './late-answer'
import { canContinue, isUnderWay, newTurn, type Turn, type TurnJob } from './turn'
import { TurnTree } from './turn-tree'
import { TurnWriter, type Asking, type Seen, type TurnContext } from './turn-writer'

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
  readonly #writer: TurnWriter
  #tree = new TurnTree()
  #running: { turn: Turn; controller: AbortController; done: Promise<void> } | null = null
  /** Of the conversation; consent to send is remembered for it. */
  #id: string = crypto.randomUUID()
  settings: ChatSettings = DEFAULT_CHAT_SETTINGS

  constructor(options: ChatOptions) {
    this.#options = options
    this.#engine = new ChatEngine(options.open, (state) => options.events.engineChanged(state))
    this.#writer = new TurnWriter(options, this.#engine)
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
          await this.#write(turn, asking, { id: null, model: null }, signal)
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
          await this.#write(turn, { route: { mode: 'only-in-cloud' } }, seen, signal)
        } catch (error) {
          Object.assign(turn, { answer, corrected, state, usage, tokens })
          events.answerReplaced(turn)
          turn.route = keptRoute(route, await this.#writer.trace(seen), signal.aborted ? null : error)
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
          await this.#write(turn, asking, seen, signal)
        } catch (error) {
          await this.#writer.traceOf(turn, seen)
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

  #write(turn: Turn, asking: Asking, seen: Seen, signal: AbortSignal): Promise<void> {
    const contextOf = (): TurnContext => ({
      conversation: this.#id,
      settings: this.settings,
      path: this.#tree.pathTo(turn),
    })
    return this.#writer.write(turn, contextOf, asking, seen, signal)
  }
}
