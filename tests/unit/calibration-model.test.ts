import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../eval/metrics'
import { createConfidenceModel } from '../../src/router/calibration/confidence-model'
import { calibrationError, rankQuality } from '../../src/router/calibration/figures'
import { fitCalibration, type LabelledAnswer } from '../../src/router/calibration/fit-calibration'
import { packFloats, unpackFloats } from '../../src/router/calibration/packed-floats'
import { parseCalibration } from '../../src/router/calibration/schema'
import { readPrompt } from '../../src/router/signals/prompt-signal'

const model = { id: 'tiny', hash: 'ab'.repeat(32), quantization: 'Q8_0' }
const options = { model, source: 'made up', createdAt: '2025-01-01T00:00:00.000Z' }

/** Answers whose log-probability and one hidden unit tell whether they are right. */
function answers(count: number, seed: number): LabelledAnswer[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, (_, index) => {
    const logprob = -4 * random()
    const hidden = Float32Array.from({ length: 8 }, () => random() * 2 - 1)
    const odds = 3 + 1.5 * logprob + 2 * hidden[3]!
    return {
      prompt: readPrompt(index % 2 === 0 ? 'Who was first?' : 'Translate this text', { hidden, tokens: 20 }),
      tokens: Array.from({ length: 20 }, () => ({ logprob: logprob + random() / 10, margin: 1, entropy: 1 })),
      isRight: random() < 1 / (1 + Math.exp(-odds)),
    }
  })
}

describe('a calibration', () => {
  const calibration = fitCalibration(answers(600, 1), options)
  const confidences = createConfidenceModel(parseCalibration(JSON.stringify(calibration)), {
    modelHash: model.hash,
  })

  it('tells right answers from wrong ones it has not seen, better with every stage', () => {
    const judged = (confidence: (answer: LabelledAnswer) => number | null) =>
      answers(800, 2).map((answer) => ({ confidence: confidence(answer)!, right: answer.isRight ? 1 : 0 }))
    const before = judged(({ prompt }) => confidences.beforeAnswer(prompt))
    const during = judged(({ prompt, tokens }) => confidences.duringAnswer(prompt, tokens, ''))
    const after = judged(({ prompt, tokens }) => confidences.afterAnswer(prompt, tokens, ''))
    expect(rankQuality(before)!).toBeGreaterThan(0.62)
    expect(rankQuality(during)!).toBeGreaterThan(0.8)
    expect(rankQuality(after)!).toBeGreaterThan(0.8)
    expect(calibrationError(after)).toBeLessThan(0.08)
  })

  it('keeps its risk target in the mean over calibrations', () => {
    const unseen = answers(1000, 3)
    const shares = Array.from({ length: 12 }, (_, round) => {
      const one = fitCalibration(answers(300, 10 + round), options)
      const trusted = createConfidenceModel(one, { modelHash: model.hash })
      const threshold = trusted.threshold('after', { kind: 'risk', most: 0.1 })!
      const wrong = unseen.filter(
        ({ prompt, tokens, isRight }) => !isRight && trusted.afterAnswer(prompt, tokens, '')! >= threshold,
      )
      return wrong.length / unseen.length
    })
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length
    // Each share strays by some .03, their mean by .01.
    expect(mean).toBeLessThan(0.12)
    expect(mean).toBeGreaterThan(0.05)
  })

  it('has kinds of tasks of their own where there are enough answers, and else the common one', () => {
    expect(Object.keys(calibration.tasks).toSorted()).toEqual(['any', 'question', 'writing'])
    const [{ prompt, tokens }] = answers(1, 4) as [LabelledAnswer]
    expect(confidences.afterAnswer({ ...prompt, task: 'math' }, tokens, '')).not.toBeNull()
    expect(Object.keys(fitCalibration(answers(200, 1), options).tasks)).toEqual(['any'])
  })

  it('says null where signals are missing', () => {
    const [{ prompt, tokens }] = answers(1, 4) as [LabelledAnswer]
    expect(confidences.afterAnswer(prompt, [], 'text')).toBeNull()
    expect(confidences.beforeAnswer({ ...prompt, hidden: null })).toBeNull()
    expect(confidences.afterAnswer({ ...prompt, hidden: new Float32Array(3) }, tokens, '')).toBeNull()
  })

  it('refuses another model', () => {
    for (const modelHash of ['cd'.repeat(32), undefined]) {
      expect(() => createConfidenceModel(calibration, { modelHash })).toThrow(
        expect.objectContaining({
          code: 'unsupported',
          details: { wanted: model.hash, got: modelHash ?? null },
        }),
      )
    }
  })

  it('refuses too few answers, or only right ones', () => {
    for (const given of [answers(40, 1), answers(100, 1).map((answer) => ({ ...answer, isRight: true }))]) {
      expect(() => fitCalibration(given, options)).toThrow(
        expect.objectContaining({ code: 'invalid-argument' }),
      )
    }
  })

  it.each([
    ['no JSON', '{'],
    ['another version', { ...calibration, schemaVersion: 2 }],
    ['a wrong hash', { ...calibration, model: { ...model, hash: 'x' } }],
    ['a curve that falls', withCurve([1, 2], [0.9, 0.1])],
    ['a curve of two lengths', withCurve([1, 2], [0.9])],
    ['no number', withCurve([1, Number.NaN], [0.1, 0.9])],
  ])('refuses a file with %s', (_, file) => {
    expect(() => parseCalibration(file)).toThrow(expect.objectContaining({ code: 'invalid-argument' }))
  })

  function withCurve(scores: number[], probabilities: number[]): unknown {
    const copy = structuredClone(calibration)
    Object.assign(copy.tasks['any']!.stages.after, { curve: { scores, probabilities } })
    return copy
  }
})

it('floats survive base64 to the bit', () => {
  const values = Float32Array.of(0, -0, 1.5, -3e-39, 3.4e38, Math.PI)
  expect(unpackFloats(packFloats(values))).toEqual(values)
  expect(unpackFloats('')).toHaveLength(0)
})
