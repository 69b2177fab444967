import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../eval/metrics'
import { denseDesign, joinDesigns, sparseDesign } from '../../src/router/calibration/design'
import { calibrationError, rankQuality, reliability } from '../../src/router/calibration/figures'
import { curveAt, fitCurve, fitIsotonic } from '../../src/router/calibration/isotonic'
import { fitLogistic, fitRidge, linearScores, sigmoid } from '../../src/router/calibration/linear-fit'
import { binomialTail, pickThreshold } from '../../src/router/calibration/thresholds'

describe('designs', () => {
  it('multiply as their matrices do, joined and sparse too', () => {
    const dense = denseDesign(Float64Array.of(1, 2, 3, 4, 5, 6), 2, 3)
    expect([...dense.multiply(Float64Array.of(1, 10, 100))]).toEqual([321, 654])
    expect([...dense.multiplyTransposed(Float64Array.of(1, 10))]).toEqual([41, 52, 63])
    const sparse = sparseDesign(
      [
        [[1, 7]],
        [
          [0, 2],
          [1, 1],
        ],
      ],
      2,
    )
    const joined = joinDesigns([dense, sparse])
    expect([...joined.multiply(Float64Array.of(1, 10, 100, 1, 2))]).toEqual([335, 658])
    expect([...joined.multiplyTransposed(Float64Array.of(1, 10))]).toEqual([41, 52, 63, 20, 17])
  })
})

describe('logistic regression', () => {
  it('has the log-odds of a table in closed form', () => {
    // 1 of 4 right without the feature, 9 of 12 with it: ln(1/3), and ln 3 − ln(1/3) more.
    const rows = [...Array.from({ length: 4 }, () => 0), ...Array.from({ length: 12 }, () => 1)]
    const labels = rows.map((value, i) => (value === 0 ? (i < 1 ? 1 : 0) : i < 4 + 9 ? 1 : 0))
    const model = fitLogistic(denseDesign(Float64Array.from(rows), 16, 1), labels, { l2: 0 })
    expect(model.intercept).toBeCloseTo(Math.log(1 / 3), 4)
    expect(model.weights[0]).toBeCloseTo(2 * Math.log(3), 4)
  })

  it('leaves no gradient, penalty included', () => {
    const random = seededRandom(1)
    const [count, columns, l2] = [200, 6, 3]
    const values = Float64Array.from({ length: count * columns }, () => random() * 4 - 2)
    const labels = Array.from({ length: count }, (_, row) =>
      random() < sigmoid(values[row * columns]! * 2 - 1) ? 1 : 0,
    )
    const design = denseDesign(values, count, columns)
    const model = fitLogistic(design, labels, { l2 })
    const errors = linearScores(design, model).map((score, row) => sigmoid(score) - labels[row]!)
    const gradient = design.multiplyTransposed(errors).map((value, i) => value + l2 * model.weights[i]!)
    for (const value of [...gradient, errors.reduce((sum, error) => sum + error, 0)]) {
      expect(Math.abs(value)).toBeLessThan(1e-3)
    }
  })

  it('stays finite where the classes can be told apart, or there is but one', () => {
    const design = denseDesign(Float64Array.of(-2, -1, 1, 2), 4, 1)
    const apart = fitLogistic(design, [0, 0, 1, 1], { l2: 0.1 })
    expect(Number.isFinite(apart.weights[0]!) && apart.weights[0]! > 1).toBe(true)
    const one = fitLogistic(design, [1, 1, 1, 1])
    expect([...linearScores(design, one)].every((score) => Number.isFinite(score) && score > 5)).toBe(true)
  })
})

it('ridge regression shrinks as its formula says', () => {
  // Centred x with Σ x² = 10 and Σ x y = 20: weight 20 / (10 + λ), intercept the mean.
  const design = denseDesign(Float64Array.of(-2, -1, 0, 1, 2), 5, 1)
  for (const l2 of [0, 10, 90]) {
    const model = fitRidge(design, [-1, 1, 3, 5, 7], { l2 })
    expect(model.weights[0]).toBeCloseTo(20 / (10 + l2), 4)
    expect(model.intercept).toBeCloseTo(3, 4)
  }
})

describe('isotonic regression', () => {
  it('pools neighbours that are out of order', () => {
    const curve = fitIsotonic([1, 2, 3, 4, 5, 6], [0, 1, 0, 1, 1, 1])
    // Pools: {1}, {2, 3}, {4, 5, 6}; each counts half a right example more.
    expect(curve.scores).toEqual([1, 2.5, 5])
    const expected = [0.5 / 2, 1.5 / 3, 3.5 / 4]
    curve.probabilities.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 12))
  })

  it('gives equal scores one value, never falls, and is flat beyond its ends', () => {
    const random = seededRandom(9)
    const scores = Array.from({ length: 300 }, () => Math.round(random() * 20))
    const labels = scores.map((score) => (random() < score / 20 ? 1 : 0))
    const curve = fitIsotonic(scores, labels)
    const values = Array.from({ length: 221 }, (_, i) => curveAt(curve, i / 10 - 1))
    expect(values.every((value, i) => value > 0 && value < 1 && (i === 0 || value >= values[i - 1]!))).toBe(
      true,
    )
    expect(curveAt(curve, -100)).toBe(curve.probabilities[0])
    expect(curveAt(curve, 100)).toBe(curve.probabilities.at(-1))
    expect(new Set(curve.scores).size).toBe(curve.scores.length)
  })
})

