import { describe, expect, it, test } from 'vitest'
import { contentText } from '../../src/contract/chat-messages'
import { createConfidenceModel } from '../../src/router/calibration/confidence-model'
import { calibrate, readQuestions } from '../../src/router/calibration/calibrate'
import { calibrationError } from '../../src/router/calibration/figures'
import { recalibrate, shifted, shiftedItems } from '../../src/router/calibration/recalibrate'
import { pickThreshold } from '../../src/router/calibration/thresholds'
import { readPrompt } from '../../src/router/signals/prompt-signal'
import { seededRandom } from '../../eval/metrics'
import { createMockEngine } from '../../src/testing'

const HASH = 'ab'.repeat(32)

/** Questions whose answers the engine knows where their number is even; it is surer of those. */
const lines = Array.from({ length: 80 }, (_, n) =>
  JSON.stringify({ question: `What is word ${n}?`, answer: n % 2 === 0 ? 'fish' : 'bird' }),
)

function knowing(): ReturnType<typeof createMockEngine> {
  return createMockEngine({
    reply: (messages) => (/[02468]\?$/.test(contentText(messages.at(-1)?.content)) ? 'A fish' : 'Well fish'),
    signals: (word) => ({ logprob: word.includes('A') ? -0.1 : -2, margin: 1, entropy: 1 }),
    promptSignals: { hidden: null, tokens: 9 },
    info: { model: 'small', modelHash: HASH, quantization: 'Q4_1' },
  })
}

describe('calibrate()', () => {
  it('asks every question, judges, fits, and binds the result to the model', async () => {
    const { questions, skippedLines } = readQuestions(
      [...lines, 'no JSON', '{"turns":["x"],"category":"y"}'].join('\n'),
    )
    expect([questions.length, skippedLines]).toEqual([80, 2])
    const local = knowing()
    const progress: number[] = []
    const calibration = await calibrate(local, questions, {
      source: 'words.jsonl',
      system: 'Be short.',
      onProgress: (asked) => progress.push(asked),
    })
    expect(progress).toEqual(Array.from({ length: 80 }, (_, i) => i + 1))
    expect(local.calls[0]?.messages[0]).toEqual({ role: 'system', content: 'Be short.' })
    expect(calibration.model).toEqual({ id: 'small', hash: HASH, quantization: 'Q4_1' })
    expect(calibration.tasks['any']).toMatchObject({ items: 80, accuracy: 0.5 })
    const model = createConfidenceModel(calibration, { modelHash: HASH })
    const prompt = readPrompt('What is word 2?', { hidden: null, tokens: 9 })
    const sure = [
      { logprob: -0.1, margin: 1, entropy: 1 },
      { logprob: -2, margin: 1, entropy: 1 },
    ]
    const unsure = [
      { logprob: -2, margin: 1, entropy: 1 },
      { logprob: -2, margin: 1, entropy: 1 },
    ]
    expect(model.afterAnswer(prompt, sure, '')!).toBeGreaterThan(0.8)
    expect(model.afterAnswer(prompt, unsure, '')!).toBeLessThan(0.2)
  })

  it('stops when it is to, and refuses engines that tell nothing', async () => {
    const { questions } = readQuestions(lines.join('\n'))
    const stop = new AbortController()
    const onProgress = (asked: number): void => {
      if (asked === 3) stop.abort()
    }
    await expect(
      calibrate(knowing(), questions, { source: 's', signal: stop.signal, onProgress }),
    ).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
    for (const info of [{}, { modelHash: HASH, quantization: 'Q4_1' }]) {
      await expect(calibrate(createMockEngine({ info }), questions, { source: 's' })).rejects.toThrow(
        expect.objectContaining({ code: 'unsupported' }),
      )
    }
    await expect(calibrate(knowing(), questions.slice(0, 20), { source: 's' })).rejects.toThrow(
      expect.objectContaining({ code: 'invalid-argument' }),
    )
  })
})

