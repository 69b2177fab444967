/** Most tokens proposed at once. */
export const MAX_DRAFT = 15

/** Drafting must promise this much more than plain steps, so that errors in the estimates cost nothing. */
const MARGIN = 1.05

/** Share of a step that one more token costs, before anything was measured. */
const PRIOR_SLOPE = 0.3
/** Measurements that the prior counts for. */
const PRIOR_SLOPE_WEIGHT = 2

/**
 * What a step of n tokens costs against a step of one, learned from measured steps. Kept per engine: it depends on
 * the machine and the backend, hardly on the text.
 */
export class StepCosts {
  /** Of steps of 1…16 tokens; [0] is unused. */
  readonly #medians = Array.from({ length: MAX_DRAFT + 2 }, () => new RunningMedian())
  /** Steps of several tokens since the last of one. */
  #sinceSingle = 0

  observe(tokens: number, elapsedMs: number): void {
    this.#medians[tokens]?.add(elapsedMs)
    this.#sinceSingle = tokens === 1 ? 0 : this.#sinceSingle + 1
  }

  /** Whether a step of one token should be measured before any estimate is trusted (again). */
  get needsSingle(): boolean {
    return this.#medians[1]!.count < 2 || this.#sinceSingle >= 64
  }

  /**
   * Time of a step of `tokens` tokens in steps of one. Its own measurements count most; those of other numbers of
   * tokens a quarter as much for each token of difference, as kernels work in tiles and costs have steps.
   */
  ratio(tokens: number): number {
    const single = this.#medians[1]!.value
    let sum = PRIOR_SLOPE * PRIOR_SLOPE_WEIGHT
    let weights = PRIOR_SLOPE_WEIGHT
    for (let other = 2; other < this.#medians.length; other++) {
      const { value, count } = this.#medians[other]!
      if (count === 0 || single === 0) continue
      const weight = Math.min(count, 8) / (1 << Math.min(30, 2 * Math.abs(other - tokens)))
      const slope = Math.min(Math.max((value / single - 1) / (other - 1), 0), 1.5)
      sum += slope * weight
      weights += weight
    }
    return 1 + (sum / weights) * (tokens - 1)
  }
}

/**
 * Follows the median of what it is told: moves towards each value by a bounded share, which shrinks from a half to a
 * twentieth. A step that lost its processor for a while so moves it no more than one that was a little slow.
 */
class RunningMedian {
  value = 0
  count = 0

  add(value: number): void {
    this.count++
    const share = Math.max(0.05, 1 / this.count)
    if (this.count === 1) this.value = value
    else if (value > this.value) this.value = Math.min(value, this.value * (1 + share))
    else this.value = Math.max(value, this.value * (1 - share))
  }
}

/** Match lengths from which on a class begins. */
const CLASS_STARTS = [2, 3, 4, 6, 10, 16]
/** Chance that the next token is as foretold, before anything was seen of this text. */
const PRIOR_CHANCES = [0.25, 0.35, 0.5, 0.6, 0.7, 0.8]
/** Observations that the prior counts for. */
const PRIOR_WEIGHT = 4
/** Every so many times that drafting would only be too dear, it is tried: the costs may have been measured badly. */
const RETRY_INTERVAL = 64
const RETRY_LENGTH = 3

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

  /** Times since the last retry that only measured costs spoke against drafting. */
  #declined = 0

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
    let retry = 0
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
      if (count <= RETRY_LENGTH && expected / (1 + PRIOR_SLOPE * count) > MARGIN) retry = count
    }
    if (best > 0 || retry === 0 || ++this.#declined < RETRY_INTERVAL) return best
    this.#declined = 0
    return retry
  }
}

function classOf(matchLength: number): number {
  let index = 0
  while (index + 1 < CLASS_STARTS.length && matchLength >= CLASS_STARTS[index + 1]!) index++
  return index
}
