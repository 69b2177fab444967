/** One bar with its label and, as a thin line, the range of its samples. */
export interface Bar {
  readonly label: string
  readonly value: number
  readonly low: number
  readonly high: number
  /** Ours stand out. */
  readonly isOurs: boolean
}

export interface BarGroup {
  readonly title: string
  readonly bars: readonly Bar[]
}

const WIDTH = 720
const LABEL_WIDTH = 190
const VALUE_WIDTH = 70
const BAR_HEIGHT = 16
const ROW_HEIGHT = 22
const GROUP_GAP = 34
const TOP = 44

/**
 * Horizontal bars in groups, each group on its own scale from 0. Colours follow the reader's light or dark scheme;
 * nothing is told by colour alone.
 */
export function barChart(title: string, unit: string, groups: readonly BarGroup[]): string {
  const parts: string[] = []
  let y = TOP
  for (const group of groups) {
    parts.push(text(0, y + 4, group.title, 'group'))
    y += 14
    const longest = Math.max(...group.bars.map(({ high }) => high))
    for (const bar of group.bars) {
      parts.push(drawBar(bar, y, (value) => (value / longest) * (WIDTH - LABEL_WIDTH - VALUE_WIDTH)))
      y += ROW_HEIGHT
    }
    y += GROUP_GAP - ROW_HEIGHT + 14
  }
  const description = groups
    .map(
      (group) =>
        `${group.title}: ${group.bars.map(({ label, value }) => `${label} ${format(value)}`).join(', ')}`,
    )
    .join('. ')
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" role="img" aria-labelledby="title description">`,
    `<title id="title">${escape(title)}</title>`,
    `<desc id="description">${escape(`${unit}. ${description}.`)}</desc>`,
    `<style>${STYLE}</style>`,
    text(0, 16, title, 'title'),
    text(WIDTH, 16, unit, 'unit'),
    ...parts,
    '</svg>',
    '',
  ].join('\n')
}

const STYLE = [
  'text{font:13px system-ui,sans-serif;fill:#1f2328}',
  '.title{font-weight:600;font-size:15px}.group{font-weight:600}',
  '.unit,.value{fill:#59636e}.unit{text-anchor:end}',
  '.peer{fill:#afb8c1}.ours{fill:#0a7ea4}.range{stroke:#59636e;stroke-width:1.5}',
  '@media(prefers-color-scheme:dark){text{fill:#e6edf3}.unit,.value{fill:#9198a1}',
  '.peer{fill:#484f58}.ours{fill:#39b3d8}.range{stroke:#9198a1}}',
].join('')

function drawBar(
  { label, value, low, high, isOurs }: Bar,
  y: number,
  scale: (value: number) => number,
): string {
  const middle = y + BAR_HEIGHT / 2
  const end = LABEL_WIDTH + scale(high)
  return [
    text(0, middle + 4, label, isOurs ? 'group' : 'label'),
    `<rect class="${isOurs ? 'ours' : 'peer'}" x="${LABEL_WIDTH}" y="${y}" width="${round(scale(value))}" height="${BAR_HEIGHT}" rx="2"/>`,
    `<path class="range" d="M${round(LABEL_WIDTH + scale(low))} ${middle}H${round(end)}"/>`,
    text(round(end) + 6, middle + 4, format(value), 'value'),
  ].join('\n')
}

function text(x: number, y: number, content: string, style: string): string {
  return `<text class="${style}" x="${x}" y="${y}">${escape(content)}</text>`
}

function format(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(1)
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