describe('recalibrate()', () => {
  const judgedAs = (confidence: number, right: number, wrong: number) => [
    ...Array.from({ length: right }, () => ({ confidence, correct: true })),
    ...Array.from({ length: wrong }, () => ({ confidence, correct: false })),
  ]

  it('says nothing of few judgements, or of one kind', () => {
    expect(recalibrate(judgedAs(0.7, 10, 9))).toBeNull()
    expect(recalibrate(judgedAs(0.7, 38, 2))).toBeNull()
  })

  it('moves confidences to what judgements say, the nearer the more there are', () => {
    const few = recalibrate(judgedAs(0.7, 8, 12))!
    const many = recalibrate(judgedAs(0.7, 400, 600))!
    expect(few).toMatchObject({ answers: 20, right: 8 })
    expect(few.expected).toBeCloseTo(14)
    expect(shifted(0.7, few.shift)).toBeGreaterThan(0.41)
    expect(shifted(0.7, few.shift)).toBeLessThan(0.55)
    expect(shifted(0.7, many.shift)).toBeCloseTo(0.4, 2)
    // What is calibrated stays as it is.
    expect(Math.abs(recalibrate(judgedAs(0.7, 700, 300))!.shift)).toBeLessThan(0.01)
  })

  it('lowers the error of confidences that promise too much', () => {
    const random = seededRandom(3)
    const draw = (count: number) =>
      Array.from({ length: count }, () => {
        const truth = random()
        return { confidence: shifted(truth, 1.2), correct: random() < truth }
      })
    const { shift } = recalibrate(draw(40))!
    const error = (by: number): number =>
      calibrationError(
        draw(4000).map(({ confidence, correct }) => ({
          confidence: shifted(confidence, by),
          right: correct ? 1 : 0,
        })),
      )
    expect(error(shift)).toBeLessThan(error(0) / 2)
  })

  it('thresholds follow: where right answers became rarer, fewer are accepted, and the target holds', () => {
    const random = seededRandom(4)
    const draw = (count: number, shift: number) => {
      const confidence: number[] = []
      const right: number[] = []
      while (right.length < count) {
        const truth = random()
        const isRight = random() < truth ? 1 : 0
        // Right ones come e^shift times as often.
        if (isRight === 1 && random() > Math.exp(shift)) continue
        confidence.push(truth)
        right.push(isRight)
      }
      return { confidence, right }
    }
    const heldBack = draw(2000, 0)
    const target = { kind: 'risk', most: 0.1 } as const
    const plain = pickThreshold(heldBack, target)
    const moved = pickThreshold(shiftedItems(heldBack, -1), target)
    const now = shiftedItems(draw(20_000, -1), 0)
    const wrongShare = (accept: (confidence: number) => boolean): number =>
      Array.from(now.confidence).filter((value, i) => now.right[i] === 0 && accept(value)).length / 20_000
    expect(wrongShare((value) => value >= plain)).toBeGreaterThan(0.12)
    const kept = wrongShare((value) => shifted(value, -1) >= moved)
    expect(kept).toBeLessThan(0.115)
    expect(kept).toBeGreaterThan(0.07)
  })
})

test('a shift moves what a confidence model says and accepts', async () => {
  const { questions } = readQuestions(lines.join('\n'))
  const calibration = await calibrate(knowing(), questions, { source: 's' })
  const prompt = readPrompt('What is word 2?', { hidden: null, tokens: 9 })
  const tokens = [
    { logprob: -1, margin: 1, entropy: 1 },
    { logprob: -2, margin: 1, entropy: 1 },
  ]
  const plain = createConfidenceModel(calibration, { modelHash: HASH })
  const lower = createConfidenceModel(calibration, { modelHash: HASH, shift: -1 })
  const told = plain.afterAnswer(prompt, tokens, '')!
  expect(lower.afterAnswer(prompt, tokens, '')).toBeCloseTo(shifted(told, -1), 9)
  const most = { kind: 'escalated', most: 0.9 } as const
  expect(lower.threshold('after', most)!).toBeLessThan(plain.threshold('after', most)!)
})
