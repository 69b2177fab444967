import type { LookupMatch } from './prompt-lookup'

/** Kernels work on so many tokens at once: steps between two multiples cost (nearly) as much as the larger. */
const TILE = 4
/** Most tokens proposed at once; with the pending token they fill four tiles. */
export const MAX_DRAFT = 4 * TILE - 1

/** Drafting must promise this much more than plain steps, so that errors in the estimates cost nothing. */
const MARGIN = 1.1

/** Share of a step that one more token costs, before anything was measured. */
const PRIOR_SLOPE = 0.3
/** Measurements that the prior counts for. */
const PRIOR_SLOPE_WEIGHT = 2

/**
 * What a step of n tokens costs against a step of one, learned from measured steps. Kept per engine: it depends on
 * the machine and the backend, hardly on the text.
 */
export class StepCosts {
  readonly #single = new RunningMedian()
  /** Of steps that fill 1, 2, … tiles. */
  readonly #tiles = Array.from({ length: (MAX_DRAFT + 1) / TILE }, () => new RunningMedian())
  /** Steps of several tokens since the last of one. */
  #sinceSingle = 0

  observe(tokens: number, elapsedMs: number): void {
    const median = tokens === 1 ? this.#single : this.#tiles[tokens / TILE - 1]
    median?.add(elapsedMs)
    this.#sinceSingle = tokens === 1 ? 0 : this.#sinceSingle + 1
  }

  /** Whether a step of one token should be measured before any estimate is trusted (again). */
  get needsSingle(): boolean {
    return this.#single.count < 2 || this.#sinceSingle >= 64
  }

  /**
   * Time of a step of `tiles` tiles in steps of one token. Its own measurements count most; those of other numbers of
   * tiles a quarter as much for each tile of difference.
   */
  ratio(tiles: number): number {
    const single = this.#single.value
    let sum = PRIOR_SLOPE * PRIOR_SLOPE_WEIGHT
    let weights = PRIOR_SLOPE_WEIGHT
    for (const [index, { value, count }] of this.#tiles.entries()) {
      if (count === 0 || single === 0) continue
      const weight = Math.min(count, 8) / 4 ** Math.abs(index + 1 - tiles)
      const slope = Math.min(Math.max((value / single - 1) / ((index + 1) * TILE - 1), 0), 1.5)
      sum += slope * weight
      weights += weight
    }
    return 1 + (sum / weights) * (tiles * TILE - 1)
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
const CLASS_STARTS = [1, 2, 3, 4, 6, 10]
/**
 * Chance that the next token is as foretold, before anything was seen of this text: of contested matches of one token
 * and of more, then of the lengths above. About a tenth below what was recorded of answers that quote their prompts: a
 * text must show first that it does.
 */
const PRIOR_CHANCES = [0.1, 0.29, 0.29, 0.6, 0.67, 0.71, 0.81, 0.9]
/** How far an observation moves the log-odds: of its class, and of all classes in this text. */
const CLASS_RATE = 0.2
const TEXT_RATE = 0.2

/** Every so many times that drafting would only be too dear, it is tried: the costs may have been measured badly. */
const RETRY_INTERVAL = 64

/** What the policy looks at in a match. */
export type MatchQuality = Pick<LookupMatch, 'length' | 'support'>

/**
 * How many tokens to propose. Weighs the chance of each to be accepted, learned from this text by how good the match
 * was, against what it costs to verify. Learns also while nothing is proposed, by comparing the token that lookup
 * expected with the one that came; so trying costs nothing. Only ever decides about speed, never about tokens.
 */
export class DraftPolicy {
  readonly #costs: StepCosts
  readonly #logOdds = PRIOR_CHANCES.map((chance) => Math.log(chance / (1 - chance)))
  /** How much more this text quotes than others: added to the log-odds of every class. */
  #text = 0
  /** Times since the last retry that only measured costs spoke against drafting. */
  #declined = 0

  constructor(costs: StepCosts) {
    this.#costs = costs
  }

  /** The token `ahead` tokens after the first that `match` foretold came, or another. */
  observe(match: MatchQuality, ahead: number, hit: boolean): void {
    const index = classOf(match, ahead)
    const error = (hit ? 1 : 0) - this.#chance(index)
    this.#logOdds[index]! += CLASS_RATE * error
    this.#text += TEXT_RATE * error
  }

  /** 0, 3, 7, 11 or 15, at most `most`, such that accepted tokens for the time spent are the most. */
  draftLength(match: MatchQuality, most: number): number {
    if (this.#costs.needsSingle) return 0
    let best = 0
    let bestRate = MARGIN
    let isTempting = false
    let chance = 1
    let expected = 1
    for (let count = 1; count <= Math.min(most, MAX_DRAFT); count++) {
      chance *= this.#chance(classOf(match, count - 1))
      expected += chance
      if ((count + 1) % TILE !== 0) continue
      const rate = expected / this.#costs.ratio((count + 1) / TILE)
      if (rate > bestRate) {
        best = count
        bestRate = rate
      }
      if (count < TILE) isTempting = expected / (1 + PRIOR_SLOPE * count) > MARGIN
    }
    if (best > 0 || !isTempting || ++this.#declined < RETRY_INTERVAL) return best
    this.#declined = 0
    return TILE - 1
  }

  #chance(index: number): number {
    return 1 / (1 + Math.exp(-this.#logOdds[index]! - this.#text))
  }
}

/** Class of the token `ahead` tokens after the first that `match` foretells, those between having come true. */
function classOf({ length, support }: MatchQuality, ahead: number): number {
  if (ahead === 0 && support === 'contested') return length === 1 ? 0 : 1
  let index = ahead === 0 && support === 'confirmed' ? 1 : 0
  for (const start of CLASS_STARTS) if (length + ahead >= start) index++
  return 1 + Math.min(index, CLASS_STARTS.length)
}
