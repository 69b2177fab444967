/** Most tokens proposed at once. */
export const MAX_DRAFT = 15

/** Drafting must promise this much more than plain steps, so that errors in the estimates cost nothing. */
const MARGIN = 1.05

/**
 * What a step of n tokens costs against a step of one, learned from measured steps. Kept per engine: it depends on
 * the machine and the backend, hardly on the text.
 */
export class StepCosts {
  #singleMs = 0
  #singles = 0
  /** Steps of several tokens since the last of one. */
  #sinceSingle = 0
  /** Of steps of n tokens: (time / time of one − 1) / (n − 1); NaN until one was measured. */
  readonly #slopes = new Float64Array(MAX_DRAFT + 2).fill(NaN)
  readonly #priorSlope: number

  /** @param priorSlope share of a step that one more token costs, until measured */
  constructor(priorSlope = 0.27) {
    this.#priorSlope = priorSlope
  }

  observe(tokens: number, elapsedMs: number): void {
    if (tokens === 1) {
      // The clock may be coarse, the first step cold, and another process may have run: one sample moves little.
      const weight = Math.max(0.1, 1 / (this.#singles + 1))
      if (this.#singleMs === 0) this.#singleMs = elapsedMs
      else
        this.#singleMs += weight * (clamp(elapsedMs, this.#singleMs / 2, this.#singleMs * 2) - this.#singleMs)
      this.#singles++
      this.#sinceSingle = 0
      return
    }
    this.#sinceSingle++
    if (this.#singleMs <= 0 || tokens >= this.#slopes.length) return
    const slope = clamp((elapsedMs / this.#singleMs - 1) / (tokens - 1), 0, 2)
    const known = this.#slopes[tokens]!
    this.#slopes[tokens] = Number.isNaN(known) ? slope : known + 0.2 * (slope - known)
  }

  /** Whether a step of one token should be measured before any estimate is trusted (again). */
  get needsSingle(): boolean {
    return this.#singles < 2 || this.#sinceSingle >= 64
  }

  /** Time of a step of `tokens` tokens in steps of one. */
  ratio(tokens: number): number {
    return 1 + this.#slope(tokens) * (tokens - 1)
  }

  /** That of the nearest number of tokens that was measured. */
  #slope(tokens: number): number {
    for (let distance = 0; distance < this.#slopes.length; distance++) {
      const less = this.#slopes[tokens - distance]
      if (less !== undefined && !Number.isNaN(less)) return less
      const more = this.#slopes[tokens + distance]
      if (more !== undefined && !Number.isNaN(more)) return more
    }
    return this.#priorSlope
  }
}

/** Match lengths from which on a class begins. */
const CLASS_STARTS = [2, 3, 4, 6, 10, 16]
/** Chance that the next token is as foretold, before anything was seen of this text. */
const PRIOR_CHANCES = [0.25, 0.4, 0.5, 0.6, 0.7, 0.8]
/** Observations that the prior counts for. */
const PRIOR_WEIGHT = 4
/** Each observation makes the older ones count this much less. */
const DECAY = 0.96

/**
 * How many tokens to propose. Weighs the chance of each to be accepted, learned from this text by how long the match
 * was, against what it costs to verify. Learns also while nothing is proposed, by comparing the token that lookup
 * expected with the one that came; so trying costs nothing. Only ever decides about speed, never about tokens.
 */
export class DraftPolicy {
  readonly #costs: StepCosts
  readonly #hits = PRIOR_CHANCES.map((chance) => chance * PRIOR_WEIGHT)
  readonly #trials = PRIOR_CHANCES.map(() => PRIOR_WEIGHT)

  constructor(costs: StepCosts) {
    this.#costs = costs
  }

  /** A match of `matchLength` tokens foretold the next one, rightly or not. */
  observe(matchLength: number, hit: boolean): void {
    const index = classOf(matchLength)
    this.#hits[index] = this.#hits[index]! * DECAY + (hit ? 1 : 0)
    this.#trials[index] = this.#trials[index]! * DECAY + 1
  }

  /** 0…most tokens, such that accepted tokens for the time spent are the most. */
  draftLength(matchLength: number, most: number): number {
    if (this.#costs.needsSingle) return 0
    let best = 0
    let bestRate = MARGIN
    let chance = 1
    let expected = 1
    for (let count = 1; count <= Math.min(most, MAX_DRAFT); count++) {
      const index = classOf(matchLength + count - 1)
      chance *= this.#hits[index]! / this.#trials[index]!
      expected += chance
      const rate = expected / this.#costs.ratio(count + 1)
      if (rate > bestRate) {
        best = count
        bestRate = rate
      }
    }
    return best
  }
}

function classOf(matchLength: number): number {
  let index = 0
  while (index + 1 < CLASS_STARTS.length && matchLength >= CLASS_STARTS[index + 1]!) index++
  return index
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most)
}
