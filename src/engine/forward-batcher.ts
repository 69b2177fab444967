import type { Backend, BackendSession, ForwardOptions, Logits } from '../backend/backend'

/** A generation's step, not yet evaluated or only in part. */
interface Step {
  readonly session: BackendSession
  readonly tokens: ArrayLike<number>
  readonly options: ForwardOptions
  readonly resolve: (logits: Logits[]) => void
  readonly reject: (error: unknown) => void
  /** Tokens already evaluated. */
  done: number
}

/**
 * Lets generations that run at the same time share passes over the weights: a step waits until every one of them has
 * asked for its own, or has ended. So what a generation read of a pass is its own until it asks for the next.
 */
export class ForwardBatcher {
  readonly #backend: Backend
  #running = 0
  #waiting: Step[] = []
  #isPassing = false

  constructor(backend: Backend) {
    this.#backend = backend
  }

  /** Generations between `enter()` and `leave()`. */
  get running(): number {
    return this.#running
  }

  enter(): void {
    this.#running++
  }

  leave(): void {
    this.#running--
    void this.#pass()
  }

  /** As the session's own `forward()`. A long call may take several passes, so that others are not held up by it. */
  forward(session: BackendSession, tokens: ArrayLike<number>, options: ForwardOptions): Promise<Logits[]> {
    if (this.#running <= 1 || this.#backend.forwardMany === undefined) return session.forward(tokens, options)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ session, tokens, options, resolve, reject, done: 0 })
      void this.#pass()
    })
  }

  async #pass(): Promise<void> {
    if (this.#isPassing) return
    this.#isPassing = true
    while (this.#waiting.length > 0 && this.#waiting.length >= this.#running) await this.#forwardMany()
    this.#isPassing = false
  }

  /** Never rejects: who waits is told. */
  async #forwardMany(): Promise<void> {
    const shares = shareBatch(this.#waiting, this.#backend.maxBatch)
    const steps = this.#waiting.filter((step) => shares.has(step))
    try {
      const logits = await this.#backend.forwardMany!(
        steps.map((step) => {
          const { session, tokens, options, done } = step
          const end = done + shares.get(step)!
          const isLast = end === tokens.length
          return {
            session,
            tokens: Array.from({ length: end - done }, (_, i) => tokens[done + i]!),
            options: isLast ? options : { ...options, outputs: 0 },
          }
        }),
      )
      for (const [i, step] of steps.entries()) {
        step.done += shares.get(step)!
        if (step.done < step.tokens.length) continue
        this.#remove(step)
        step.resolve(logits[i]!)
      }
    } catch (error) {
      for (const step of steps) {
        this.#remove(step)
        step.reject(error)
      }
    }
  }

  #remove(step: Step): void {
    this.#waiting.splice(this.#waiting.indexOf(step), 1)
  }
}

/**
 * How many tokens of each step the next pass takes: short ones whole, long ones the rest in equal parts. A step with
 * several outputs is not cut, since a pass ends what the one before it has given.
 */
function shareBatch(steps: readonly Step[], maxBatch: number): ReadonlyMap<Step, number> {
  const left = ({ tokens, done }: Step): number => tokens.length - done
  const isWhole = ({ options }: Step): boolean => (options.outputs ?? 1) > 1
  const order = steps.toSorted((a, b) => Number(isWhole(b)) - Number(isWhole(a)) || left(a) - left(b))
  const shares = new Map<Step, number>()
  let room = maxBatch
  for (const [i, step] of order.entries()) {
    const share = isWhole(step) ? left(step) : Math.min(left(step), Math.floor(room / (order.length - i)))
    // Behind the first, what finds no room waits for the next pass.
    if (shares.size > 0 && (share < 1 || share > room)) continue
    shares.set(step, share)
    room -= share
  }
  return shares
}
