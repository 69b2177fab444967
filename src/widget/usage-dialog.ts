import { css, html, LitElement, nothing, type TemplateResult } from 'lit'
import type { Ledger, LedgerEntry } from '../router/ledger'
import type { Feedback, KeptList, PersonCase } from '../router/queues'
import { barPlot, plotTheme } from './bar-plot'
import { countOf, moneyOf, percentOf } from './figure-words'
import { saveFile } from './save-file'
import { escalationStrings } from './strings/escalation'
import { dialogTheme, theme } from './theme'
import { usagePlots } from './usage-figures'

/** Where the figures come from. */
export interface UsageSource {
  readonly ledger: Ledger
  feedback(): Promise<Feedback[]>
  /** Answers that a person should look at. */
  readonly people: Pick<KeptList<PersonCase>, 'list' | 'remove'>
  /** Deletes all that was written down. */
  wipe(): Promise<void>
}

interface Figures {
  readonly entries: readonly LedgerEntry[]
  readonly feedback: readonly Feedback[]
  readonly people: readonly PersonCase[]
}

/** What became of all questions: shares, money, time; to take along or to delete. */
export class UsageDialog extends LitElement {
  static override properties = { figures: { state: true }, sure: { state: true }, failed: { state: true } }
  declare figures: Figures | null
  declare sure: boolean
  declare failed: boolean
  #source: UsageSource | null = null

  constructor() {
    super()
    this.figures = null
    this.sure = false
    this.failed = false
  }

  async show(source: UsageSource): Promise<void> {
    this.#source = source
    this.sure = false
    await this.#read()
    await this.updateComplete
    this.renderRoot.querySelector('dialog')?.showModal()
  }

  async #read(): Promise<void> {
    const source = this.#source
    if (source === null) return
    try {
      const [entries, feedback, people] = await Promise.all([
        source.ledger.list(),
        source.feedback(),
        source.people.list(),
      ])
      this.figures = { entries, feedback, people }
      this.failed = false
    } catch {
      this.figures = null
      this.failed = true
    }
  }

  async #export(format: 'csv' | 'json'): Promise<void> {
    const text = await this.#source?.ledger.export(format)
    if (text === undefined) return
    saveFile(`minnow-usage.${format}`, format === 'csv' ? 'text/csv' : 'application/json', text)
  }

  async #wipe(): Promise<void> {
    if (!this.sure) {
      this.sure = true
      return
    }
    await this.#source?.wipe()
    this.sure = false
    await this.#read()
    this.renderRoot.querySelector<HTMLElement>('#close')?.focus()
  }

  override render(): TemplateResult {
    const { figures } = this
    const words = escalationStrings.of(this).usage
    const isEmpty = figures === null || figures.entries.length === 0
    return html`<dialog aria-labelledby="title">
      <div class="head"><h2 id="title">${words.title}</h2></div>
      <div class="body">
        <p class="small soft">${words.lead}</p>
        ${this.failed ? html`<p class="error">${words.unreadable}</p>` : nothing}
        ${isEmpty ? html`<p>${words.empty}</p>` : this.#figures(figures)}
        ${this.#people(figures?.people ?? [])}
      </div>
      <div class="foot">
        ${
          isEmpty
            ? nothing
            : html`<button class="secondary danger start" type="button" @click=${() => this.#wipe()}>
                  ${this.sure ? words.deleteSure : words.delete}
                </button>
                <button class="secondary" type="button" @click=${() => this.#export('csv')}>CSV</button>
                <button class="secondary" type="button" @click=${() => this.#export('json')}>JSON</button>`
        }
        <button
          id="close"
          type="button"
          autofocus
          @click=${() => this.renderRoot.querySelector('dialog')?.close()}
        >
          ${words.close}
        </button>
      </div>
    </dialog>`
  }

  #people(people: readonly PersonCase[]): TemplateResult | typeof nothing {
    if (people.length === 0) return nothing
    const words = escalationStrings.of(this).usage
    const remove = async (id: string): Promise<void> => {
      await this.#source?.people.remove(id)
      await this.#read()
      this.renderRoot.querySelector<HTMLElement>('#close')?.focus()
    }
    return html`<h3>${words.people}</h3>
      <ul>
        ${people.map(
          ({ id, messages, answer }) =>
            html`<li>
              <details>
                <summary dir="auto">${messages.findLast(({ role }) => role === 'user')?.content}</summary>
                <p dir="auto">${answer}</p>
              </details>
              <button class="secondary" type="button" @click=${() => remove(id)}>${words.peopleDone}</button>
            </li>`,
        )}
      </ul>
      <button
        class="secondary"
        type="button"
        @click=${() => saveFile('minnow-people.json', 'application/json', JSON.stringify(people, null, 2))}
      >
        ${words.peopleSave}
      </button>`
  }

  #figures({ entries, feedback }: Figures): TemplateResult[] {
    const answered = entries.filter(({ source }) => source !== null)
    const away = answered.filter(({ source }) => source?.kind === 'remote' || source?.kind === 'cache')
    const total = (value: (entry: LedgerEntry) => number): number =>
      entries.reduce((sum, entry) => sum + value(entry), 0)
    const words = escalationStrings.of(this).usage
    const rows = [
      [words.questions, countOf(entries.length)],
      [words.bigger, percentOf(answered.length === 0 ? 0 : away.length / answered.length)],
      [words.spent, moneyOf(total(({ cost }) => cost.spentUsd))],
      [words.saved, moneyOf(total(({ cost }) => cost.savedUsd))],
    ]
    const held = entries.flatMap(({ cost }) => (cost.heldUsd === undefined ? [] : [cost.heldUsd]))
    return [
      html`<dl>
        ${rows.map(
          ([term, value]) =>
            html`<div>
              <dt>${term}</dt>
              <dd>${value}</dd>
            </div>`,
        )}
      </dl>`,
      ...(held.length === 0
        ? []
        : [
            html`<p class="small soft">
              ${words.held(held.length, moneyOf(held.reduce((sum, usd) => sum + usd, 0)))}
            </p>`,
          ]),
      ...usagePlots(entries, feedback).map(barPlot),
    ]
  }

  static override styles = [
    theme,
    dialogTheme,
    plotTheme,
    css`
      li {
        margin-bottom: 0.5rem;
        overflow-wrap: anywhere;
      }

      dl {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(7.5rem, 1fr));
        gap: 1rem;
      }

      dt {
        color: var(--_soft);
        font-size: 0.875rem;
      }

      dd {
        font-size: 1.25rem;
        font-weight: 650;
        line-height: 1.3;
        font-variant-numeric: tabular-nums;
      }
    `,
  ]
}
