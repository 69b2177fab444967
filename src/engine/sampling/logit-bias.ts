/** Adds each token's bias to its logit, in place. Ids outside the row are left out. */
export function applyLogitBias(logits: Float32Array, bias: ReadonlyMap<number, number>): void {
  for (const [id, value] of bias) {
    if (id < logits.length) logits[id] = logits[id]! + value
  }
}
