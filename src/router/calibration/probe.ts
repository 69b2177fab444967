import { denseDesign } from './design'
import { fitLogistic } from './linear-fit'

/** One question with its local answer, for fitting. */
export interface Example {
  /** Same length in every example of a fit. */
  readonly features: readonly number[]
  /** Hidden state of the prompt's last token; null in every example or in none. */
  readonly hidden: Float32Array | null
  /** 1 where the local answer was right, else 0. */
  readonly right: number
}

/** A linear score of features and hidden state, as log-odds. */
export interface Probe {
  readonly intercept: number
  /** One for each feature, on features as they come. */
  readonly weights: readonly number[]
  /** (embeddingLength) On the hidden state as it comes; null where it is not looked at. */
  readonly hiddenWeights: Float32Array | null
}

export interface ProbeOptions {
  /** λ of the penalty on weights of standardised features. Default 1. */
  readonly l2?: number
  /**
   * How much a hidden unit may say beside a feature: standardised units are scaled by it before the penalty, so that
   * hundreds of them do not drown a dozen features. 0 leaves the hidden state out. Default 0.05.
   */
  readonly hiddenScale?: number
}

/** Fits the log-odds that an answer is right: L2-penalised logistic regression on standardised columns. */
export function fitProbe(
  examples: readonly Example[],
  { l2 = 1, hiddenScale = 0.05 }: ProbeOptions = {},
): Probe {
  const featureCount = examples[0]!.features.length
  const hiddenCount = hiddenScale > 0 ? (examples[0]!.hidden?.length ?? 0) : 0
  const columns = featureCount + hiddenCount
  const values = new Float64Array(examples.length * columns)
  examples.forEach(({ features, hidden }, row) => {
    values.set(features, row * columns)
    if (hiddenCount > 0) values.set(hidden!, row * columns + featureCount)
  })
  const means = new Float64Array(columns)
  const scales = new Float64Array(columns)
  for (let column = 0; column < columns; column++) {
    let sum = 0
    let squares = 0
    for (let at = column; at < values.length; at += columns) sum += values[at]!
    const mean = sum / examples.length
    for (let at = column; at < values.length; at += columns) squares += (values[at]! - mean) ** 2
    const deviation = Math.sqrt(squares / examples.length)
    const share = column < featureCount ? 1 : hiddenScale
    means[column] = mean
    // A column that never changes says nothing.
    scales[column] = deviation > 1e-9 ? share / deviation : 0
    for (let at = column; at < values.length; at += columns)
      values[at] = (values[at]! - mean) * scales[column]!
  }
  const labels = examples.map(({ right }) => right)
  const model = fitLogistic(denseDesign(values, examples.length, columns), labels, { l2 })
  const weights = model.weights.map((weight, column) => weight * scales[column]!)
  return {
    intercept: model.intercept - weights.reduce((sum, weight, column) => sum + weight * means[column]!, 0),
    weights: [...weights.subarray(0, featureCount)],
    hiddenWeights: hiddenCount > 0 ? Float32Array.from(weights.subarray(featureCount)) : null,
  }
}

/** The log-odds that the answer is right; null where the probe needs a hidden state of a length it did not get. */
export function probeScore(
  probe: Probe,
  features: readonly number[],
  hidden: Float32Array | null,
): number | null {
  const { intercept, weights, hiddenWeights } = probe
  let score = intercept
  weights.forEach((weight, i) => (score += weight * features[i]!))
  if (hiddenWeights === null) return score
  if (hidden?.length !== hiddenWeights.length) return null
  for (let i = 0; i < hiddenWeights.length; i++) score += hiddenWeights[i]! * hidden[i]!
  return score
}
