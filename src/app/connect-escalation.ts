import type { Engine } from '../contract/engine'
import type { Escalation } from '../widget/escalation'
import type { LateAnswer } from '../widget/late-answer'
import { hasSettings } from '../widget/settings-database'

export interface ConnectEscalationOptions {
  host: HTMLElement
  /** Where questions that wait are listed. */
  waiting: HTMLElement
  local(): Promise<Engine>
  /** A question that waited was answered. */
  onLate(late: LateAnswer): Promise<void>
  /** What is being answered is no longer wanted so. */
  onChanged(): void
  onError(error: unknown): void
}

/** The router and its elements: from the start where settings were saved, else when they are first wanted. */
export class EscalationConnection {
  readonly #options: ConnectEscalationOptions
  #loading: Promise<Escalation> | null = null
  #current: Promise<Escalation | null>

  constructor(options: ConnectEscalationOptions) {
    this.#options = options
    this.#current = hasSettings().then((saved) => (saved ? this.load() : null))
  }

  /** null where it is not wanted yet, or cannot be loaded: then answers are given on the device. */
  get current(): Promise<Escalation | null> {
    return this.#current
  }

  /** Once; after a failure anew. */
  load(): Promise<Escalation> {
    const loading = (this.#loading ??= this.#open())
    this.#current = loading
    loading.catch(() => {
      this.#loading = null
      this.#current = Promise.resolve(null)
    })
    return loading
  }

  async #open(): Promise<Escalation> {
    const { Escalation } = await import('../widget/escalation')
    const { host, waiting, local, onLate, onChanged, onError } = this.#options
    return Escalation.open({
      host,
      waiting,
      local,
      onAnswered({ id, scope, messages }, completion, route) {
        const question = messages.findLast(({ role }) => role === 'user')?.content ?? ''
        const answer = completion.choices[0]?.message.content ?? ''
        onLate({ id, conversation: scope, question, answer, route }).catch(onError)
      },
      onChanged,
      onError,
    })
  }
}
