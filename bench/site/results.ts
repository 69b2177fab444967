import { median, ratio } from '../statistics'
import type { AnswerTimes } from './subjects'

/** What came of one engine. */
export interface SubjectResult {
  readonly id: string
  readonly name: string
  readonly isOurs: boolean
  description: string
  loadMs?: number
  /** Why it stopped; null: it did not. */
  failure: string | null
  readonly answers: (AnswerTimes & { question: string })[]
  /** Share of its tokens that are the likeliest, 0…1; null before the check. */
  agreement: number | null
}

/** Tokens a second after the first. */
export function writingSpeed({ answers }: SubjectResult): number | null {
  return median(
    answers
      .filter(({ newTokens, restMs }) => newTokens > 1 && restMs > 0)
      .map(({ newTokens, restMs }) => ((newTokens - 1) * 1000) / restMs),
  )
}

/** Prompt tokens a second until the first text; null of engines that do not count them. */
function readingSpeed({ answers }: SubjectResult): number | null {
  return median(
    answers
      .filter(({ promptTokens }) => promptTokens > 0)
      .map(({ promptTokens, firstTokenMs }) => (promptTokens * 1000) / firstTokenMs),
  )
}

export function showRows(body: HTMLElement, results: readonly SubjectResult[]): void {
  const first = results[0] ? writingSpeed(results[0]) : null
  body.replaceChildren(
    ...results.map((result) => {
      const row = document.createElement('tr')
      row.dataset['subject'] = result.id
      const name = document.createElement('th')
      name.scope = 'row'
      const what = document.createElement('small')
      what.textContent = result.description
      name.append(result.name, what)
      row.append(name)
      if (result.failure !== null) {
        const cell = cellOf(result.failure)
        cell.colSpan = 5
        cell.className = 'failed'
        row.append(cell)
        return row
      }
      const firstTokenMs = median(result.answers.map((answer) => answer.firstTokenMs))
      const speed = writingSpeed(result)
      const against = ratio(speed, first)
      row.append(
        cellOf(firstTokenMs === null ? '' : String(Math.round(firstTokenMs))),
        cellOf(perSecond(readingSpeed(result))),
        cellOf(perSecond(speed)),
        cellOf(against === null ? '' : `${against.toFixed(2)} ×`),
        cellOf(result.agreement === null ? '' : `${(result.agreement * 100).toFixed(1)} %`),
      )
      return row
    }),
  )
}

export function showPlots(target: HTMLElement, results: readonly SubjectResult[]): void {
  const measured = results.flatMap((result) => {
    const speed = writingSpeed(result)
    return speed === null ? [] : [{ result, speed }]
  })
  const most = Math.max(...measured.map(({ speed }) => speed))
  const plot = document.createElement('section')
  plot.className = 'plot'
  const title = document.createElement('h3')
  title.textContent = 'Writing, tokens a second'
  plot.append(title, ...measured.map(({ result, speed }) => barOf(result, speed, speed / most)))
  target.replaceChildren(...(measured.length === 0 ? [] : [plot]))
}

function barOf({ name, isOurs }: SubjectResult, speed: number, share: number): HTMLElement {
  const bar = document.createElement('div')
  bar.className = isOurs ? 'bar ours' : 'bar'
  const label = document.createElement('span')
  label.textContent = name
  const picture = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  picture.setAttribute('aria-hidden', 'true')
  const rectangle = document.createElementNS('http://www.w3.org/2000/svg', 'rect')
  rectangle.setAttribute('width', `${share * 100}%`)
  rectangle.setAttribute('height', '100%')
  picture.append(rectangle)
  const value = document.createElement('span')
  value.textContent = speed.toFixed(1)
  bar.append(label, picture, value)
  return bar
}

function cellOf(text: string): HTMLTableCellElement {
  const cell = document.createElement('td')
  cell.textContent = text
  return cell
}

function perSecond(value: number | null): string {
  return value === null ? '' : value.toFixed(1)
}