it('a blended curve rises everywhere it was fitted, and follows the labels', () => {
  const random = seededRandom(5)
  const scores = Array.from({ length: 500 }, () => random() * 6 - 3)
  const labels = scores.map((score) => (random() < sigmoid(score) ? 1 : 0))
  const curve = fitCurve(scores, labels)
  const values = Array.from({ length: 60 }, (_, i) => curveAt(curve, i / 10 - 2.95))
  expect(values.every((value, i) => i === 0 || value > values[i - 1]!)).toBe(true)
  values.forEach((value, i) => expect(Math.abs(value - sigmoid(i / 10 - 2.95))).toBeLessThan(0.12))
})

describe('figures', () => {
  it('AUROC counts pairs, ties half', () => {
    const items = [0.9, 0.8, 0.8, 0.3, 0.1].map((confidence, i) => ({
      confidence,
      right: [1, 1, 0, 1, 0][i]!,
    }))
    // Pairs (right, wrong): .9>.8 .9>.1 .8=.8 .8>.1 .3<.8 .3>.1 → 4.5 of 6
    expect(rankQuality(items)).toBeCloseTo(4.5 / 6, 12)
    expect(rankQuality(items.map((item) => ({ ...item, right: 1 })))).toBeNull()
  })

  it('ECE weighs the gaps of bins', () => {
    const items = [
      ...Array.from({ length: 3 }, () => ({ confidence: 0.9, right: 1 })),
      { confidence: 0.1, right: 1 },
    ]
    expect(calibrationError(items)).toBeCloseTo((3 * 0.1 + 0.9) / 4, 12)
    expect(reliability(items).filter(({ count }) => count > 0)).toHaveLength(2)
    expect(reliability([{ confidence: 1, right: 1 }]).at(-1)!.count).toBe(1)
  })
})

describe('thresholds', () => {
  const held = (confidence: number[], right: number[]) => ({ confidence, right })

  it('know the binomial tail', () => {
    expect(binomialTail(10, 0, 0.1)).toBeCloseTo(0.9 ** 10, 12)
    expect(binomialTail(5, 2, 0.5)).toBeCloseTo(0.5, 12)
    expect(binomialTail(4, 4, 0.3)).toBeCloseTo(1, 12)
  })

  it('control the risk: (wrong + 1) / (n + 1) at most the target, at the lowest such confidence', () => {
    const items = held([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1], [1, 1, 0, 1, 0, 1, 0, 0, 0])
    expect(pickThreshold(items, { kind: 'risk', most: 0.2 })).toBe(0.6)
    expect(pickThreshold(items, { kind: 'risk', most: 0.1 })).toBe(0.8)
    expect(pickThreshold(items, { kind: 'risk', most: 0.05 })).toBe(Infinity)
    expect(pickThreshold(items, { kind: 'risk', most: 1 })).toBe(0.1)
  })

  it('keep to a share escalated, and to a budget', () => {
    const items = held(
      Array.from({ length: 99 }, (_, i) => i / 100),
      Array.from({ length: 99 }, () => 1),
    )
    // (escalated + 1) / 100 ≤ .2: 19 below the threshold.
    expect(pickThreshold(items, { kind: 'escalated', most: 0.2 })).toBe(0.19)
    expect(pickThreshold(items, { kind: 'cost', most: 1, perQuestion: 0.005 })).toBe(0.19)
    expect(pickThreshold(items, { kind: 'escalated', most: 0 })).toBe(0)
  })

  it('break a selective target in fewer resplits than they may', () => {
    const random = seededRandom(3)
    let broken = 0
    let accepted = 0
    for (let round = 0; round < 300; round++) {
      const confidence = Array.from({ length: 300 }, () => random())
      const right = confidence.map((value) => (random() < 0.5 + value / 2 ? 1 : 0))
      const threshold = pickThreshold({ confidence, right }, { kind: 'selective-risk', most: 0.2 })
      if (threshold === Infinity) continue
      accepted++
      // The true risk above t, where a confidence c is wrong with (1 − c) / 2: (1 − t) / 4.
      if ((1 - threshold) / 4 > 0.2) broken++
    }
    expect(accepted).toBeGreaterThan(200)
    expect(broken / 300).toBeLessThanOrEqual(0.05)
  })

  it('keep the mean risk at its target', () => {
    const random = seededRandom(4)
    let risk = 0
    for (let round = 0; round < 400; round++) {
      const confidence = Array.from({ length: 60 }, () => random())
      const right = confidence.map((value) => (random() < value ? 1 : 0))
      const threshold = Math.min(1, pickThreshold({ confidence, right }, { kind: 'risk', most: 0.1 }))
      risk += (1 - threshold) ** 2 / 2 / 400
    }
    expect(risk).toBeLessThanOrEqual(0.1)
    expect(risk).toBeGreaterThan(0.06)
  })
})
