import * as z from 'zod/mini'
import { EngineError } from '../../contract/error'

const share = z.number().check(z.minimum(0), z.maximum(1))
const base64 = z.string().check(z.regex(/^[A-Za-z0-9+/]*={0,2}$/), z.maxLength(200_000))
const numbers = z.array(z.number()).check(z.maxLength(20_000))

const stageSchema = z.object({
  probe: z.object({
    intercept: z.number(),
    weights: z.array(z.number()).check(z.maxLength(200)),
    /** f32, little-endian, base64; null where the hidden state is not looked at. */
    hiddenWeights: z.nullable(base64),
  }),
  curve: z.object({ scores: numbers, probabilities: z.array(share).check(z.maxLength(20_000)) }),
  /** Items that took no part in fitting, for thresholds. */
  heldBack: z.object({ confidence: z.array(share).check(z.maxLength(20_000)), right: z.array(share) }),
  /** On further items that took no part in anything; null where they were too few or all of one kind. */
  figures: z.object({ items: z.int(), auroc: z.nullable(share), ece: z.nullable(share) }),
})

const taskSchema = z.object({
  /** Labelled questions it was made of, and the share the local model answered rightly. */
  items: z.int(),
  accuracy: share,
  stages: z.object({ before: stageSchema, during: stageSchema, after: stageSchema }),
})

const calibrationSchema = z.object({
  schemaVersion: z.literal(1),
  model: z.object({
    id: z.string().check(z.maxLength(200)),
    /** SHA-256 of the file, lower-case hex. */
    hash: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
    quantization: z.string().check(z.maxLength(50)),
  }),
  /** ISO 8601. */
  createdAt: z.string().check(z.maxLength(40)),
  /** What it was fitted to, in words. */
  source: z.string().check(z.maxLength(2000)),
  /** By kind of task; 'any' is for kinds that have none of their own. */
  tasks: z.record(z.string(), taskSchema),
})

export type StageCalibration = Readonly<z.infer<typeof stageSchema>>
export type TaskCalibration = Readonly<z.infer<typeof taskSchema>>
/** A calibration as a file holds it. */
export type Calibration = Readonly<z.infer<typeof calibrationSchema>>

/**
 * Checks a calibration, given as the text or the value of its JSON.
 * @throws EngineError 'invalid-argument' that names the first field that is wrong
 */
export function parseCalibration(json: unknown): Calibration {
  let value = json
  if (typeof json === 'string') {
    try {
      value = JSON.parse(json)
    } catch (cause) {
      throw new EngineError(
        'invalid-argument',
        'The calibration is no JSON; make one with "minnow calibrate".',
        {
          cause,
        },
      )
    }
  }
  const result = calibrationSchema.safeParse(value)
  if (!result.success) {
    const [issue] = result.error.issues
    throw invalid(issue?.path.join('.') || 'the whole', issue?.message ?? 'is not as it should be')
  }
  for (const [task, { stages }] of Object.entries(result.data.tasks)) {
    for (const [stage, { curve, heldBack }] of Object.entries(stages)) {
      const at = `tasks.${task}.stages.${stage}`
      if (curve.scores.length !== curve.probabilities.length)
        throw invalid(`${at}.curve`, 'has lists of two lengths')
      if (!isRising(curve.scores) || !isRising(curve.probabilities))
        throw invalid(`${at}.curve`, 'does not rise')
      if (heldBack.confidence.length !== heldBack.right.length) {
        throw invalid(`${at}.heldBack`, 'has lists of two lengths')
      }
    }
  }
  return result.data
}

function isRising(values: readonly number[]): boolean {
  return values.every((value, index) => index === 0 || value >= values[index - 1]!)
}

function invalid(field: string, what: string): EngineError {
  return new EngineError(
    'invalid-argument',
    `The calibration's field '${field}' ${what}; make the file anew with "minnow calibrate".`,
    { details: { field } },
  )
}
