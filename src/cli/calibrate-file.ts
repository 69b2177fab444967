import { readFile, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { calibrate, readQuestions } from '../router/calibration/calibrate'
import { createConfidenceModel } from '../router/calibration/confidence-model'
import type { Calibration } from '../router/calibration/schema'
import type { CalibrationTarget, TaskKind } from '../router/signals/types'
import { decimal, invalid, parsed } from './argument-values'
import type { Command } from './command'
import {
  ENGINE_OPTIONS,
  ENGINE_USAGE,
  openEngine,
  readEngineArguments,
  type EngineArguments,
} from './engine-arguments'

const USAGE = `Usage: minnow calibrate FILE.jsonl [options]
Asks the model labelled questions and writes how likely its answers are right, for routers: a small JSON bound to the
model's file. One question a line, such as {"question": "…", "answer": "…"}; at least 50, better 300.

  --out FILE            where to write it (default: calibration.json)
  --target KIND=MOST    prints the threshold that keeps it: risk=0.1 (default), selective-risk=0.1, escalated=0.2, or
                        cost=1: US dollars for 1,000 questions, with --per-question
  --per-question USD    what the bigger model takes for a question
  --system TEXT         a system message before each question
${ENGINE_USAGE}
  --help`

export const calibrateFile: Command = {
  usage: USAGE,
  async run(argv, { output, messages }, signal) {
    const given = readCalibrateArguments(argv)
    const { questions, skippedLines } = readQuestions(await readFile(given.file, 'utf8'))
    if (skippedLines > 0) messages.write(`${skippedLines} lines could not be used\n`)
    const engine = await openEngine(given, messages, signal)
    const [before, after] = messages.isTTY === true ? ['\r', ''] : ['', '\n']
    try {
      const calibration = await calibrate(engine, questions, {
        source: basename(given.file),
        signal,
        ...(given.system === null ? {} : { system: given.system }),
        onProgress: (asked, total) => {
          if (after === '' || asked % 25 === 0 || asked === total)
            messages.write(`${before}${asked} of ${total} asked${after}`)
        },
      })
      await writeFile(given.out, `${JSON.stringify(calibration)}\n`)
      output.write(`${before}${report(calibration, given.target)}\n${given.out} is written.\n`)
    } finally {
      await engine.dispose()
    }
  },
}

export interface CalibrateArguments extends EngineArguments {
  readonly file: string
  readonly out: string
  readonly target: CalibrationTarget
  readonly system: string | null
}

/** @throws EngineError 'invalid-argument' that names the argument */
export function readCalibrateArguments(argv: readonly string[]): CalibrateArguments {
  const text = { type: 'string' } as const
  const { values, positionals } = parsed(() =>
    parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { ...ENGINE_OPTIONS, out: text, target: text, 'per-question': text, system: text },
    }),
  )
  const [file, second] = positionals
  if (file === undefined || second !== undefined)
    throw invalid(`Give one file of questions; there are ${positionals.length}.`)
  return {
    ...readEngineArguments(values),
    file,
    out: values.out ?? 'calibration.json',
    target: readTarget(values.target ?? 'risk=0.1', values['per-question']),
    system: values.system ?? null,
  }
}

function readTarget(text: string, perQuestionText: string | undefined): CalibrationTarget {
  const [, kind, amount] = /^(risk|selective-risk|escalated|cost)=(\d*\.?\d+)$/.exec(text) ?? []
  const most = Number(amount)
  if (kind === undefined || (kind !== 'cost' && most > 1))
    throw invalid(`--target must be a kind and how much at most, such as risk=0.1, but is ${text}.`)
  if (kind !== 'cost') return { kind: kind as 'risk' | 'selective-risk' | 'escalated', most }
  const perQuestion = decimal('--per-question', perQuestionText, 0, 1000)
  if (perQuestion === null || perQuestion === 0)
    throw invalid('--target cost=… needs --per-question: US dollars above 0 for a question.')
  return { kind: 'cost', most, perQuestion }
}

function report(calibration: Calibration, target: CalibrationTarget): string {
  const model = createConfidenceModel(calibration, { modelHash: calibration.model.hash })
  const share = (value: number | null): string => (value === null ? 'unknown' : value.toFixed(3))
  return Object.entries(calibration.tasks)
    .map(([task, { items, accuracy, stages }]) => {
      const { figures, heldBack } = stages.after
      const kind = task === 'any' ? undefined : (task as TaskKind)
      const threshold = model.threshold('after', target, kind) ?? Infinity
      const stay = Array.from(heldBack.confidence).filter((value) => value >= threshold).length
      return (
        `${task}: ${items} answers, ${share(accuracy)} right; AUROC ${share(figures.auroc)}, ECE ${share(figures.ece)}; ` +
        `accepted from ${threshold === Infinity ? 'no confidence' : share(threshold)} on: ` +
        `${stay} of ${heldBack.confidence.length} held-back answers stay`
      )
    })
    .join('\n')
}
