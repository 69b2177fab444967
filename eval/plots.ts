import type { Line } from './report'

/** One line of a picture. */
export interface PlotLine {
  readonly label: string
  readonly points: Line
}

export interface PlotPanel {
  readonly title: string
  readonly lines: readonly PlotLine[]
}

export interface PlotText {
  readonly title: string
  readonly x: string
  readonly y: string
}

const PANEL = 220
const GAP = 56
const LEFT = 46
const TOP = 62
const COLUMNS = 3

/** Panels of lines over 0…1 by 0…1, with a legend of dashes: nothing is told by colour alone. */
export function linePlot({ title, x, y }: PlotText, panels: readonly PlotPanel[]): string {
  const columns = Math.min(COLUMNS, panels.length)
  const rows = Math.ceil(panels.length / columns)
  const width = Math.max(LEFT + columns * (PANEL + GAP), 380)
  const height = TOP + rows * (PANEL + GAP)
  const labels = [...new Set(panels.flatMap(({ lines }) => lines.map(({ label }) => label)))]
  const parts = panels.map((panel, index) => {
    const left = LEFT + (index % columns) * (PANEL + GAP)
    const top = TOP + Math.floor(index / columns) * (PANEL + GAP)
    return drawPanel(panel, left, top, labels)
  })
  const legend = labels.map((label, index) => {
    const at = LEFT + index * 150
    return `<path class="l${index}" d="M${at} 34h24"/>${text(at + 30, 38, label, 'label')}`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title description">`,
    `<title id="title">${escape(title)}</title>`,
    `<desc id="description">${escape(`${y} over ${x}: ${panels.map((panel) => panel.title).join(', ')}.`)}</desc>`,
    `<style>${STYLE}</style>`,
    text(0, 16, title, 'title'),
    text(width, 16, `${y} over ${x}`, 'unit'),
    ...legend,
    ...parts,
    '</svg>',
    '',
  ].join('\n')
}

const STYLE = [
  'text{font:12px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600;font-size:15px}.group{font-weight:600}',
  '.unit,.tick{fill:#59636e}.unit,.y{text-anchor:end}.x{text-anchor:middle}path{fill:none;stroke-width:1.8}',
  '.frame{stroke:#d1d9e0;stroke-width:1}.l0{stroke:#0a7ea4}.l1{stroke:#bc4c00;stroke-dasharray:6 3}',
  '.l2{stroke:#59636e;stroke-dasharray:2 3}.l3{stroke:#8250df;stroke-dasharray:8 3 2 3}',
  '@media(prefers-color-scheme:dark){text{fill:#e6edf3}.unit,.tick{fill:#9198a1}.frame{stroke:#3d444d}',
  '.l0{stroke:#39b3d8}.l1{stroke:#f0883e}.l2{stroke:#9198a1}.l3{stroke:#ab7df8}}',
].join('')

function drawPanel(
  { title, lines }: PlotPanel,
  left: number,
  top: number,
  labels: readonly string[],
): string {
  const at = ([x, y]: readonly [number, number]): string =>
    `${round(left + x * PANEL)} ${round(top + (1 - y) * PANEL)}`
  const ticks = [0, 0.5, 1].flatMap((value) => [
    text(left + value * PANEL, top + PANEL + 16, String(value), 'tick x'),
    text(left - 6, top + (1 - value) * PANEL + 4, String(value), 'tick y'),
  ])
  return [
    text(left, top - 6, title, 'group'),
    `<path class="frame" d="M${left} ${top}v${PANEL}h${PANEL}M${left} ${top + PANEL / 2}h${PANEL}"/>`,
    ...ticks,
    ...lines
      .filter(({ points }) => points.length > 1)
      .map(
        ({ label, points }) => `<path class="l${labels.indexOf(label)}" d="M${points.map(at).join('L')}"/>`,
      ),
  ].join('\n')
}

function text(x: number, y: number, content: string, style: string): string {
  return `<text class="${style}" x="${round(x)}" y="${round(y)}">${escape(content)}</text>`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
