import { type Candidates, selectByWeight } from './candidates'

/**
 * Nucleus sampling (https://arxiv.org/abs/1904.09751): keeps the smallest set of the most likely candidates whose
 * weight reaches topP × total, at least one. Candidates must have been weighed at temperature 1.
 */
export function keepTopP(candidates: Candidates, topP: number, total: number): void {
  candidates.count = selectByWeight(candidates, topP * total) + 1
}
