import { type Draw, type LogitDetail, type Logits, TOP_COUNT, type TopLogits } from '../../backend/backend'
import { EngineError } from '../../contract/error'
import { adjustCandidates } from './adjust-candidates'
import { Candidates, gatherAbove } from './candidates'
import { drawToken } from './draw'
import { applyLogitBias } from './logit-bias'
import { keepMinP, minPThreshold } from './min-p'
import { applyCountPenalties, applyRepetitionPenalty, REPETITION_WINDOW } from './penalties'
import { createRandom, type Random } from './random'
import type { SamplingSettings } from './settings'
import { gatherMass, sumOfExponentials, weigh } from './softmax'
import { selectTopK } from './top-k'
import { keepTopP } from './top-p'

/** What the sampler reads of logits. */
export type RawLogits = Pick<Logits, 'argmax' | 'logSumExp' | 'values'> &
  Partial<Pick<Logits, 'top' | 'tempered'>>

/**
 * Chooses tokens, in llama.cpp's default order: logit bias → penalties → top-k → top-p → min-p → temperature → draw.
 * So top-p and min-p judge the model's own distribution (temperature 1), and a high temperature only mixes what
 * they kept; other orders let the temperature decide how many tokens survive.
 *
 * Every sampled token takes exactly one random number, whatever the settings, and greedy choice none; so a token
 * depends on the seed, the logits and the tokens before it, not on how the tokens were computed.
 */
export class Sampler {
  readonly #settings: SamplingSettings
  readonly #random: Random
  readonly #candidates: Candidates
  /** Whether bias or penalties may change the logits. */
  readonly #adjusts: boolean
  /** Whether they can only become smaller by it. */
  readonly #lowers: boolean
  /** Tokens to look at; 0: all. */
  readonly #count: number
  /** The last tokens of prompt and answer, oldest overwritten first. */
  readonly #recent = new Int32Array(REPETITION_WINDOW)
  #recentCount = 0
  /** The next random number, where somebody has looked at it. */
  #nextUniform: number | null = null
  /** How often each token stands in the answer. */
  readonly #counts = new Map<number, number>()
  #adjusted: Float32Array | null = null // (vocabulary)
  #seen: Uint8Array | null = null // (vocabulary)

  /** @param candidates scratch that several samplers may share, one after the other */
  constructor(settings: SamplingSettings, candidates = new Candidates()) {
    this.#settings = settings
    this.#random = createRandom(settings.seed)
    this.#candidates = candidates
    this.#adjusts =
      settings.logitBias.size > 0 ||
      settings.repetitionPenalty !== 1 ||
      settings.frequencyPenalty !== 0 ||
      settings.presencePenalty !== 0
    this.#lowers =
      settings.repetitionPenalty >= 1 &&
      settings.frequencyPenalty >= 0 &&
      settings.presencePenalty >= 0 &&
      [...settings.logitBias.values()].every((bias) => bias <= 0)
    this.#count = settings.temperature === 0 ? 1 : settings.topK
  }

  /** Whether it always takes the likeliest token. */
  get isGreedy(): boolean {
    return this.#settings.temperature === 0 && !this.#adjusts
  }

