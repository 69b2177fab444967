import type { TaskFigures } from './evaluate-task'
import type { RoutingFigures } from './evaluate-routing'
import { JUDGED, type LeftOutFigures } from './leave-one-task-out'
import type { Interval } from './metrics'
import type { Overhead } from './overhead'
import type { PrivateFigures } from './private-items'

/** What `npm run eval --json` writes. Keys of a task stay: accuracy, auroc, auroc_first16, ece, escalated_at_95, apgr. */
export interface EvalReport {
  readonly startedAt: string
  /** The command that asks the same of the same items. */
  readonly command: string
  readonly model: { readonly id: string; readonly hash: string; readonly quantization: string }
  /** By name of the file without ".jsonl". */
  readonly tasks: Readonly<Record<string, TaskFigures | RoutingFigures>>
  /** The same tasks where the model answered freely in a conversation instead of comparing texts. */
  readonly generated: Readonly<Record<string, TaskFigures>>
  /** All judged items of `tasks` together; null where there is but one such task. */
  readonly pooled: PooledFigures | null
  /** A probe fitted to all other tasks. */
  readonly leave_one_task_out: Readonly<Record<string, LeftOutFigures>> | null
  /** With --overhead. */
  readonly overhead: Overhead | null
  /** With --private. */
  readonly private_items: PrivateFigures | null
  /** Lines for the pictures. */
  readonly curves: Readonly<Record<string, TaskCurves>>
}

export interface PooledFigures {
  readonly items: number
  readonly auroc: number | null
  readonly auroc_first16: number | null
  readonly ece: number
  readonly ece_floor: number
  readonly intervals: Readonly<Record<'auroc' | 'ece', Interval | null>>
  readonly baselines: { readonly promptLength: number | null; readonly meanLogprob: number | null }
}

/** Points in 0…1. */
export type Line = readonly (readonly [x: number, y: number])[]

export interface TaskCurves {
  /** Share answered locally → share of these that is wrong. */
  readonly riskCoverage: Line
  /** Confidence → accuracy, one for each bin that is not empty. */
  readonly reliability: Line
  /** Share escalated → accuracy of the whole, by our confidence, by the oracle, at random. */
  readonly escalation: Line
  readonly oracle: Line
}

type AnyFigures = TaskFigures | RoutingFigures

/** The report for a terminal. */
export function formatReport({
  tasks,
  generated,
  pooled,
  leave_one_task_out: left,
  overhead,
  private_items: labelled,
}: EvalReport): string {
  const lines = [row(['task', 'items', ...KEYS, 'oracle esc.', 'length', 'mean logprob'])]
  const add = (name: string, figures: AnyFigures): void => {
    const { baselines } = figures
    lines.push(
      row([
        name,
        String(figures.items),
        ...KEYS.map((key) => show(figures[key])),
        'escalated_at_95_oracle' in figures ? show(figures.escalated_at_95_oracle) : '',
        show(baselines.promptLength),
        'meanLogprob' in baselines ? show(baselines.meanLogprob) : '',
      ]),
    )
    if (figures.skipped > 0)
      lines.push(`  ${figures.skipped} of ${name} skipped: no judge for them, or no such form`)
  }
  for (const [name, figures] of Object.entries(tasks)) add(name, figures)
  for (const [name, figures] of Object.entries(generated)) add(`${name}, free`, figures)
  if (pooled !== null) {
    lines.push(
      `pooled: ${pooled.items} items, AUROC ${show(pooled.auroc)}, first 16 tokens ${show(pooled.auroc_first16)}, ECE ${show(pooled.ece)}`,
    )
  }
  for (const [name, { auroc, ece, ece_judged: judged }] of Object.entries(left ?? {})) {
    lines.push(
      `without ${name}: AUROC ${show(auroc)}, ECE ${show(ece)}, with ${JUDGED} judged answers ${show(judged)}`,
    )
  }
  if (overhead !== null)
    lines.push(`signals on decode: ${(overhead.share * 100).toFixed(2)} %, median of ${overhead.pairs} pairs`)
  if (labelled !== null)
    lines.push(
      `labelled private: ${labelled.sent} of ${labelled.items} items sent, by ${labelled.routers} routers`,
    )
  return lines.join('\n')
}

const KEYS = ['accuracy', 'auroc', 'auroc_first16', 'ece', 'escalated_at_95', 'apgr'] as const

export function show(value: number | null): string {
  return value === null ? '–' : value.toFixed(3)
}

/** With its interval. */
export function range(interval: Interval | null): string {
  return interval === null ? '–' : `${show(interval.value)} (${show(interval.low)}–${show(interval.high)})`
}

function row(cells: readonly string[]): string {
  return cells.map((cell, index) => (index === 0 ? cell.padEnd(24) : cell.padStart(15))).join('')
}
