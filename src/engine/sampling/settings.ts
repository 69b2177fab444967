/** What shapes the choice of the next token. Defaults (nothing changed, plain sampling) stand in brackets. */
export interface SamplingSettings {
  /** 0: greedy. [1] */
  readonly temperature: number
  /** 0: off. [0] */
  readonly topK: number
  /** 1: off. [1] */
  readonly topP: number
  /** 0: off. [0] */
  readonly minP: number
  /** 1: off. [1] */
  readonly repetitionPenalty: number
  /** 0: off. [0] */
  readonly frequencyPenalty: number
  /** 0: off. [0] */
  readonly presencePenalty: number
  /** Token id → what is added to its logit. [empty] */
  readonly logitBias: ReadonlyMap<number, number>
  readonly seed: number
}
