/**
 * What an engine may tell of its own certainty: from raw logits (temperature 1, before any sampling transform), in
 * nats. Asked for with `minnow: { signals: true }`; engines that cannot give them leave them out.
 */

/** One generated token as the model saw it. */
export interface TokenSignal {
  /** Log-probability of the token that was chosen; at most 0. */
  readonly logprob: number
  /** Log-probability of the best token minus that of the second; at least 0. */
  readonly margin: number
  /** −Σ p ln p over the vocabulary; at least 0. */
  readonly entropy: number
}

/** What the prefill of the prompt leaves behind. */
export interface PromptReading {
  /** (embeddingLength) Hidden state of the prompt's last token after the output norm; null where the backend keeps none. */
  readonly hidden: Float32Array | null
  /** Length of the whole prompt, chat template included. */
  readonly tokens: number
}
