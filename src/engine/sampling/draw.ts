import { type Candidates, selectByWeight } from './candidates'

/**
 * The token at the quantile `uniform` (0…1) of the weighed candidates, counted from the most likely one down.
 * `total` is the weight of the whole distribution, of which the candidates must hold at least uniform × total.
 */
export function drawToken(candidates: Candidates, uniform: number, total: number): number {
  return candidates.ids[selectByWeight(candidates, uniform * total)]!
}
