import type { TaskFigures } from './evaluate-task'
import type { RoutingFigures } from './evaluate-routing'
import { JUDGED } from './leave-one-task-out'
import { range, show, type EvalReport } from './report'
import { wanted } from './wanted'

/** docs/evaluation.md: what a report says, and nothing else. */
export function evaluationPage(
  report: EvalReport,
  pictures: readonly { path: string; title: string }[],
): string {
  const { model, startedAt, command, tasks, generated, pooled, leave_one_task_out: left } = report
  const judged = Object.entries(tasks).filter(
    (entry): entry is [string, TaskFigures] => 'ece_floor' in entry[1],
  )
  const routing = Object.entries(tasks).filter(
    (entry): entry is [string, RoutingFigures] => 'cpt_50' in entry[1],
  )
  const strong = judged[0]?.[1].strong.accuracy
  return `<!-- Written by \`npm run eval:docs\` from evaluation.json: change the scripts in eval/, not this file. -->

# How well Minnow knows when it does not know

${model.id}, ${model.quantization}, ${startedAt.slice(0, 10)}; [eval/README.md](../eval/README.md) says how and on what. Made by:

\`\`\`sh
${command} --json figures.json
npm run eval:docs -- figures.json
\`\`\`

Where a set was not asked whole, it is its first items: "first 400 of 1,000".
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
The confidences are those of the table above, fitted once and not anew for each split: a probe that scores one half may have
been fitted to some of the other.

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
        Object.entries(left).map(([name, { intervals, ece_judged: mended }]) => [
          name,
          range(intervals.auroc),
          range(intervals.ece),
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
  'model is known; others count as the mean of these. Weights of words and scales are taken from the other four fifths, ' +
  'as the fits are. The form of the router (ridge, plus the gap to be expected of the ' +
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
  'escalated at 95 %',
]

function taskRow([name, figures]: readonly [string, TaskFigures]): string[] {
  const { intervals, baselines } = figures
  return [
    name,
    itemsOf(figures),
    range(intervals.accuracy),
    range(intervals.auroc),
    show(figures.auroc_first16),
    show(figures.auroc_before),
    `${show(figures.ece)} (${show(figures.ece_floor)})`,
    show(baselines.promptLength),
    show(baselines.meanLogprob),
    `${range(intervals.escalated_at_95)}, oracle ${show(figures.escalated_at_95_oracle)}`,
  ]
}

function routingRow([name, figures]: readonly [string, RoutingFigures]): string[] {
  const { baselines } = figures
  return [
    name,
    itemsOf(figures),
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

/** '1,400', or 'first 400 of 1,000' where not all were asked; items without a judge count as asked. */
function itemsOf({ items, skipped, available }: TaskFigures | RoutingFigures): string {
  const of = available.toLocaleString('en')
  return items + skipped < available ? `first ${items.toLocaleString('en')} of ${of}` : of
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
