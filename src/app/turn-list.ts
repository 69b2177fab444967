import type { Turn } from './chat'

const NOTES: Partial<Record<Turn['state'], string>> = {
  waiting: 'Thinking',
  cut: 'The answer was cut at its greatest length.',
  stopped: 'Stopped.',
  failed: 'No answer.',
}

interface TurnView {
  item: HTMLElement
  answer: Text
  note: HTMLElement
}

/** The conversation as a list. All text goes into text nodes, so what a model writes stays text. */
export class TurnList {
  readonly #list: HTMLElement
  readonly #views = new Map<Turn, TurnView>()

  constructor(list: HTMLElement) {
    this.#list = list
  }

  add(turn: Turn): void {
    const answer = document.createTextNode(turn.answer)
    const note = element('p', 'note')
    const question = element('p', 'question', document.createTextNode(turn.question))
    const item = element(
      'li',
      'turn',
      element('h2', 'visually-hidden', 'You'),
      question,
      element('h2', 'visually-hidden', 'Minnow'),
      element('p', 'answer', answer),
      note,
    )
    this.#views.set(turn, { item, answer, note })
    this.update(turn)
    this.#list.append(item)
    this.#scrollToEnd()
  }

  append(turn: Turn, text: string): void {
    const follows = isAtEnd()
    this.#views.get(turn)?.answer.appendData(text)
    if (follows) this.#scrollToEnd()
  }

  update(turn: Turn): void {
    const view = this.#views.get(turn)
    if (view === undefined) return
    const follows = isAtEnd()
    // Readers for the blind wait while busy, and then read the answer in one piece.
    view.item.ariaBusy = String(turn.state === 'waiting' || turn.state === 'answering')
    view.item.dataset['state'] = turn.state
    view.note.textContent = NOTES[turn.state] ?? ''
    if (follows) this.#scrollToEnd()
  }

  clear(): void {
    this.#views.clear()
    this.#list.replaceChildren()
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
