import type { Report } from './report'
import { byCpuTime, describeWanted, formatFigure, isMet, TARGETS } from './targets'

/** The report for a terminal. */
export function formatReport(report: Report): string {
  const speeds = report.speeds.map((row) => [
    `${row.measure} ${row.tokens}`,
    row.subject,
    formatFigure(row.tokensPerSecond),
    `${formatFigure(row.slowest)}…${formatFigure(row.fastest)}`,
    String(row.samples),
    row.cpuSecondsPer1000 === null ? '' : formatFigure(row.cpuSecondsPer1000),
  ])
  const figures = TARGETS.map((target) => {
    const value = report.ratios[target.key]
    const met = isMet(target, value)
    const verdict = met === null ? '' : met ? 'met' : 'NOT met'
    return [
      target.key,
      value === null ? 'not measured' : formatFigure(value),
      describeWanted(target),
      verdict,
      byCpuTime(report.cpuRatios, target.key),
    ]
  })
  return [
    layOut(['', 'subject', 'tokens/s', 'range', 'runs', 'CPU s per 1,000'], speeds),
    layOut(['ratio', 'value', 'wanted', '', 'by CPU time'], figures),
    `Load average at the start: ${report.machine.loadAverage.map((value) => value.toFixed(2)).join(', ')}`,
  ].join('\n\n')
}

export function layOut(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd()
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}
