import { css, html, nothing, svg, type TemplateResult } from 'lit'
import { escalationStrings } from './strings/escalation'

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

/** A plot, with the same numbers as a table behind it. */
export function barPlot({ title, summary, series, groups, most, format }: BarPlot): TemplateResult {
  const top = most ?? Math.max(...groups.flatMap(({ values }) => values.map((value) => value ?? 0)), 1e-12)
  const words = escalationStrings.of().usage
  const width = 100 / series.length
  return html`<figure>
    <h3>${title}</h3>
    <p class="small">${summary}</p>
    <div class="plot" role="img" aria-label="${title}: ${summary}">
      ${groups.map(
        ({ label, values }, index) =>
          html`<div class="group">
            <svg viewBox="0 0 100 100" preserveAspectRatio="none">
              ${values.map((value, each) => {
                // What is more than nothing is seen.
                const height = value === null || value === 0 ? 0 : Math.max(1.5, (value / top) * 100)
                return svg`<rect class="series-${each}" x=${each * width} y=${100 - height} width=${width} height=${height} />`
              })}
            </svg>
            <span>${isLabelled(index, groups.length) ? label : nothing}</span>
          </div>`,
      )}
    </div>
    ${
      series.length > 1
        ? html`<p class="legend small" aria-hidden="true">
            ${series.map((name, index) => html`<span><i class="series-${index}"></i>${name}</span>`)}
          </p>`
        : nothing
    }
    <details>
      <summary class="small">${words.asTable}</summary>
      <div class="scroll" tabindex="0" role="region" aria-label=${words.titleAsTable(title)}>
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

  .plot {
    display: flex;
    gap: 2%;
    height: 8.5rem;
    padding-top: 0.25rem;
    border-radius: 0.375rem;
  }

  .group {
    display: flex;
    flex: 1 1 0;
    flex-direction: column;
    align-items: center;
    min-width: 0;
    max-width: 5rem;
  }

  .group svg {
    flex: 1;
    width: 100%;
    min-height: 0;
    border-bottom: 1px solid var(--_soft);
  }

  .group span {
    height: 1.5rem;
    color: var(--_soft);
    font-size: 0.75rem;
    line-height: 1.5rem;
    white-space: nowrap;
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
