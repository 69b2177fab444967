import { css, html, LitElement, nothing, type TemplateResult } from 'lit'
import { live } from 'lit/directives/live.js'
import { LEAST_ANSWERS } from '../router/calibration/fit-calibration'
import { LEAST_JUDGED, LEAST_OF_A_KIND, shifted, type Recalibration } from '../router/calibration/recalibrate'
import { readQuestions, type LabelledQuestions } from '../router/calibration/calibrate'
import type { Calibration } from '../router/calibration/schema'
import { pickThreshold } from '../router/calibration/thresholds'
import { costOf, estimateTokens } from '../router/ledger'
import type { PolicyInput } from '../router/policy/schema'
import type { CalibrationTarget } from '../router/signals/types'
import type { CalibrationDesk, CalibrationState } from './calibration-desk'
import { percentOf } from './figure-words'
import { errorText } from './error-text'
import { problemOf, type ErrorWords } from './error-words'
import { saveFile } from './save-file'
import type { RemoteChoice } from './settings-store'
import { strings } from './strings'
import { escalationStrings } from './strings/escalation'
import { dialogTheme, theme } from './theme'

/** What is to be kept: a kind of target, and how much at most, in percent or US dollars. */
interface Wanted {
  readonly kind: 'risk' | 'escalated' | 'cost'
  readonly most: number
}

type Phase =
  | { readonly name: 'start' }
  | { readonly name: 'asking'; readonly asked: number; readonly total: number }
  | { readonly name: 'done'; readonly calibration: Calibration }

/** Of how sure 70 % sure is after a change: plain words for a shift. */
const EXAMPLE = 0.7

/**
 * Calibrates the local model with a user's questions or judgements.
 * @fires minnow-accept - `detail` is the `accept` of a policy that the user wants kept from now on.
 */
export class CalibrateDialog extends LitElement {
  static override properties = {
    state: { state: true },
    phase: { state: true },
    read: { state: true },
    wanted: { state: true },
    problem: { state: true },
    learnt: { state: true },
  }

  declare state: CalibrationState | null
  declare phase: Phase
  declare read: (LabelledQuestions & { readonly source: string }) | null
  declare wanted: Wanted
  declare problem: ErrorWords | null
  declare learnt: Recalibration | null
  #desk: CalibrationDesk | null = null
  #price: RemoteChoice['price'] = null
  #running: AbortController | null = null

  constructor() {
    super()
    this.state = null
    this.phase = { name: 'start' }
    this.read = null
    this.wanted = { kind: 'risk', most: 10 }
    this.problem = null
    this.learnt = null
  }

  /** @param price of the bigger model; null where it is not known, and then money is nothing to aim at. */
  async show(desk: CalibrationDesk, price: RemoteChoice['price']): Promise<void> {
    this.#desk = desk
    this.#price = price
    this.phase = { name: 'start' }
    this.read = null
    this.problem = null
    this.learnt = null
    this.state = null
    await this.updateComplete
    this.renderRoot.querySelector('dialog')?.showModal()
    await this.#refresh()
  }

  async #refresh(): Promise<void> {
    this.state = (await this.#desk?.state().catch(this.#fail)) ?? null
  }

