import { css, html, svg, type TemplateResult } from 'lit'

/** One group of bars, for instance a day. */
export interface PlotGroup {
  readonly label: string
  /** One value a series, not negative; null where there is none. */
  readonly values: readonly (number | null)[]
}

export interface BarPlot {
  readonly title: string
  /** What the plot says, in a sentence. */
  readonly summary: string
  readonly series: readonly string[]
  readonly groups: readonly PlotGroup[]
  /** Top of the scale. Default: the largest value. */
  readonly most?: number
  readonly format: (value: number) => string
}

const WIDTH = 560
const HEIGHT = 120
const GAP = 0.3

/** A plot, with the same numbers as a table behind it. */
export function barPlot({ title, summary, series, groups, most, format }: BarPlot): TemplateResult {
  const top = most ?? Math.max(...groups.flatMap(({ values }) => values.map((value) => value ?? 0)), 1e-12)
  // Few groups do not become walls.
  const step = Math.min(WIDTH / Math.max(1, groups.length), 80)
  const bar = (step * (1 - GAP)) / series.length
  return html`<figure>
    <h3>${title}</h3>
    <p class="small">${summary}</p>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT + 20}" role="img" aria-label="${title}: ${summary}">
      <line class="axis" x1="0" x2=${WIDTH} y1=${HEIGHT} y2=${HEIGHT} />
      ${groups.map(({ label, values }, index) => {
        const left = index * step + (step * GAP) / 2
        return svg`${values.map((value, each) => {
          const height = value === null ? 0 : Math.max(value > 0 ? 2 : 0, (value / top) * (HEIGHT - 8))
          return svg`<rect class="series-${each}" x=${left + each * bar} y=${HEIGHT - height} width=${bar - 1} height=${height} />`
        })}
        ${
          isLabelled(index, groups.length)
            ? svg`<text x=${left + (step * (1 - GAP)) / 2} y=${HEIGHT + 15}>${label}</text>`
            : ''
        }`
      })}
    </svg>
    ${
      series.length > 1
        ? html`<p class="legend small" aria-hidden="true">
            ${series.map((name, index) => html`<span><i class="series-${index}"></i>${name}</span>`)}
          </p>`
        : ''
    }
    <details>
      <summary class="small">As a table</summary>
      <div class="scroll" tabindex="0" role="region" aria-label="${title}, as a table">
        <table>
          <thead>
            <tr>
              <td></td>
              ${series.map((name) => html`<th scope="col">${name}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${groups.map(
              ({ label, values }) =>
                html`<tr>
                  <th scope="row">${label}</th>
                  ${values.map((value) => html`<td>${value === null ? '–' : format(value)}</td>`)}
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </details>
  </figure>`
}

/** Labels that do not run into one another: at most about seven. */
function isLabelled(index: number, count: number): boolean {
  return index % Math.ceil(count / 7) === 0
}

export const plotTheme = css`
  figure {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 0.375rem;
  }

  svg {
    width: 100%;
    height: auto;
  }

  .axis {
    stroke: var(--_line);
  }

  text {
    fill: var(--_soft);
    font-size: 12px;
    text-anchor: middle;
  }

  .series-0 {
    fill: var(--_accent);
    background: var(--_accent);
  }

  .series-1 {
    fill: var(--_soft);
    background: var(--_soft);
  }

  .legend {
    display: flex;
    flex-wrap: wrap;
    gap: 0 1rem;
    color: var(--_soft);
  }

  .legend i {
    display: inline-block;
    width: 0.75rem;
    height: 0.75rem;
    margin-inline-end: 0.375rem;
    border-radius: 0.125rem;
  }

  .scroll {
    overflow-x: auto;
  }

  table {
    border-collapse: collapse;
    font-size: 0.875rem;
    font-variant-numeric: tabular-nums;
  }

  td,
  th {
    padding: 0.25rem 1rem 0.25rem 0;
    border-bottom: 1px solid var(--_line);
    font-weight: 400;
    text-align: start;
    white-space: nowrap;
  }

  thead th {
    color: var(--_soft);
  }
`
