import type { TaskFigures } from './evaluate-task'
import type { RoutingFigures } from './evaluate-routing'
import { JUDGED } from './leave-one-task-out'
import type { Interval } from './metrics'
import { show, type EvalReport } from './report'

/** docs/evaluation.md: what a report says, and nothing else. */
export function evaluationPage(
  report: EvalReport,
  pictures: readonly { path: string; title: string }[],
): string {
  const { model, startedAt, tasks, generated, pooled, leave_one_task_out: left } = report
  const judged = Object.entries(tasks).filter(
    (entry): entry is [string, TaskFigures] => 'ece_floor' in entry[1],
  )
  const routing = Object.entries(tasks).filter(
    (entry): entry is [string, RoutingFigures] => 'cpt_50' in entry[1],
  )
  const strong = judged[0]?.[1].strong.accuracy
  return `<!-- Written by \`npm run eval:docs\` from evaluation.json: change the scripts in eval/, not this file. -->

# How well Minnow knows when it does not know

${model.id}, ${model.quantization}, ${startedAt.slice(0, 10)}, \`npm run eval\`; [eval/README.md](../eval/README.md) says how and on what.
Every item is scored by a probe and a curve that have not seen it. Intervals are of 95 % (bootstrap over items).
${strong === undefined ? '' : `The strong model is simulated here: right in ${percent(strong)} of all questions, whichever they are.`}

## Against what was wanted

${table(['figure', 'measured', 'wanted', 'met', 'bound'], wanted(report))}

## Texts compared

Multiple choice by the choices' log-probabilities; other tasks by going on with the text.

${table(TASK_HEAD, judged.map(taskRow))}

${Object.keys(generated).length === 0 ? '' : `## Free answers\n\nThe same model asked in a conversation, its text judged.\n\n${table(TASK_HEAD, Object.entries(generated).map(taskRow))}\n`}
${pooled === null ? '' : `All ${pooled.items.toLocaleString('en')} items together: AUROC ${range(pooled.intervals.auroc)}, with the first 16 tokens ${show(pooled.auroc_first16)}, ECE ${range(pooled.intervals.ece)} (chance alone: ${show(pooled.ece_floor)}). Mean log-probability alone: ${show(pooled.baselines.meanLogprob)}; prompt length: ${show(pooled.baselines.promptLength)}.`}

## Risk kept

A threshold for at most 5 % wrong answers among those given locally, picked on a random half and tried on the other, 100 times.
"Broken" is how often the other half had more; "at least" is what any method free of assumptions must leave to others.

${table(
  [
    'task',
    'broken',
    'answered locally',
    'left to others',
    'at least',
    'all questions: local and wrong, mean',
  ],
  judged.flatMap(([name, { risk }]) =>
    risk === null
      ? []
      : [
          [
            name,
            percent(risk.broken),
            percent(risk.meanCoverage),
            percent(1 - risk.meanCoverage),
            percent(risk.abstentionBound),
            percent(risk.meanRisk),
          ],
        ],
  ),
)}

${
  left === null
    ? ''
    : `## A task never seen\n\n${LEFT_OUT}\n\n${table(
        ['task', 'AUROC', 'ECE', `ECE, ${JUDGED} answers judged`],
        Object.entries(left).map(([name, { auroc, ece, ece_judged: mended }]) => [
          name,
          show(auroc),
          show(ece),
          show(mended),
        ]),
      )}\n`
}
${routing.length === 0 ? '' : `## Routing by the prompt alone\n\n${ROUTING}\n\n${table(['set', 'items', 'read', 'weak', 'strong', 'APGR', 'CPT 50 %', 'CPT 80 %', 'length', "subject's mean", 'oracle'], routing.map(routingRow))}\n`}
${pictures.map(({ path, title }) => `![${title}](${path})`).join('\n\n')}
`
}

const LEFT_OUT =
  'A logistic probe fitted to all other tasks, each counting alike, on the log-odds the model itself gives its answer. ' +
  'Whether these are steadied by √tokens, and whether agreement of two ways to compare choices counts, is chosen by leaving ' +
  'out each of the other tasks in turn. Empty answers count as wrong. Which features to choose among was settled with all ' +
  'of these tasks in sight. The last column: after so many answers of the task were judged, confidences moved by one step.'

const ROUTING =
  'On RouteLLM\'s recorded outcomes (weak: Mixtral 8x7B, strong: GPT-4). "Read": prompts whose hidden state of the local ' +
  'model is known; others count as the mean of these. The form of the router (ridge, plus the gap to be expected of the ' +
  'subjects a text may be of) was settled on the first 3,653 items of routing_mmlu.'

const TASK_HEAD = [
  'task',
  'items',
  'accuracy',
  'AUROC',
  'first 16',
  'prompt only',
  'ECE (chance)',
  'length',
  'mean logprob',
  'escalated at 95 % (oracle)',
]

function taskRow([name, figures]: readonly [string, TaskFigures]): string[] {
  const { intervals, baselines } = figures
  return [
    name,
    figures.items.toLocaleString('en'),
    range(intervals.accuracy),
    range(intervals.auroc),
    show(figures.auroc_first16),
    show(figures.auroc_before),
    `${show(figures.ece)} (${show(figures.ece_floor)})`,
    show(baselines.promptLength),
    show(baselines.meanLogprob),
    `${show(figures.escalated_at_95)} (${show(figures.escalated_at_95_oracle)})`,
  ]
}

function routingRow([name, figures]: readonly [string, RoutingFigures]): string[] {
  const { baselines } = figures
  return [
    name,
    figures.items.toLocaleString('en'),
    figures.withHidden.toLocaleString('en'),
    show(figures.accuracy),
    show(figures.strong.accuracy),
    range(figures.apgr_interval),
    show(figures.cpt_50),
    show(figures.cpt_80),
    show(baselines.promptLength),
    show(baselines.domain),
    show(baselines.oracle),
  ]
}

/** One row a figure: name, measured, wanted, met, what bounds it. */
function wanted({
  tasks,
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
  add('AUROC, ARC-Easy', arc?.auroc, '≥', 0.72, 'published: .675 (1B, P(True)), .714 (7B)')
  add('AUROC, pooled', pooled?.auroc, '≥', 0.8, 'published: .790')
  add(
    'AUROC with the first 16 tokens, share of the whole, pooled',
    ratio(pooled?.auroc_first16, pooled?.auroc),
    '≥',
    0.95,
  )
  add(
    'ECE in task, pooled',
    pooled?.ece,
    '≤',
    0.03,
    pooled === null ? '' : `chance alone ${show(pooled.ece_floor)}`,
  )
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
      `oracle ${show(oracle)}${domain === null ? '' : `, subject's mean ${show(domain)}`}`,
    )
  }
  // The figure is wanted of tasks that the local model does well; without one, the best task's shows how far it is.
  const isDoneWell = ({ accuracy }: TaskFigures): boolean => accuracy !== null && accuracy >= 0.85
  const best = judged.toSorted(([, a], [, b]) => (b.accuracy ?? 0) - (a.accuracy ?? 0))[0]
  if (best !== undefined && !isDoneWell(best[1])) {
    const [name, { accuracy, escalated_at_95: share, escalated_at_95_oracle: oracle }] = best
    rows.push([
      "escalated at 95 % of the strong model's quality, tasks done at ≥ 0.85",
      'no such task',
      '≤ 0.2',
      '–',
      `${name}, done at ${show(accuracy)}: ${show(share)}, oracle ${show(oracle)}`,
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
  add('reading all signals, added to decoding', overhead?.share, '≤', 0.02, 'below 0: noise')
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

function judgedBound(left: NonNullable<EvalReport['leave_one_task_out']>): string {
  // A task too small to judge some of it stays as it is.
  const errors = Object.values(left).map(({ ece, ece_judged: mended }) => mended ?? ece)
  return `with ${JUDGED} answers judged ${show(errors.reduce((sum, error) => sum + error, 0) / errors.length)}`
}

function ratio(part: number | null | undefined, whole: number | null | undefined): number | null | undefined {
  if (part === undefined || whole === undefined) return undefined
  return part === null || whole === null ? null : part / whole
}

function range(interval: Interval | null): string {
  return interval === null ? '–' : `${show(interval.value)} (${show(interval.low)}–${show(interval.high)})`
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