  readonly #fail = (error: unknown): null => {
    this.problem = { title: escalationStrings.of().calibration.failed, detail: problemOf(error) }
    return null
  }

  #close(): void {
    this.#running?.abort()
    this.renderRoot.querySelector('dialog')?.close()
  }

  async #open(input: HTMLInputElement): Promise<void> {
    const file = input.files?.[0]
    this.read = null
    this.problem = null
    if (file === undefined) return
    try {
      this.read = { ...readQuestions(await file.text()), source: file.name }
    } catch {
      this.problem = { title: escalationStrings.of().calibration.unreadable, detail: '' }
    }
  }

  async #start(): Promise<void> {
    const { read } = this
    if (read === null || this.#desk === null || this.#running !== null) return
    const running = new AbortController()
    this.#running = running
    this.problem = null
    this.phase = { name: 'asking', asked: 0, total: read.questions.length }
    try {
      const calibration = await this.#desk.run(read.questions, {
        source: read.source,
        signal: running.signal,
        onProgress: (asked, total) => {
          this.phase = { name: 'asking', asked, total }
        },
      })
      this.phase = { name: 'done', calibration }
    } catch (error) {
      this.phase = { name: 'start' }
      if (!running.signal.aborted) this.#fail(error)
    } finally {
      this.#running = null
    }
  }

  async #keep(calibration: Calibration): Promise<void> {
    await this.#desk?.keep(calibration)
    this.dispatchEvent(new CustomEvent<PolicyInput['accept']>('minnow-accept', { detail: this.#target() }))
    this.phase = { name: 'start' }
    this.read = null
    await this.#refresh()
  }

  async #learn(): Promise<void> {
    this.learnt = (await this.#desk?.learn().catch(this.#fail)) ?? null
    if (this.learnt === null && this.problem === null) {
      const title = escalationStrings.of().calibration.tooFewOfAKind(LEAST_OF_A_KIND)
      this.problem = { title, detail: '' }
    }
    await this.#refresh()
  }

  async #reset(): Promise<void> {
    this.learnt = null
    await this.#desk?.reset().catch(this.#fail)
    await this.#refresh()
  }

  #target(): CalibrationTarget {
    const { kind, most } = this.wanted
    return kind === 'cost' ? { kind, most, perQuestion: this.#usdPerQuestion() } : { kind, most: most / 100 }
  }

  /** Of the bigger model, for questions like these: their length, and answers as long as asked for. */
  #usdPerQuestion(): number {
    const questions = this.read?.questions ?? []
    if (this.#price === null || questions.length === 0) return 0
    const mean = (value: (question: (typeof questions)[number]) => number): number =>
      questions.reduce((sum, question) => sum + value(question), 0) / questions.length
    return costOf(
      this.#price,
      mean(({ context }) => estimateTokens(context)),
      mean(({ maxTokens }) => maxTokens),
    )
  }

  override render(): TemplateResult {
    const words = escalationStrings.of().calibration
    const { phase, problem } = this
    return html`<dialog
      aria-labelledby="title"
      @cancel=${(event: Event) => {
        event.preventDefault()
        this.#close()
      }}
    >
      <div class="head"><h2 id="title">${words.title}</h2></div>
      <div class="body">
        ${problem === null ? nothing : html`<div class="error" role="alert">${errorText(problem)}</div>`}
        ${
          phase.name === 'start'
            ? [this.#inForce(), this.#questions(), this.#judgements()]
            : phase.name === 'asking'
              ? this.#asking(phase)
              : this.#result(phase.calibration)
        }
      </div>
      <div class="foot">${this.#buttons(phase)}</div>
    </dialog>`
  }

  #buttons(phase: Phase): TemplateResult {
    const words = escalationStrings.of().calibration
    if (phase.name === 'asking') {
      return html`<button class="secondary" type="button" @click=${() => this.#running?.abort()}>
        ${words.stop}
      </button>`
    }
    if (phase.name === 'done') {
      const { calibration } = phase
      return html`<button
          class="secondary start"
          type="button"
          @click=${() =>
            saveFile('minnow-calibration.json', 'application/json', `${JSON.stringify(calibration)}\n`)}
        >
          ${words.saveFile}
        </button>
        <button
          class="secondary"
          type="button"
          @click=${() => {
            this.phase = { name: 'start' }
          }}
        >
          ${words.discard}
        </button>
        <button type="button" @click=${() => this.#keep(calibration)}>${words.keep}</button>`
    }
    const canReset = this.state?.kind === 'own' || (this.state?.learnt ?? null) !== null
    return html`${
        canReset
          ? html`<button class="secondary danger start" type="button" @click=${() => this.#reset()}>
              ${words.reset}
            </button>`
          : nothing
      } <button type="button" autofocus @click=${() => this.#close()}>${words.close}</button>`
  }

  #inForce(): TemplateResult {
    const words = escalationStrings.of().calibration
    const { state } = this
    if (state === null)
      return html`<p class="soft" role="status">${this.problem === null ? words.waiting : ''}</p>`
    const { kind, calibration, learnt } = state
    const [before, after] = exampleOf(learnt?.shift ?? 0)
    return html`<section>
      <p>
        ${
          kind === 'own' && calibration !== null
            ? words.own(
                new Date(calibration.createdAt).toLocaleDateString(strings().language),
                calibration.tasks['any']?.items ?? 0,
                calibration.source,
              )
            : words[kind === 'shipped' ? 'shipped' : 'none']
        }
      </p>
      ${learnt === null ? nothing : html`<p>${words.learnt(learnt.answers, before, after)}</p>`}
    </section>`
  }

  #questions(): TemplateResult {
    const words = escalationStrings.of().calibration
    const { read, wanted } = this
    const isEnough = read !== null && read.questions.length >= LEAST_ANSWERS
    const targets = [
      ['risk', words.targetRisk],
      ['escalated', words.targetEscalated],
      ...(this.#price === null ? [] : [['cost', words.targetCost] as const]),
    ] as const
    return html`<section aria-labelledby="questions-title">
      <h3 id="questions-title">${words.questionsTitle}</h3>
      <p class="small soft">${words.questionsWords}</p>
      <div class="field">
        <label for="file">${words.file}</label>
        <input
          id="file"
          type="file"
          accept=".jsonl,.ndjson,.json,.txt"
          @change=${(event: Event) => void this.#open(event.target as HTMLInputElement)}
        />
        ${
          read === null
            ? nothing
            : html`<small role="status">
                ${words.read(read.questions.length, read.skippedLines)}
                ${isEnough ? '' : words.tooFew(LEAST_ANSWERS)}
              </small>`
        }
      </div>
      <div class="pair">
        <div class="field">
          <label for="target">${words.target}</label>
          <select
            id="target"
            @change=${(event: Event) => {
              const kind = targets[(event.target as HTMLSelectElement).selectedIndex]?.[0]
              if (kind !== undefined)
                this.wanted = { kind, most: kind === 'escalated' ? 20 : kind === 'cost' ? 1 : 10 }
            }}
          >
            ${targets.map(([kind, label]) => html`<option .selected=${live(wanted.kind === kind)}>${label}</option>`)}
          </select>
        </div>
        <div class="field">
          <label for="most">${words.most}</label>
          <input
            id="most"
            class="short"
            type="number"
            min="0"
            step="any"
            .value=${live(String(wanted.most))}
            @change=${(event: Event) => {
              const { valueAsNumber } = event.target as HTMLInputElement
              const most = Number.isNaN(valueAsNumber) ? wanted.most : Math.max(0, valueAsNumber)
              this.wanted = { ...wanted, most: wanted.kind === 'cost' ? most : Math.min(100, most) }
            }}
          />
        </div>
      </div>
      <div>
        <button class="secondary" type="button" ?disabled=${!isEnough} @click=${() => this.#start()}>
          ${words.start}
        </button>
      </div>
    </section>`
  }

  #asking({ asked, total }: { asked: number; total: number }): TemplateResult {
    const words = escalationStrings.of().calibration
    return html`<section>
      <p id="progress-words" role="status">
        ${asked < total ? words.asking(asked, total) : `${words.fitting}…`}
      </p>
      <progress aria-labelledby="progress-words" max=${total} .value=${asked}></progress>
    </section>`
  }

  #result({ tasks }: Calibration): TemplateResult {
    const words = escalationStrings.of().calibration
    const any = tasks['any']
    if (any === undefined) return html`<p>${words.failed}</p>`
    const { figures, heldBack } = any.stages.after
    const threshold = pickThreshold(heldBack, this.#target())
    const stay = heldBack.confidence.flatMap((confidence, i) =>
      confidence >= threshold ? [heldBack.right[i] ?? 0] : [],
    )
    return html`<section>
      <p>${words.result(any.items, percentOf(any.accuracy))}</p>
      ${
        figures.auroc === null || figures.ece === null
          ? nothing
          : html`<p>${words.quality(percentOf(figures.auroc), percentOf(figures.ece))}</p>`
      }
      <p>
        ${
          threshold > 1
            ? words.keptByNothing
            : words.kept(
                percentOf(threshold),
                stay.length,
                stay.filter((right) => right === 0).length,
                heldBack.confidence.length,
              )
        }
      </p>
    </section>`
  }

  #judgements(): TemplateResult | typeof nothing {
    const words = escalationStrings.of().calibration
    const { state, learnt } = this
    if (state === null || state.kind === 'none') return nothing
    const [before, after] = exampleOf(learnt?.shift ?? 0)
    return html`<section aria-labelledby="judgements-title">
      <h3 id="judgements-title">${words.judgementsTitle}</h3>
      <p class="small soft">${words.judgements(state.judged, LEAST_JUDGED)}</p>
      ${
        learnt === null
          ? nothing
          : html`<p role="status">
              ${words.changed(learnt.answers, learnt.right, learnt.expected.toFixed(1), before, after)}
            </p>`
      }
      <div>
        <button
          class="secondary"
          type="button"
          ?disabled=${state.judged < LEAST_JUDGED}
          @click=${() => this.#learn()}
        >
          ${words.learn}
        </button>
      </div>
    </section>`
  }

  static override styles = [
    theme,
    dialogTheme,
    css`
      input::file-selector-button {
        margin-inline-end: 0.75rem;
        padding: 0.25rem 0.75rem;
        border: 1px solid var(--_line);
        border-radius: 0.375rem;
        background: var(--_paper);
        color: var(--_accent);
        font: inherit;
        cursor: pointer;
      }

      progress {
        width: 100%;
        accent-color: var(--_accent);
      }
    `,
  ]
}

function exampleOf(shift: number): readonly [string, string] {
  return [percentOf(EXAMPLE), percentOf(shifted(EXAMPLE, shift))]
}
