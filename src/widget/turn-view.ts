import { css, html, LitElement, nothing, svg, type PropertyValues, type TemplateResult } from 'lit'
import type { AnswerAction, AnswerFooter } from './answer-footer'
import type { MarkdownText } from './markdown-text'
import { progressOf } from './route-words'
import { strings, type Strings } from './strings'
import { theme } from './theme'
import { canContinue, isUnderWay, type Turn, type TurnState } from './turn'

/** What a reader can do with a turn; 'previous' and 'next' go to its siblings. */
export type TurnAction =
  | { readonly type: 'regenerate' | 'continue' | 'previous' | 'next' }
  | { readonly type: 'edit'; readonly question: string }
  | { readonly type: 'correct'; readonly answer: string }
  | { readonly type: 'answer'; readonly action: AnswerAction }

/** Which of its siblings a turn is, from 1 on. */
export interface TurnPlace {
  readonly number: number
  readonly count: number
}

const ALONE: TurnPlace = { number: 1, count: 1 }

/**
 * A question and its answer, with what may be done with them.
 * @fires minnow-turn-action - `detail` is a `TurnAction`.
 */
export class TurnView extends LitElement {
  static override properties = {
    turn: { attribute: false },
    place: { attribute: false },
    busy: { type: Boolean },
    tinted: { type: Boolean },
    lookUp: { attribute: false },
    waiting: { attribute: false },
    editing: { state: true },
    copied: { state: true },
  }
  /** Changed in place: call `update…` or `requestUpdate()` then. */
  declare turn: Turn | null
  declare place: TurnPlace
  /** Something is being answered, so nothing else can be asked. */
  declare busy: boolean
  /** Shows tokens by their probability, where they are known. */
  declare tinted: boolean
  declare lookUp: AnswerFooter['lookUp']
  /** What stands below a turn that waits; '' for the usual. */
  declare waiting: string
  declare editing: 'question' | 'answer' | null
  declare copied: boolean

  constructor() {
    super()
    this.turn = null
    this.place = ALONE
    this.busy = false
    this.tinted = false
    this.lookUp = null
    this.waiting = ''
    this.editing = null
    this.copied = false
  }

  /** The answer has more text, and nothing else changed. */
  grow(): void {
    const answer = this.renderRoot.querySelector<MarkdownText>('minnow-markdown')
    if (answer !== null && this.turn !== null) answer.text = this.turn.answer
    else this.requestUpdate()
  }

