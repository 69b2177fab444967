import type { Engine } from '../../contract/engine'
import { EngineError } from '../../contract/error'
import { readPrompt } from '../signals/prompt-signal'
import { conversed, type AskedItem } from './ask-item'
import { fitCalibrationInSteps, type LabelledAnswer } from './fit-calibration'
import { parseItems } from './labelled-item'
import type { Calibration } from './schema'

/** Questions that the local model can be asked and whose answers can be judged. */
export interface LabelledQuestions {
  readonly questions: readonly AskedItem[]
  /** Lines of no known form, or whose answers no rule can judge. */
  readonly skippedLines: number
}

/**
 * Reads labelled questions: one JSON object a line, for instance `{"question": "…", "answer": "…"}`; eval/README.md has all
 * forms.
 */
export function readQuestions(jsonl: string): LabelledQuestions {
  const { items, skippedLines } = parseItems(jsonl)
  const questions = items.map(conversed).filter((question) => question !== null)
  return { questions, skippedLines: skippedLines + items.length - questions.length }
}

export interface CalibrateOptions {
  /** What the questions are, in words; kept in the calibration. */
  readonly source: string
  /** A system message, where the calibrated use has one. Default: none. */
  readonly system?: string
  readonly signal?: AbortSignal
  /** Of `total` questions; then it is fitted, which takes seconds. */
  readonly onProgress?: (asked: number, total: number) => void
}

/**
 * Asks the local engine labelled questions and fits a calibration to its answers, without blocking for long.
 * @throws EngineError 'unsupported' where the engine tells neither its model's hash nor signals, 'invalid-argument' where
 * the questions are too few (`fitCalibration`); the signal's reason.
 */
export async function calibrate(
  local: Engine,
  questions: readonly AskedItem[],
  { source, system, signal, onProgress }: CalibrateOptions,
): Promise<Calibration> {
  const { model: id, modelHash: hash, quantization } = local.info
  if (hash === undefined || quantization === undefined) {
    throw new EngineError(
      'unsupported',
      `The engine '${id}' does not tell which file its model is of; a calibration would belong to no model.`,
    )
  }
  const answers: LabelledAnswer[] = []
  // In an order that has to do with nothing: which part an answer goes to is told by its place.
  for (const question of shuffled(questions)) {
    signal?.throwIfAborted()
    answers.push(await askOne(local, question, system, signal))
    onProgress?.(answers.length, questions.length)
  }
  const createdAt = new Date().toISOString()
  const steps = fitCalibrationInSteps(answers, { model: { id, hash, quantization }, source, createdAt })
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 0))
    signal?.throwIfAborted()
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

async function askOne(
  local: Engine,
  { context, maxTokens, isRight }: AskedItem,
  system: string | undefined,
  signal: AbortSignal | undefined,
): Promise<LabelledAnswer> {
  const completion = await local.chat.completions.create(
    {
      messages: [
        ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
        { role: 'user', content: context },
      ],
      temperature: 0,
      max_tokens: maxTokens,
      minnow: { signals: true, overflow: 'slide' },
    },
    signal === undefined ? {} : { signal },
  )
  const { signals, promptSignals } = completion.minnow ?? {}
  if (signals === undefined) {
    throw new EngineError(
      'unsupported',
      `The engine '${local.info.model}' tells nothing of how sure it is (minnow.signals), so it cannot be calibrated.`,
    )
  }
  return {
    prompt: readPrompt(context, promptSignals ?? null),
    tokens: signals,
    isRight: isRight(completion.choices[0]?.message.content ?? ''),
  }
}

/** Always in the same way (Fisher and Yates, by a linear congruential generator). */
function shuffled<T>(items: readonly T[]): T[] {
  const order = [...items]
  let state = 1
  for (let i = order.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const j = Math.floor((state / 2 ** 32) * (i + 1))
    ;[order[i], order[j]] = [order[j]!, order[i]!]
  }
  return order
}