  /** What `sample` will want of the logits. */
  get detail(): LogitDetail {
    if (this.isGreedy) return 'summary'
    if (!this.#adjusts) return this.#count <= TOP_COUNT ? 'top' : 'all'
    if (this.#count === 0) return 'all'
    // Where logits only become smaller, and by none of `adjusted` tokens, none comes in from below the top.
    const { logitBias, repetitionPenalty } = this.#settings
    const recent = repetitionPenalty === 1 ? 0 : Math.min(this.#recentCount, REPETITION_WINDOW)
    const adjusted = logitBias.size + recent + this.#counts.size
    return this.#lowers && this.#count + adjusted <= TOP_COUNT ? 'top' : 'all'
  }

  /** The temperature at which it will want the sum of all tokens; undefined: none. */
  get sumTemperature(): number | undefined {
    const { temperature, topP, minP } = this.#settings
    return this.#count === 0 && this.draws && topP === 1 && minP === 0 ? temperature : undefined
  }

  /** Whether the next token is drawn from the likeliest as they are. */
  get draws(): boolean {
    return !this.#adjusts && this.detail === 'top'
  }

  /** What the next `sample` will draw, for a device that goes ahead; null: not from the likeliest tokens alone. */
  get draw(): Draw | null {
    if (!this.draws) return null
    const { temperature, topK, topP, minP } = this.#settings
    return { temperature, topK, topP, minP, quantile: this.#peekUniform() }
  }

  /** Tells the sampler of the prompt, for the repetition penalty. */
  acceptPrompt(tokens: ArrayLike<number>): void {
    for (let i = Math.max(0, tokens.length - REPETITION_WINDOW); i < tokens.length; i++)
      this.#remember(tokens[i]!)
  }

  /** Tells the sampler of a token of the answer, for the penalties. */
  accept(token: number): void {
    this.#remember(token)
    if (this.#settings.frequencyPenalty !== 0 || this.#settings.presencePenalty !== 0) {
      this.#counts.set(token, (this.#counts.get(token) ?? 0) + 1)
    }
  }

  /**
   * The next token; null where the likeliest tokens do not tell: then call it again with the whole row.
   * @throws EngineError 'internal' where the logits hold no number
   */
  sample(logits: RawLogits): number | null {
    const { temperature, topK } = this.#settings
    // Of logits that are no numbers a backend may still name a largest, but not their sum.
    if (!Number.isFinite(logits.logSumExp)) throw noLargest(logits.argmax)
    if (this.isGreedy && logits.argmax >= 0) return logits.argmax
    if (logits.top && this.detail === 'top') {
      return this.#count === 0 ? this.#sampleLikeliest(logits.top, logits) : this.#sampleTop(logits.top)
    }
    const row = this.#adjusts ? this.#adjust(logits.values()) : logits.values()
    const likeliest = this.#adjusts ? indexOfLargest(row) : logits.argmax
    const largest = row[likeliest]
    if (largest === undefined || !Number.isFinite(largest)) {
      throw noLargest(likeliest)
    }
    if (temperature === 0) return likeliest
    const uniform = this.#uniform()
    if (topK > 0 && topK < row.length) {
      selectTopK(row, topK, this.#candidates)
      return this.#drawOfTopK(largest, uniform)
    }
    return this.#sampleAll(row, largest, uniform, this.#adjusts ? null : logits)
  }

  /** As `sample`, of nothing but the likeliest tokens. */
  #sampleTop(top: TopLogits): number {
    const candidates = this.#candidates
    if (this.#adjusts) {
      candidates.fill(top, top.ids.length)
      adjustCandidates(candidates, this.#settings, this.#recentTokens(), this.#counts)
      candidates.count = Math.min(this.#count, candidates.count)
    } else {
      candidates.fill(top, Math.min(this.#count, top.ids.length))
    }
    const largest = candidates.logits[0]!
    if (!Number.isFinite(largest)) throw noLargest(candidates.ids[0]!)
    return this.#settings.temperature === 0 ? candidates.ids[0]! : this.#drawOfTopK(largest, this.#uniform())
  }

  /** As `#sampleAll`, of the likeliest tokens where these tell. */
  #sampleLikeliest(top: TopLogits, { logSumExp, tempered }: RawLogits): number | null {
    const { temperature, topP, minP } = this.#settings
    const candidates = this.#candidates
    const border = top.logits.at(-1)!
    // Which of those equal to the last one are among them is left open.
    candidates.fill(top, top.logits.indexOf(border))
    if (candidates.count === 0) return null
    const largest = candidates.logits[0]!
    const likelihoods = Math.exp(logSumExp - largest)
    if (topP === 1 && minP === 0) {
      const total = temperature === 1 ? likelihoods : tempered
      const mass = weigh(candidates, largest, temperature)
      if (total === undefined || mass < this.#peekUniform() * total) return null
      return drawToken(candidates, this.#uniform(), total)
    }
    const mass = weigh(candidates, largest, 1)
    const floor = minPThreshold(largest, minP)
    if (border >= floor && (topP === 1 || mass < topP * likelihoods)) return null
    if (topP < 1) keepTopP(candidates, topP, likelihoods)
    if (minP > 0) keepMinP(candidates, floor)
    return drawToken(candidates, this.#uniform(), weigh(candidates, largest, temperature))
  }

  #recentTokens(): Int32Array {
    return this.#recent.subarray(0, Math.min(this.#recentCount, REPETITION_WINDOW))
  }

  #uniform(): number {
    const uniform = this.#peekUniform()
    this.#nextUniform = null
    return uniform
  }

  /** What `#uniform` will give. */
  #peekUniform(): number {
    return (this.#nextUniform ??= this.#random.next())
  }

  /** From the top-k tokens, which are the candidates. */
  #drawOfTopK(largest: number, uniform: number): number {
    const { temperature, topP, minP } = this.#settings
    const candidates = this.#candidates
    if (topP < 1) keepTopP(candidates, topP, weigh(candidates, largest, 1))
    if (minP > 0) keepMinP(candidates, minPThreshold(largest, minP))
    return drawToken(candidates, uniform, weigh(candidates, largest, temperature))
  }

  /** @param raw the row's own logits where nothing was adjusted: their sum is known already */
  #sampleAll(row: Float32Array, largest: number, uniform: number, raw: RawLogits | null): number {
    const { temperature, topP, minP } = this.#settings
    const candidates = this.#candidates
    const floor = minPThreshold(largest, minP)
    const sum = (at: number): number =>
      at === 1 && raw !== null ? Math.exp(raw.logSumExp - largest) : sumOfExponentials(row, largest, at)
    if (topP < 1) {
      const total = sum(1)
      gatherMass(row, largest, 1, topP * total, floor, candidates)
      keepTopP(candidates, topP, total)
      return drawToken(candidates, uniform, weigh(candidates, largest, temperature))
    }
    if (minP > 0) {
      gatherAbove(row, floor, candidates)
      return drawToken(candidates, uniform, weigh(candidates, largest, temperature))
    }
    const total = sum(temperature)
    gatherMass(row, largest, temperature, uniform * total, -Infinity, candidates)
    return drawToken(candidates, uniform, total)
  }

  /** A copy of the row with bias and penalties applied. */
  #adjust(values: Float32Array): Float32Array {
    const { logitBias, repetitionPenalty, frequencyPenalty, presencePenalty } = this.#settings
    this.#adjusted ??= new Float32Array(values.length)
    const row = this.#adjusted
    row.set(values)
    applyLogitBias(row, logitBias)
    if (repetitionPenalty !== 1) {
      this.#seen ??= new Uint8Array(values.length)
      applyRepetitionPenalty(row, this.#recentTokens(), repetitionPenalty, this.#seen)
    }
    applyCountPenalties(row, this.#counts, frequencyPenalty, presencePenalty)
    return row
  }

  #remember(token: number): void {
    this.#recent[this.#recentCount % REPETITION_WINDOW] = token
    this.#recentCount++
  }
}

function noLargest(token: number): EngineError {
  return new EngineError('internal', 'The backend gave logits without a largest number.', {
    details: { token },
  })
}

/** The lowest index among equals; −1 where nothing is larger than −Infinity. */
function indexOfLargest(row: Float32Array): number {
  let largest = -Infinity
  let index = -1
  for (let id = 0; id < row.length; id++) {
    const logit = row[id]!
    if (logit > largest) {
      largest = logit
      index = id
    }
  }
  return index
}
