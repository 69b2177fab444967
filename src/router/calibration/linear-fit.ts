import type { Design } from './design'

/** A linear score: intercept + weights · features. */
export interface LinearModel {
  readonly intercept: number
  readonly weights: Float64Array
}

export interface FitOptions {
  /** λ of the penalty λ/2 Σ weight²; the intercept is free. Default 1. */
  readonly l2?: number
}

const MOST_STEPS = 50
const CG_STEPS = 200

/** 1 / (1 + e^−x) */
export function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))
}

/**
 * L2-penalised logistic regression: least Σ ln(1 + e^z) − y z + λ/2 Σ weight², by Newton's method, its steps solved
 * by conjugate gradients and halved until the loss falls. The loss is convex: the result does not depend on the start.
 * @param labels (rows) 0…1
 */
export function fitLogistic(
  design: Design,
  labels: ArrayLike<number>,
  { l2 = 1 }: FitOptions = {},
): LinearModel {
  const { rows, columns } = design
  let point: Float64Array = new Float64Array(columns + 1) // the intercept last
  let scores = scoresOf(design, point)
  let loss = logisticLoss(scores, labels, point, l2)
  for (let step = 0; step < MOST_STEPS; step++) {
    const errors = new Float64Array(rows)
    const curvature = new Float64Array(rows)
    for (let row = 0; row < rows; row++) {
      const probability = sigmoid(scores[row]!)
      errors[row] = probability - labels[row]!
      curvature[row] = Math.max(1e-10, probability * (1 - probability))
    }
    const gradient = gradientOf(design, errors, point, l2)
    if (norm(gradient) < 1e-6 * rows) break
    // Early steps need no exact direction: the curvature changes with the next point anyway.
    const times = (vector: Float64Array): Float64Array => curvatureTimes(design, curvature, vector, l2)
    const direction = solve(times, gradient, Math.min(0.1, norm(gradient) / rows))
    let size = 1
    let improved = false
    for (; size > 1e-8; size /= 2) {
      const next = point.map((value, i) => value - size * direction[i]!)
      const nextScores = scoresOf(design, next)
      const nextLoss = logisticLoss(nextScores, labels, next, l2)
      if (nextLoss < loss) {
        improved = loss - nextLoss > 1e-10 * (1 + Math.abs(loss))
        ;[point, scores, loss] = [next, nextScores, nextLoss]
        break
      }
    }
    if (!improved) break
  }
  return { intercept: point[columns]!, weights: point.slice(0, columns) }
}

/** Ridge regression: least ½ Σ (z − target)² + λ/2 Σ weight². */
export function fitRidge(
  design: Design,
  targets: ArrayLike<number>,
  { l2 = 1 }: FitOptions = {},
): LinearModel {
  const { rows, columns } = design
  const ones = new Float64Array(rows).fill(1)
  const start = new Float64Array(columns + 1)
  const right = gradientOf(design, Float64Array.from(targets), start, 0)
  const point = solve((vector) => curvatureTimes(design, ones, vector, l2), right, 1e-6)
  return { intercept: point[columns]!, weights: point.slice(0, columns) }
}

/** (rows) intercept + weights · features of every row. */
export function linearScores(design: Design, { intercept, weights }: LinearModel): Float64Array {
  return design.multiply(weights).map((score) => score + intercept)
}

function scoresOf(design: Design, point: Float64Array): Float64Array {
  const { columns } = design
  return linearScores(design, { intercept: point[columns]!, weights: point.subarray(0, columns) })
}

function logisticLoss(
  scores: Float64Array,
  labels: ArrayLike<number>,
  point: Float64Array,
  l2: number,
): number {
  let loss = 0
  for (let row = 0; row < scores.length; row++) {
    const score = scores[row]!
    loss += Math.max(score, 0) + Math.log1p(Math.exp(-Math.abs(score))) - labels[row]! * score
  }
  for (let i = 0; i < point.length - 1; i++) loss += (l2 / 2) * point[i]! ** 2
  return loss
}

function gradientOf(design: Design, errors: Float64Array, point: Float64Array, l2: number): Float64Array {
  const { columns } = design
  const gradient = new Float64Array(columns + 1)
  gradient.set(design.multiplyTransposed(errors))
  for (let i = 0; i < columns; i++) gradient[i]! += l2 * point[i]!
  gradient[columns] = errors.reduce((sum, error) => sum + error, 0)
  return gradient
}

function curvatureTimes(
  design: Design,
  curvature: Float64Array,
  vector: Float64Array,
  l2: number,
): Float64Array {
  const scores = scoresOf(design, vector)
  for (let row = 0; row < scores.length; row++) scores[row]! *= curvature[row]!
  return gradientOf(design, scores, vector, l2)
}

/** Solves `times`(x) = right for a symmetric positive definite map (conjugate gradients), to a relative `error`. */
function solve(
  times: (vector: Float64Array) => Float64Array,
  right: Float64Array,
  error: number,
): Float64Array {
  const solution = new Float64Array(right.length)
  const residual = Float64Array.from(right)
  const direction = Float64Array.from(right)
  let square = dot(residual, residual)
  const enough = square * error * error
  for (let step = 0; step < CG_STEPS && square > enough; step++) {
    const image = times(direction)
    const size = square / dot(direction, image)
    for (let i = 0; i < solution.length; i++) {
      solution[i]! += size * direction[i]!
      residual[i]! -= size * image[i]!
    }
    const next = dot(residual, residual)
    for (let i = 0; i < direction.length; i++) direction[i] = residual[i]! + (next / square) * direction[i]!
    square = next
  }
  return solution
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

function norm(vector: Float64Array): number {
  return Math.sqrt(dot(vector, vector))
}
