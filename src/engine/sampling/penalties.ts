/** How many of the last tokens the repetition penalty looks at. */
export const REPETITION_WINDOW = 64

/**
 * Repetition penalty (https://arxiv.org/abs/1909.05858): positive logits of the tokens in `recent` are divided by
 * it, negative ones multiplied, once per distinct token. In place.
 * @param seen (vocabulary) scratch, all zero before and after
 */
export function applyRepetitionPenalty(
  logits: Float32Array,
  recent: ArrayLike<number>,
  penalty: number,
  seen: Uint8Array,
): void {
  for (let i = 0; i < recent.length; i++) {
    const id = recent[i]!
    if (seen[id] !== 0) continue
    seen[id] = 1
    const logit = logits[id]!
    logits[id] = logit > 0 ? logit / penalty : logit * penalty
  }
  for (let i = 0; i < recent.length; i++) seen[recent[i]!] = 0
}

/**
 * OpenAI's penalties: logit −= count × frequency + (count > 0) × presence, where count is how often the token
 * stands in the answer so far. In place.
 */
export function applyCountPenalties(
  logits: Float32Array,
  counts: ReadonlyMap<number, number>,
  frequency: number,
  presence: number,
): void {
  for (const [id, count] of counts) logits[id] = logits[id]! - (count * frequency + presence)
}