  #act(action: TurnAction): void {
    this.dispatchEvent(
      new CustomEvent('minnow-turn-action', { detail: action, bubbles: true, composed: true }),
    )
  }

  async #copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.turn?.answer ?? '')
    } catch {
      // No clipboard without HTTPS, or not allowed: then it is marked for the keyboard.
      const answer = this.renderRoot.querySelector('.answer')
      if (answer !== null) getSelection()?.selectAllChildren(answer)
      return
    }
    this.copied = true
    setTimeout(() => {
      this.copied = false
    }, 2000)
  }

  protected override updated(changed: PropertyValues<this>): void {
    const before = changed.get('editing')
    if (before === undefined) return
    if (this.editing === null) {
      this.renderRoot.querySelector<HTMLElement>(before === 'answer' ? '.correct' : '.edit')?.focus()
      return
    }
    const input = this.renderRoot.querySelector('textarea')
    input?.focus()
    input?.setSelectionRange(input.value.length, input.value.length)
  }

  override render(): TemplateResult | typeof nothing {
    const { turn } = this
    if (turn === null) return nothing
    const underWay = isUnderWay(turn)
    const all = strings(this)
    const words = all.turn
    const note = underWay ? stepOf(turn, this.waiting, all) : (faultOf(turn, all) ?? noteOf(turn.state, all))
    return html`
      <h2 class="visually-hidden">${words.you}</h2>
      ${this.editing === 'question' ? this.#form(turn.question) : this.#question(turn)}
      <h2 class="visually-hidden">${words.minnow}</h2>
      <div class="answer ${turn.progress?.type === 'upgrading' ? 'replaced' : ''}">
        ${
          this.editing === 'answer'
            ? this.#form(turn.answer)
            : this.tinted && turn.tokens !== null && turn.tokens.length > 0
              ? html`<minnow-tokens .tokens=${[...turn.tokens]}></minnow-tokens>`
              : html`<minnow-markdown .text=${turn.answer} .streaming=${underWay}></minnow-markdown>`
        }
      </div>
      ${!underWay && turn.skipped > 0 ? html`<p class="note">${words.skipped(turn.skipped)}</p>` : nothing}
      ${note === '' ? nothing : html`<p class="note">${note}</p>`}
      ${turn.corrected ? html`<p class="note">${words.corrected}</p>` : nothing}
      ${
        turn.citations.length === 0 || underWay
          ? nothing
          : html`<minnow-citations .citations=${turn.citations} .answer=${turn.answer}></minnow-citations>`
      }
      ${
        underWay
          ? nothing
          : turn.route === null
            ? html`<div class="tools">${this.#tools(turn)}</div>`
            : html`<minnow-answer-footer
                .route=${turn.route}
                .usage=${turn.usage}
                .said=${turn.said}
                .busy=${this.busy}
                .lookUp=${this.lookUp}
                @minnow-answer-action=${({ detail }: CustomEvent<AnswerAction>) =>
                  this.#act({ type: 'answer', action: detail })}
                ><div class="tools">${this.#tools(turn)}</div></minnow-answer-footer
              >`
      }
    `
  }

  #question({ question, state }: Turn): TemplateResult {
    const words = strings(this).turn
    const { number, count } = this.place
    return html`<div class="asked">
      <p class="question" part="question" dir="auto">${question}</p>
      <div class="tools">
        ${
          count === 1
            ? nothing
            : html`<span class="place" role="group" aria-label=${words.versions}
                >${this.#icon('previous', words.previous, LEFT, this.busy || number === 1)}<span
                  aria-hidden="true"
                  >${number}/${count}</span
                ><span class="visually-hidden">${words.version(number, count)}</span
                >${this.#icon('next', words.next, RIGHT, this.busy || number === count)}</span
              >`
        }
        ${
          isUnderWay({ state })
            ? nothing
            : html`<button
                class="icon edit"
                type="button"
                aria-label=${words.edit}
                title=${words.edit}
                ?disabled=${this.busy}
                @click=${() => {
                  this.editing = 'question'
                }}
              >
                ${PENCIL}
              </button>`
        }
      </div>
    </div>`
  }

  /** For other words in the place of a question or an answer. */
  #form(text: string): TemplateResult {
    const words = strings(this).turn
    const isAnswer = this.editing === 'answer'
    const submit = (event: Event): void => {
      event.preventDefault()
      const changed = this.renderRoot.querySelector('textarea')?.value.trim() ?? ''
      if (changed === '' || this.busy) return
      this.editing = null
      if (!isAnswer) this.#act({ type: 'edit', question: changed })
      else if (changed !== text) this.#act({ type: 'correct', answer: changed })
    }
    return html`<form
      class="edit-form"
      @submit=${submit}
      @keydown=${(event: KeyboardEvent) => {
        if (event.key === 'Escape') {
          event.stopPropagation()
          this.editing = null
        } else if (
          event.key === 'Enter' &&
          !event.isComposing &&
          (isAnswer ? isCommand(event) : !event.shiftKey)
        )
          submit(event)
      }}
    >
      <textarea
        rows=${isAnswer ? 6 : 2}
        dir="auto"
        aria-label=${isAnswer ? words.correctLabel : words.editLabel}
        .value=${text}
      ></textarea>
      <div class="form-actions">
        <button
          class="secondary"
          type="button"
          @click=${() => {
            this.editing = null
          }}
        >
          ${words.cancel}
        </button>
        <button type="submit" ?disabled=${this.busy}>${isAnswer ? words.save : words.ask}</button>
      </div>
    </form>`
  }

  #tools(turn: Turn): TemplateResult {
    const words = strings(this).turn
    return html`${
      canContinue(turn)
        ? html`<button
            class="plain"
            type="button"
            ?disabled=${this.busy}
            @click=${() => this.#act({ type: 'continue' })}
          >
            ${words.continue}
          </button>`
        : nothing
    }${this.#icon('regenerate', words.regenerate, AGAIN, this.busy)}${
      turn.answer === ''
        ? nothing
        : html`<button
            class="icon"
            type="button"
            aria-label=${this.copied ? words.copied : words.copy}
            title=${this.copied ? words.copied : words.copy}
            @click=${() => void this.#copy()}
          >
            ${this.copied ? TICK : COPY}
          </button>`
    }${
      turn.answer === '' || turn.route === null
        ? nothing
        : html`<button
            class="icon correct"
            type="button"
            aria-label=${words.correct}
            title=${words.correct}
            ?disabled=${this.busy}
            @click=${() => {
              this.editing = 'answer'
            }}
          >
            ${PENCIL}
          </button>`
    }`
  }

  #icon(
    type: 'regenerate' | 'previous' | 'next',
    label: string,
    picture: TemplateResult,
    disabled: boolean,
  ): TemplateResult {
    return html`<button
      class="icon"
      type="button"
      aria-label=${label}
      title=${label}
      ?disabled=${disabled}
      @click=${() => this.#act({ type })}
    >
      ${picture}
    </button>`
  }

  static override styles = [
    theme,
    css`
      :host {
        display: block;
      }

      .asked {
        display: flex;
        align-items: flex-start;
        justify-content: space-between;
        gap: 0.5rem;
        margin-bottom: 0.75rem;
      }

      .question {
        flex: 1;
        padding-inline-start: 1rem;
        border-inline-start: 3px solid var(--_accent);
        color: var(--_soft);
        overflow-wrap: anywhere;
        white-space: pre-wrap;
      }

      .note {
        color: var(--_soft);
        font-size: 0.9375rem;
      }

      .answer:not(:empty) + .note:not(:empty) {
        margin-top: 0.25rem;
      }

      .tools,
      .place {
        display: inline-flex;
        flex: none;
        align-items: center;
      }

      .place {
        color: var(--_soft);
        font-size: 0.875rem;
        font-variant-numeric: tabular-nums;
      }

      .asked .tools {
        min-height: 2.25rem;
        margin-block: -0.1875rem;
      }

      minnow-answer-footer {
        margin-top: 0.5rem;
        /* The page's own footer covers its end. */
        scroll-margin-bottom: 9rem;
      }

      .icon {
        display: inline-grid;
        place-items: center;
        width: 2.25rem;
        min-height: 2.25rem;
        padding: 0;
        background: none;
        color: var(--_soft);
      }

      /* All of an answer's tools in one line on a small phone. */
      @media (max-width: 26rem) {
        .icon {
          width: 2rem;
        }
      }

      .icon:disabled,
      .plain:disabled {
        color: var(--_soft);
        cursor: default;
        opacity: 0.6;
      }

      .plain {
        margin-inline-end: 0.5rem;
        font-size: 0.875rem;
      }

      svg {
        width: 1.125rem;
        fill: none;
        stroke: currentcolor;
        stroke-width: 1.5;
        stroke-linecap: round;
        stroke-linejoin: round;
      }

      /* By the page's direction: that of a text within says nothing of arrows. */
      :host(:dir(rtl)) svg {
        scale: -1 1;
      }

      .edit-form {
        display: grid;
        gap: 0.5rem;
        margin-bottom: 0.75rem;
      }

      textarea {
        width: 100%;
        padding: 0.5rem 0.75rem;
        border: 1px solid var(--_soft);
        border-radius: 0.5rem;
        background: var(--_wash);
        color: inherit;
        font: inherit;
        resize: vertical;
        field-sizing: content;
      }

      textarea:focus-visible {
        outline: 2px solid var(--_accent);
        outline-offset: 1px;
      }

      .form-actions {
        display: flex;
        justify-content: flex-end;
        gap: 0.5rem;
      }

      /* A draft was replaced by another model's answer. */
      .replaced {
        animation: replaced 900ms ease-out;
      }

      @keyframes replaced {
        from {
          background: color-mix(in srgb, var(--_accent) 22%, transparent);
        }
      }

      @media (prefers-reduced-motion: reduce) {
        .replaced {
          animation: none;
        }
      }
    `,
  ]
}

/** What is being done for an answer under way. */
function stepOf({ progress, steps, answer, state }: Turn, waiting: string, all: Strings): string {
  const words = all.documents
  if (progress !== null) return `${progressOf(progress, all)}…`
  if (steps === null || answer !== '') return noteOf(state, all, waiting)
  return steps.done + 1 < steps.total
    ? `${words.progress(steps.done + 1, steps.total - 1)}…`
    : `${words.joining}…`
}

/** An answer may have many lines: Enter alone makes another. */
function isCommand({ ctrlKey, metaKey }: KeyboardEvent): boolean {
  return ctrlKey || metaKey
}

/** What a preset's check found, where the answer is complete. */
function faultOf({ fault, state }: Turn, { presets }: Strings): string | null {
  const faults: Readonly<Record<string, string>> = presets.faults
  return fault === null || state !== 'done' ? null : (faults[fault] ?? null)
}

/** What stands below an answer, by its state. */
export function noteOf(state: TurnState, { turn } = strings(), waiting = ''): string {
  const { thinking, cut, stopped, failed } = turn
  return { waiting: waiting || thinking, answering: '', done: '', cut, stopped, failed }[state]
}

const icon = (path: TemplateResult): TemplateResult =>
  html`<svg viewBox="0 0 20 20" aria-hidden="true">${path}</svg>`

const LEFT = icon(svg`<path d="M12 5l-5 5 5 5" />`)
const RIGHT = icon(svg`<path d="M8 5l5 5-5 5" />`)
const PENCIL = icon(svg`<path d="M4 16l.7-3.2L13.5 4l2.5 2.5-8.8 8.8L4 16zM11.8 5.7l2.5 2.5" />`)
const AGAIN = icon(svg`<path d="M16 10a6 6 0 1 1-1.8-4.3M16 3.5v3.2h-3.2" />`)
const COPY = icon(svg`<path d="M7.5 7.5h8v8h-8zM12.5 7.5v-3h-8v8h3" />`)
const TICK = icon(svg`<path d="M4.5 10.5l3.5 3.5 7.5-8" />`)
