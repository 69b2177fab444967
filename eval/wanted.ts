import type { TaskFigures } from './evaluate-task'
import { JUDGED } from './leave-one-task-out'
import { range, show, type EvalReport } from './report'

/** One row a figure: name, measured, wanted, met, what bounds it. */
export function wanted({
  tasks,
  generated,
  pooled,
  leave_one_task_out: left,
  overhead,
  private_items: labelled,
}: EvalReport): string[][] {
  const rows: string[][] = []
  const add = (
    name: string,
    value: number | null | undefined,
    sign: '≥' | '≤',
    limit: number,
    bound = '',
  ): void => {
    if (value === undefined) return
    const met = value === null ? '–' : (sign === '≥' ? value >= limit : value <= limit) ? 'yes' : '**no**'
    rows.push([name, show(value), `${sign} ${limit}`, met, bound])
  }
  const judged = Object.entries(tasks).filter(
    (entry): entry is [string, TaskFigures] => 'ece_floor' in entry[1],
  )
  const arc = judged.find(([name]) => name === 'arc_easy')?.[1]
  add(
    'AUROC, ARC-Easy',
    arc?.auroc,
    '≥',
    0.72,
    `published: .675 (1B, P(True)), .714 (7B); best of all fits tried .687; a probe that has seen the labels ${show(arc?.baselines.seen ?? null)}; oracle 1`,
  )
  add('AUROC, pooled', pooled?.auroc, '≥', 0.8, 'published: .790')
  const free = Object.entries(generated)
  const asked = [
    { words: 'texts compared', entries: judged },
    { words: 'free answers', entries: free },
  ]
  add(
    'AUROC with the first 16 tokens, share of the whole, pooled',
    ratio(pooled?.auroc_first16, pooled?.auroc),
    '≥',
    0.95,
  )
  for (const { words, entries } of asked) {
    const worst = worstOf(entries, ({ auroc, auroc_first16: first }) => -(ratio(first, auroc) ?? Infinity))
    if (worst === null) continue
    const [name, { auroc, auroc_first16: first }] = worst
    const bound = `${name}: ${show(first)} of ${show(auroc)}`
    add(`the same, ${words}, worst task`, ratio(first, auroc), '≥', 0.95, bound)
  }
  add(
    'ECE in task, pooled',
    pooled?.ece,
    '≤',
    0.03,
    pooled === null ? '' : `chance alone ${show(pooled.ece_floor)}`,
  )
  for (const { words, entries } of asked) {
    const worst = worstOf(entries, ({ ece }) => ece ?? -Infinity)
    if (worst === null) continue
    const meanOf = (figure: (of: TaskFigures) => number | null): number => {
      const values = entries.flatMap(([, figures]) => figure(figures) ?? [])
      return values.reduce((sum, value) => sum + value, 0) / values.length
    }
    const chance = `chance alone ${show(meanOf((of) => of.ece_floor))}`
    add(
      `ECE in task, ${words}, mean of tasks`,
      meanOf((of) => of.ece),
      '≤',
      0.03,
      chance,
    )
    const [name, { ece, ece_floor: floor }] = worst
    add(`ECE in task, ${words}, worst task`, ece, '≤', 0.03, `${name}; chance alone ${show(floor)}`)
  }
  if (left !== null) {
    const errors = Object.values(left).map(({ ece }) => ece)
    add(
      'ECE on a task never seen, mean',
      errors.reduce((sum, error) => sum + error, 0) / errors.length,
      '≤',
      0.08,
      judgedBound(left),
    )
  }
  const risks = judged.flatMap(([, { risk }]) => (risk === null ? [] : [risk.meanRisk]))
  if (risks.length > 0) {
    add(
      'risk target of 5 %: mean risk over 100 resplits, worst task',
      Math.max(...risks),
      '≤',
      0.05,
      'published: .042',
    )
  }
  // A threshold that accepts nothing breaks nothing: only tasks where some answers are accepted say something.
  const tried = judged.filter(([, { risk }]) => risk !== null && risk.meanCoverage > 0.01)
  if (tried.length > 0) {
    const worst = Math.max(...tried.map(([, { risk }]) => risk!.broken))
    const names = tried.map(([name]) => name).join(', ')
    add(
      'risk target of 5 % broken, share of 100 resplits, worst task',
      worst,
      '≤',
      0.05,
      `answers accepted on ${names} only`,
    )
  }
  for (const [name, limit] of [
    ['routing_mmlu', 0.68],
    ['routing_gsm8k', 0.63],
  ] as const) {
    const figures = tasks[name]
    if (figures === undefined || !('cpt_50' in figures)) continue
    const { domain, oracle } = figures.baselines
    add(
      `APGR, ${name}`,
      figures.apgr,
      '≥',
      limit,
      `${range(figures.apgr_interval)}; oracle ${show(oracle)}${domain === null ? '' : `, subject's mean ${show(domain)}`}`,
    )
  }
  // The figure is wanted of tasks that the local model does well; without one, the best task's shows how far it is.
  const isDoneWell = ({ accuracy }: TaskFigures): boolean => accuracy !== null && accuracy >= 0.85
  const best = judged.toSorted(([, a], [, b]) => (b.accuracy ?? 0) - (a.accuracy ?? 0))[0]
  if (best !== undefined && !isDoneWell(best[1])) {
    const [name, { accuracy, escalated_at_95: share, escalated_at_95_oracle: oracle, intervals }] = best
    rows.push([
      "escalated at 95 % of the strong model's quality, tasks done at ≥ 0.85",
      'no such task',
      '≤ 0.2',
      '–',
      `${name}, done at ${show(accuracy)}: ${show(share)} (${show(intervals.escalated_at_95?.low ?? null)}–${show(intervals.escalated_at_95?.high ?? null)}), oracle ${show(oracle)}`,
    ])
  }
  for (const [name, figures] of judged) {
    if (!isDoneWell(figures)) continue
    add(
      `escalated at 95 % of the strong model's quality, ${name}`,
      figures.escalated_at_95,
      '≤',
      0.2,
      `oracle ${show(figures.escalated_at_95_oracle)}`,
    )
  }
  add(
    'reading all signals, added to decoding',
    overhead?.share,
    '≤',
    0.02,
    overhead === null ? '' : `${range(overhead.interval)}; below 0: noise`,
  )
  if (labelled !== null)
    rows.push([
      `sent of ${labelled.items} items labelled private, each through ${labelled.routers} routers whose hops fail`,
      String(labelled.sent),
      '0',
      labelled.sent === 0 ? 'yes' : '**no**',
      `without the label ${labelled.routersThatSend} of these routers send`,
    ])
  return rows
}

/** The task with the most of something; null without tasks. */
function worstOf(
  entries: readonly (readonly [string, TaskFigures])[],
  badness: (figures: TaskFigures) => number,
): readonly [string, TaskFigures] | null {
  return entries.toSorted(([, a], [, b]) => badness(b) - badness(a))[0] ?? null
}

function judgedBound(left: NonNullable<EvalReport['leave_one_task_out']>): string {
  // A task too small to judge some of it stays as it is.
  const errors = Object.values(left).map(({ ece, ece_judged: mended }) => mended ?? ece)
  return `with ${JUDGED} answers judged ${show(errors.reduce((sum, error) => sum + error, 0) / errors.length)}`
}

function ratio(part: number | null | undefined, whole: number | null | undefined): number | null | undefined {
  if (part === undefined || whole === undefined) return undefined
  return part === null || whole === null ? null : part / whole
}
