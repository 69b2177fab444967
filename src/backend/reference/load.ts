import { EngineError } from '../../contract/error'
import type { ModelDefinition } from '../../model/definition'
import type { Backend, ForwardCall, LoadBackend, Logits } from '../backend'
import { ReferenceSession, type SessionOwner } from './session'
import { loadWeights, type Weights } from './weights'

const maxBatch = 512

/**
 * The backend the others are checked against: every weight as a float, every sum in double precision, no
 * shortcut. Needs four bytes a weight and is slow.
 */
export const loadReference: LoadBackend = async (options) =>
  new ReferenceBackend(options.model, await loadWeights(options))

class ReferenceBackend implements Backend, SessionOwner {
  readonly kind = 'reference'
  readonly variant = 'float'
  readonly threads = 1
  readonly maxBatch = maxBatch
  readonly weightsBytes: number
  readonly #model: ModelDefinition
  readonly #sessions = new Set<ReferenceSession>()
  #weights: Weights | null

  constructor(model: ModelDefinition, weights: Weights) {
    this.#model = model
    this.#weights = weights
    this.weightsBytes = weights.sizeBytes
  }

  get memoryBytes(): number {
    let sum = this.#weights === null ? 0 : this.weightsBytes
    for (const session of this.#sessions) sum += session.memoryBytes
    return sum
  }

  createSession({ contextLength }: { contextLength: number }): ReferenceSession {
    this.liveWeights()
    if (!Number.isInteger(contextLength) || contextLength < 1) {
      throw new EngineError(
        'invalid-argument',
        `contextLength is ${contextLength}; give a whole number from 1.`,
      )
    }
    try {
      const session = new ReferenceSession(this.#model, this, contextLength)
      this.#sessions.add(session)
      return session
    } catch (cause) {
      // A typed array that is too large throws a RangeError.
      if (!(cause instanceof RangeError)) throw cause
      throw new EngineError(
        'out-of-memory',
        `A KV cache of ${contextLength} tokens does not fit in memory.`,
        {
          details: { contextLength },
          cause,
        },
      )
    }
  }

  async forwardMany(calls: readonly ForwardCall[]): Promise<Logits[][]> {
    this.liveWeights()
    const count = calls.reduce((sum, { tokens }) => sum + tokens.length, 0)
    const sessions = calls.map(({ session }) => session as ReferenceSession)
    const isOurs = sessions.every((session) => this.#sessions.has(session))
    if (!isOurs || new Set(sessions).size < calls.length || count < 1 || count > maxBatch) {
      throw new EngineError(
        'invalid-argument',
        `forwardMany() got ${calls.length} calls of ${count} tokens; it takes 1 to ${maxBatch} tokens and each session ` +
          'of its backend once.',
      )
    }
    for (const [i, { tokens, options }] of calls.entries()) sessions[i]!.check(tokens, options?.outputs)
    return Promise.all(calls.map(({ session, tokens, options }) => session.forward(tokens, options)))
  }

  dispose(): void {
    for (const session of this.#sessions) session.dispose()
    this.#weights = null
  }

  forget(session: ReferenceSession): void {
    this.#sessions.delete(session)
  }

  liveWeights(): Weights {
    if (this.#weights === null) {
      throw new EngineError('disposed', 'This reference backend was disposed of; load the model again.')
    }
    return this.#weights
  }
}
