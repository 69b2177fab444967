import type { AnswerAction, AnswerFooter } from '../widget/answer-footer'
import { progressOf } from '../widget/route-words'
import type { Turn } from '../widget/chat'
import { strings } from '../widget/strings'

/** What stands below an answer, by its state. */
function noteOf(state: Turn['state']): string {
  const { thinking, cut, stopped, failed } = strings().turn
  return { waiting: thinking, answering: '', done: '', cut, stopped, failed }[state]
}

interface TurnView {
  item: HTMLElement
  answer: Text
  note: HTMLElement
  footer: AnswerFooter
}

export interface TurnListOptions {
  list: HTMLElement
  onAction(turn: Turn, action: AnswerAction): void
  /** What was written down of an answer. */
  lookUp: NonNullable<AnswerFooter['lookUp']>
  /** Loads the elements below the answers, which until then are a plain button. */
  loadElements(): Promise<unknown>
}

/** The conversation as a list. All text goes into text nodes, so what a model writes stays text. */
export class TurnList {
  readonly #options: TurnListOptions
  readonly #views = new Map<Turn, TurnView>()

  constructor(options: TurnListOptions) {
    this.#options = options
  }

  add(turn: Turn): void {
    const answer = document.createTextNode(turn.answer)
    const note = element('p', 'note')
    const footer = this.#footer(turn)
    const question = element('p', 'question', document.createTextNode(turn.question))
    const item = element(
      'li',
      'turn',
      element('h2', 'visually-hidden', strings().turn.you),
      question,
      element('h2', 'visually-hidden', strings().turn.minnow),
      element('p', 'answer', answer),
      note,
      footer,
    )
    this.#views.set(turn, { item, answer, note, footer })
    this.update(turn)
    this.#options.list.append(item)
    this.#scrollToEnd()
  }

  append(turn: Turn, text: string): void {
    const follows = isAtEnd()
    this.#views.get(turn)?.answer.appendData(text)
    if (follows) this.#scrollToEnd()
  }

  /** The text is another one as a whole; where it took the place of one, that is shown. */
  replace(turn: Turn): void {
    const view = this.#views.get(turn)
    if (view === undefined) return
    const follows = isAtEnd()
    view.answer.data = turn.answer
    if (turn.progress?.type === 'upgrading') view.item.dataset['replaced'] = ''
    if (follows) this.#scrollToEnd()
  }

  /** While something is answered nothing else can be asked. */
  setBusy(busy: boolean): void {
    for (const { footer } of this.#views.values()) footer.busy = busy
  }

  update(turn: Turn): void {
    const view = this.#views.get(turn)
    if (view === undefined) return
    const follows = isAtEnd()
    // Readers for the blind wait while busy, and then read the answer in one piece.
    view.item.ariaBusy = String(turn.state === 'waiting' || turn.state === 'answering')
    view.item.dataset['state'] = turn.state
    const isUnderWay = turn.state === 'waiting' || turn.state === 'answering'
    view.note.textContent =
      turn.progress !== null && isUnderWay ? `${progressOf(turn.progress)}…` : noteOf(turn.state)
    view.footer.hidden = turn.route === null || isUnderWay
    view.footer.route = turn.route
    view.footer.usage = turn.usage
    // It is drawn a moment later, and makes the page longer.
    if (follows) void view.footer.updateComplete?.then(() => this.#scrollToEnd())
    if (follows) this.#scrollToEnd()
  }

  clear(): void {
    this.#views.clear()
    this.#options.list.replaceChildren()
  }

  /** Properties set before the element is defined are its own as soon as it is. */
  #footer(turn: Turn): AnswerFooter {
    const footer = document.createElement('minnow-answer-footer') as AnswerFooter
    footer.lookUp = this.#options.lookUp
    footer.addEventListener('minnow-answer-action', (event) => {
      this.#options.onAction(turn, (event as CustomEvent<AnswerAction>).detail)
    })
    if (customElements.get('minnow-answer-footer') === undefined) {
      const button = document.createElement('button')
      button.className = 'quiet badge'
      button.type = 'button'
      button.textContent = strings().turn.onThisDevice
      button.addEventListener('click', () => {
        void this.#options.loadElements().then(async () => {
          footer.open = true
          await footer.updateComplete
          footer.focus()
        })
      })
      footer.append(button)
    }
    return footer
  }

  #scrollToEnd(): void {
    const { documentElement } = document
    documentElement.scrollTop = documentElement.scrollHeight
  }
}

/** Whether the reader is at the end of the page, and so wants to follow the answer. */
function isAtEnd(): boolean {
  const { scrollTop, scrollHeight, clientHeight } = document.documentElement
  return scrollHeight - scrollTop - clientHeight < 48
}

function element(tag: string, className: string, ...children: (Node | string)[]): HTMLElement {
  const made = document.createElement(tag)
  made.className = className
  made.append(...children)
  return made
}
