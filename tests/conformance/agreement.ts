/** Log-probabilities of one step, whole or cut to the likeliest tokens. */
export interface Distribution {
  /** Ids, the likeliest first. Null: `logprobs` is the whole vocabulary, by id. */
  readonly ids: ArrayLike<number> | null
  /** Natural logarithms. */
  readonly logprobs: ArrayLike<number>
}

/**
 * A step counts as a near-tie when the two likeliest tokens of either side lie closer than this: which of them is
 * first then says nothing about who is right.
 */
export const nearTieNats = 0.05

/** How well `candidate` follows `base` over many steps. */
export interface Agreement {
  readonly steps: number
  /** Steps with the same likeliest token, near-ties included, over all steps. */
  readonly top1: number
  /** The same, over the steps that are no near-ties. */
  readonly top1ApartFromNearTies: number
  readonly nearTies: number
  /** KL(base ‖ candidate), in nats. Where base is cut, everything beyond the cut counts as one token. */
  readonly meanKl: number
  readonly maxKl: number
}

export class AgreementCounter {
  #steps = 0
  #same = 0
  #nearTies = 0
  #sameApart = 0
  #klSum = 0
  #klMax = 0

  /** @param candidate (vocabularySize) log-probabilities by id. */
  add(base: Distribution, candidate: Float32Array): void {
    const [baseFirst, baseMargin] = best(base)
    const [candidateFirst, candidateMargin] = best({ ids: null, logprobs: candidate })
    const same = baseFirst === candidateFirst
    this.#steps++
    if (same) this.#same++
    if (Math.min(baseMargin, candidateMargin) < nearTieNats) this.#nearTies++
    else if (same) this.#sameApart++
    const kl = divergence(base, candidate)
    this.#klSum += kl
    this.#klMax = Math.max(this.#klMax, kl)
  }

  result(): Agreement {
    const apart = this.#steps - this.#nearTies
    return {
      steps: this.#steps,
      top1: this.#same / this.#steps,
      top1ApartFromNearTies: this.#sameApart / apart,
      nearTies: this.#nearTies,
      meanKl: this.#klSum / this.#steps,
      maxKl: this.#klMax,
    }
  }
}

/** (vocabularySize) ln p, from logits. */
export function logSoftmax(logits: Float32Array, logSumExp: number): Float32Array {
  return logits.map((logit) => logit - logSumExp)
}

/** The `count` likeliest tokens, best first; the lower id first among equals. */
export function topOf(logprobs: Float32Array, count: number): { ids: number[]; logprobs: number[] } {
  const ids: number[] = []
  for (let id = 0; id < logprobs.length; id++) {
    const worst = ids.at(-1)
    if (ids.length === count && worst !== undefined && logprobs[id]! <= logprobs[worst]!) continue
    let at = ids.length
    while (at > 0 && logprobs[ids[at - 1]!]! < logprobs[id]!) at--
    ids.splice(at, 0, id)
    if (ids.length > count) ids.pop()
  }
  return { ids, logprobs: ids.map((id) => logprobs[id]!) }
}

/** The likeliest token and by how much it leads, in nats. */
function best({ ids, logprobs }: Distribution): [id: number, margin: number] {
  let first = 0
  let second = -1
  for (let i = 1; i < logprobs.length; i++) {
    if (logprobs[i]! > logprobs[first]!) {
      second = first
      first = i
    } else if (second < 0 || logprobs[i]! > logprobs[second]!) second = i
  }
  return [ids === null ? first : ids[first]!, second < 0 ? Infinity : logprobs[first]! - logprobs[second]!]
}

function divergence({ ids, logprobs }: Distribution, candidate: Float32Array): number {
  let sum = 0
  let baseRest = 1
  let candidateRest = 1
  for (let i = 0; i < logprobs.length; i++) {
    const base = logprobs[i]!
    const p = Math.exp(base)
    if (p === 0) continue
    const other = candidate[ids === null ? i : ids[i]!]!
    sum += p * (base - other)
    baseRest -= p
    candidateRest -= Math.exp(other)
  }
  // Rounding may leave less than nothing.
  if (ids === null || baseRest <= 1e-6 || candidateRest <= 1e-6) return sum
  return sum + baseRest * Math.log(baseRest / candidateRest)
}
