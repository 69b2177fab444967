import { sigmoid } from './linear-fit'
import type { HeldBack } from './thresholds'

/** An answer of the device that somebody judged, with the confidence that was shown with it. */
export interface JudgedAnswer {
  readonly confidence: number
  readonly correct: boolean
}

/** What judgements change: all confidences, by one step in log-odds. */
export interface Recalibration {
  readonly shift: number
  readonly answers: number
  /** How many were right, and how many the confidences had promised. */
  readonly right: number
  readonly expected: number
}

/** Fewer say less than their chance: 20 answers tell a share to ±.2 or so. */
export const LEAST_JUDGED = 20
/** Of the right ones and of the wrong ones. */
export const LEAST_OF_A_KIND = 3
/** Standard deviation of the shift before anything was judged, in log-odds. */
const PRIOR = 1

/**
 * The shift of all log-odds that explains the judgements best, drawn towards none by a normal prior (the mode of its
 * posterior, by Newton's method). One number is all that a few dozen judgements carry; the order of answers stays.
 * @returns null where there are too few judgements, or too few of a kind
 */
export function recalibrate(judged: readonly JudgedAnswer[]): Recalibration | null {
  const right = judged.filter(({ correct }) => correct).length
  if (judged.length < LEAST_JUDGED || Math.min(right, judged.length - right) < LEAST_OF_A_KIND) return null
  return {
    shift: fitShift(judged),
    answers: judged.length,
    right,
    expected: judged.reduce((sum, { confidence }) => sum + confidence, 0),
  }
}

/** The most probable shift; 0 without answers. */
export function fitShift(judged: readonly JudgedAnswer[]): number {
  let shift = 0
  // The loss is convex and its curvature at least the prior's; these steps are many more than it needs.
  for (let step = 0; step < 30; step++) {
    let slope = shift / PRIOR ** 2
    let curvature = 1 / PRIOR ** 2
    for (const { confidence, correct } of judged) {
      const probability = shifted(confidence, shift)
      slope += probability - (correct ? 1 : 0)
      curvature += probability * (1 - probability)
    }
    shift -= Math.max(-1, Math.min(1, slope / curvature))
  }
  return shift
}

/** A probability with its log-odds moved; within .001 and .999, where log-odds mean nothing more. */
export function shifted(probability: number, shift: number): number {
  if (shift === 0) return probability
  const within = Math.max(0.001, Math.min(0.999, probability))
  return sigmoid(Math.log(within / (1 - within)) + shift)
}

/** Held-back answers as they would come if log-odds were moved so: right ones e^shift times as often beside wrong ones. */
export function shiftedItems({ confidence, right }: HeldBack, shift: number): HeldBack {
  if (shift === 0) return { confidence, right }
  const weights = Array.from(right, (value) => (value === 1 ? Math.exp(shift) : 1))
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length
  return {
    confidence: Array.from(confidence, (value) => shifted(value, shift)),
    right,
    weights: weights.map((weight) => weight / mean),
  }
}
