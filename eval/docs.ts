import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { evaluationPage } from './docs-page'
import { linePlot, type PlotPanel, type PlotText } from './plots'
import type { EvalReport, Line, TaskCurves } from './report'

/**
 * `npm run eval:docs -- FILE.json` writes docs/evaluation.md and its pictures from what `npm run eval -- --json
 * FILE.json` found, and keeps the figures beside them as docs/evaluation.json.
 */
const DOCS = join(import.meta.dirname, '..', 'docs')
const input = process.argv[2]
if (input === undefined) {
  console.error('Usage: npm run eval:docs -- FILE.json')
  process.exit(2)
}
const json = await readFile(input, 'utf8')
const report = JSON.parse(json) as EvalReport
await mkdir(join(DOCS, 'images'), { recursive: true })
await writeFile(join(DOCS, 'evaluation.json'), json)

const diagonal: Line = [
  [0, 0],
  [1, 1],
]
/** From the local model's accuracy to the strong one's: what escalating at random gives. */
const randomly = ({ escalation }: TaskCurves): Line => [escalation[0]!, escalation.at(-1)!]

/** Of answering with the strong model at 1 a question and locally at 0; the same line as escalation, turned round. */
const costOf = (line: Line): Line => line.map(([share, quality]) => [quality, share] as const)

const pictures = [
  await picture(
    'eval-risk-coverage.svg',
    { title: 'Risk and coverage', x: 'share answered on the device', y: 'share of these that is wrong' },
    ({ riskCoverage }) => (riskCoverage.length === 0 ? [] : [{ label: 'confidence', points: riskCoverage }]),
  ),
  await picture(
    'eval-reliability.svg',
    { title: 'Reliability', x: 'confidence', y: 'accuracy' },
    ({ reliability }) =>
      reliability.length === 0
        ? []
        : [
            { label: 'confidence', points: reliability },
            { label: 'perfect', points: diagonal },
          ],
  ),
  await picture(
    'eval-escalation.svg',
    { title: 'Accuracy against share escalated', x: 'share escalated', y: 'accuracy' },
    (curves) => [
      { label: 'confidence', points: curves.escalation },
      { label: 'oracle', points: curves.oracle },
      { label: 'random', points: randomly(curves) },
    ],
  ),
  await picture(
    'eval-cost.svg',
    {
      title: 'Cost against accuracy',
      x: 'accuracy',
      y: 'cost, as a share of always asking the strong model',
    },
    (curves) => [
      { label: 'confidence', points: costOf(curves.escalation) },
      { label: 'oracle', points: costOf(curves.oracle) },
      { label: 'random', points: costOf(randomly(curves)) },
    ],
  ),
]
await writeFile(join(DOCS, 'evaluation.md'), evaluationPage(report, pictures))

async function picture(
  file: string,
  words: PlotText,
  linesOf: (curves: TaskCurves) => PlotPanel['lines'],
): Promise<{ path: string; title: string }> {
  const panels = Object.entries(report.curves).flatMap(([title, curves]): PlotPanel[] => {
    const lines = linesOf(curves)
    return lines.length === 0 ? [] : [{ title, lines }]
  })
  await writeFile(join(DOCS, 'images', file), linePlot(words, panels))
  return { path: `images/${file}`, title: words.title }
}
