import type { Engine, LoadProgress } from '../contract/engine'
import { EngineError, isEngineError, type EngineErrorData } from '../contract/error'
import type { AnswerBody, AnswerMessage, MemberMessage, SharedState, StateMessage } from './shared-messages'

export interface SharedHostOptions {
  open(options: { signal: AbortSignal; onProgress(progress: LoadProgress): void }): Promise<Engine>
  announce(message: StateMessage): void
  answer(member: string, message: AnswerMessage): void
  /** Calls back when that member is gone, unless the signal fires before. */
  onGone(member: string, signal: AbortSignal, gone: () => void): void
}

/**
 * The leader's side of a shared engine: has the engine and answers the members. Without timers, which a
 * hidden tab gets only once a second or once a minute; messages and workers go on there.
 */
export class SharedHost {
  readonly #options: SharedHostOptions
  readonly #life = new AbortController()
  readonly #running = new Map<string, AbortController>()
  #term: string = crypto.randomUUID()
  #state: SharedState = { phase: 'idle' }
  #engine: Promise<Engine> | null = null

  constructor(options: SharedHostOptions) {
    this.#options = options
  }

  receive(message: MemberMessage): void {
    if (message.type === 'join') {
      this.#load().catch(() => undefined)
      this.announce()
    } else if (message.type === 'ask') void this.#answer(message)
    else this.#running.get(message.request)?.abort()
  }

  announce(): void {
    this.#options.announce({ type: 'state', term: this.#term, state: this.#state })
  }

  /**
   * Stops what runs and frees the engine. Nothing is said of it: the next leader will ask for all that is
   * open.
   */
  close(): void {
    this.#life.abort(new EngineError('disposed', 'The engine was disposed of. Create a new one.'))
    for (const controller of this.#running.values()) controller.abort()
    this.#engine?.then((engine) => engine.dispose()).catch(() => undefined)
  }

  #load(): Promise<Engine> {
    this.#engine ??= this.#open()
    return this.#engine
  }

  async #open(): Promise<Engine> {
    const { signal } = this.#life
    this.#become({ phase: 'loading', progress: null })
    try {
      const engine = await this.#options.open({
        signal,
        onProgress: (progress) => this.#become({ phase: 'loading', progress }),
      })
      this.#become({ phase: 'ready', info: { ...engine.info } })
      return engine
    } catch (error) {
      this.#engine = null
      this.#become({ phase: 'failed', error: errorData(error) })
      throw error
    }
  }

  #become(state: SharedState): void {
    if (this.#life.signal.aborted) return
    this.#state = state
    this.announce()
  }

  async #answer({ member, request, params }: MemberMessage & { type: 'ask' }): Promise<void> {
    const term = this.#term
    const controller = new AbortController()
    const { signal } = controller
    const ended = new AbortController()
    this.#running.set(request, controller)
    this.#options.onGone(member, ended.signal, () => controller.abort())
    const send = (body: AnswerBody): void => {
      if (!signal.aborted) this.#options.answer(member, { ...body, request, term })
    }
    let engine: Engine | null = null
    try {
      engine = await this.#load()
      signal.throwIfAborted()
      const { stream, ...rest } = params
      if (stream === true) {
        const parts = await engine.chat.completions.create({ ...rest, stream }, { signal })
        send({ type: 'started' })
        for await (const part of parts) send({ type: 'part', part })
        send({ type: 'ended', info: { ...engine.info } })
      } else {
        const completion = await engine.chat.completions.create({ ...rest, stream: false }, { signal })
        send({ type: 'completed', completion, info: { ...engine.info } })
      }
    } catch (error) {
      if (signal.aborted) return
      if (engine !== null && isEngineError(error, 'worker-lost')) this.#renew(term, engine)
      else send({ type: 'failed', error: errorData(error) })
    } finally {
      this.#running.delete(request)
      ended.abort()
    }
  }

  /** A new term, whose engine is opened by the first that asks. */
  #renew(term: string, lost: Engine): void {
    // Of several answers that died with one worker, the first does it.
    if (term !== this.#term) return
    for (const controller of this.#running.values()) controller.abort()
    void lost.dispose()
    this.#engine = null
    this.#term = crypto.randomUUID()
    this.#become({ phase: 'idle' })
  }
}

function errorData(error: unknown): EngineErrorData {
  if (isEngineError(error)) return error.toData()
  const message = error instanceof Error ? error.message : String(error)
  return new EngineError('internal', message, { cause: error }).toData()
}
