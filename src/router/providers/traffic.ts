import {
  bulkhead,
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  ExponentialBackoff,
  handleAll,
  noJitterGenerator,
} from 'cockatiel'
import { raceSignal } from './deadline'

/** How one request went, for the breaker; the first word counts. */
export interface Attempt {
  /** The only one let through, to see whether the remote is back. */
  readonly isProbe: boolean
  succeed(): void
  fail(): void
  /** It was stopped from here and says nothing of the remote. */
  cancel(): void
}

export interface Breaker {
  /** null where no request may be sent now. */
  attempt(): Attempt | null
}

/** Opens after so many failures in a row; after a while one request probes, and the others are still kept back. */
export function createBreaker({ failures, restMs }: { failures: number; restMs: number }): Breaker {
  const policy = circuitBreaker(handleAll, {
    halfOpenAfter: new ExponentialBackoff({
      initialDelay: restMs,
      maxDelay: restMs * 16,
      generator: noJitterGenerator,
    }),
    breaker: new ConsecutiveBreaker(failures),
  })
  return {
    attempt() {
      // cockatiel would let others wait for the probe's end; here they go elsewhere.
      if (policy.state === CircuitState.HalfOpen) return null
      const isProbe = policy.state === CircuitState.Open
      let attempt: Attempt | null = null
      // The policy calls this before execute() returns, or not at all while it is open.
      const run = (): Promise<void> =>
        new Promise((resolve, reject) => {
          const fail = (): void => reject(new Error('failed'))
          // A probe that was stopped leaves the question open; the next request asks it again after a rest.
          attempt = { isProbe, succeed: resolve, fail, cancel: isProbe ? fail : () => undefined }
        })
      policy.execute(run).catch(() => undefined)
      return attempt
    },
  }
}

export interface Gate {
  /** Waits for a place, which is free again when the signal fires. */
  enter(signal: AbortSignal): Promise<void>
}

/** So many at a time. */
export function createGate(places: number): Gate {
  const policy = bulkhead(places, Infinity)
  return {
    enter(signal) {
      const entered = new Promise<void>((resolve, reject) => {
        // Whoever stopped waiting gives the place away at once when the turn comes.
        const stay = async (): Promise<void> => {
          if (signal.aborted) return
          await new Promise<void>((leave) => {
            signal.addEventListener('abort', () => leave(), { once: true })
            resolve()
          })
        }
        policy.execute(stay).catch(reject)
      })
      return raceSignal(entered, signal)
    },
  }
}
