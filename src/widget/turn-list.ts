import { css, html, LitElement, type TemplateResult } from 'lit'
import type { AnswerFooter } from './answer-footer'
import { strings } from './strings'
import { theme } from './theme'
import { isUnderWay, type Turn } from './turn'
import type { TurnAction, TurnPlace, TurnView } from './turn-view'

export interface TurnActionDetail {
  readonly turn: Turn
  readonly action: TurnAction
}

interface Row {
  readonly turn: Turn
  readonly item: HTMLLIElement
  /** null until it was once near the screen; until then its texts are shown as they are written. */
  view: TurnView | null
}

/** Rows that are made at once; the older ones come when there is time. */
const AT_ONCE = 12
/** Milliseconds that older rows may take at a time. */
const SLICE_MS = 8

/**
 * A conversation. Long ones stay smooth: a turn is drawn when it comes near the screen, laid out while it is, and text
 * to search in all the time. Follows the end of what is written, unless the reader scrolled away from it.
 * @fires minnow-turn - `detail` is a `TurnActionDetail`.
 */
export class TurnList extends LitElement {
  static override properties = {
    busy: { type: Boolean },
    tinted: { type: Boolean },
    lookUp: { attribute: false },
    placeOf: { attribute: false },
    waiting: { attribute: false },
    scroller: { attribute: false },
  }
  declare busy: boolean
  declare tinted: boolean
  declare lookUp: AnswerFooter['lookUp']
  /** Which of its siblings a turn is. */
  declare placeOf: (turn: Turn) => TurnPlace
  /** What stands below a turn that waits; '' for the usual. */
  declare waiting: string
  /** What scrolls; null: the document. */
  declare scroller: Element | null
  readonly #list: HTMLOListElement
  readonly #rows = new Map<string, Row>()
  /** Older turns without a row, the newest last. */
  #older: Turn[] = []
  #idle: ReturnType<typeof setTimeout> | undefined
  #follows = true
  #lastTop = 0
  #near: IntersectionObserver | null = null
  #size: ResizeObserver | null = null

  constructor() {
    super()
    this.busy = false
    this.tinted = false
    this.lookUp = null
    this.placeOf = () => ({ number: 1, count: 1 })
    this.waiting = ''
    this.scroller = null
    this.#list = document.createElement('ol')
    this.#list.id = 'turns'
  }

  /** Shows these turns, oldest first; what is there already stays. */
  show(turns: readonly Turn[]): void {
    const wanted = new Map(turns.map((turn) => [turn.id, turn]))
    for (const [id, row] of this.#rows) if (wanted.get(id) !== row.turn) this.#remove(row)
    const isOther = this.#rows.size === 0
    const known = turns.findIndex(({ id }) => this.#rows.has(id))
    const first = Math.max(0, Math.min(known < 0 ? Infinity : known, turns.length - AT_ONCE))
    this.#older = turns.slice(0, first)
    for (const turn of turns.slice(first)) {
      const row = this.#rows.get(turn.id) ?? this.#makeRow(turn)
      // Only what is not there yet is put there: what is moved would lose its focus.
      if (row.item.parentNode === null) this.#list.append(row.item)
      this.#update(row)
    }
    for (const turn of turns.slice(-2)) this.#draw(this.#rows.get(turn.id))
    this.#addOlder()
    if (isOther || this.busy) this.scrollToEnd()
  }

  /** The answer has more text. */
  grow(turn: Turn): void {
    this.#rows.get(turn.id)?.view?.grow()
  }

  /** Something of a turn changed. */
  refresh(turn: Turn): void {
    const row = this.#rows.get(turn.id)
    if (row === undefined) return
    this.#draw(row)
    this.#update(row)
  }

  scrollToEnd(): void {
    this.#follows = true
    const scroller = this.#port
    scroller.scrollTop = scroller.scrollHeight
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.#near = new IntersectionObserver(
      (entries) => {
        for (const { isIntersecting, target } of entries) {
          if (isIntersecting) this.#draw(this.#rows.get((target as HTMLElement).dataset['turn'] ?? ''))
        }
      },
      { root: this.scroller, rootMargin: '100% 0px' },
    )
    for (const { item, view } of this.#rows.values()) if (view === null) this.#near.observe(item)
    // After layout and before paint: what grew is never seen where it was.
    this.#size = new ResizeObserver(() => {
      if (this.#follows) this.scrollToEnd()
    })
    this.#size.observe(this.#list)
    this.#scrolls.addEventListener('scroll', this.#onScroll, { passive: true })
    this.#addOlder()
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#near?.disconnect()
    this.#size?.disconnect()
    this.#scrolls.removeEventListener('scroll', this.#onScroll)
    clearTimeout(this.#idle)
    this.#idle = undefined
  }

  protected override updated(): void {
    for (const row of this.#rows.values()) this.#update(row)
  }

  override render(): TemplateResult {
    return html`${this.#list}`
  }

  get #port(): Element {
    return this.scroller ?? document.documentElement
  }

  get #scrolls(): EventTarget {
    return this.scroller ?? document
  }

  /** A reader who goes up stays there; one who comes to the end follows it. */
  readonly #onScroll = (): void => {
    const { scrollTop, scrollHeight, clientHeight } = this.#port
    if (scrollHeight - scrollTop - clientHeight < 48) this.#follows = true
    else if (scrollTop < this.#lastTop) this.#follows = false
    this.#lastTop = scrollTop
  }

  #makeRow(turn: Turn): Row {
    const item = document.createElement('li')
    item.className = 'turn'
    item.dataset['turn'] = turn.id
    const { you, minnow } = strings().turn
    item.append(
      textOf('h2', 'visually-hidden', you),
      textOf('p', 'question', turn.question),
      textOf('h2', 'visually-hidden', minnow),
      textOf('p', 'answer', turn.answer),
    )
    // A guess, until it was laid out once: lines of sixty characters.
    const lines = Math.ceil(turn.question.length / 60) + Math.ceil(turn.answer.length / 60)
    item.style.setProperty('contain-intrinsic-block-size', `auto ${lines * 1.75 + 6}rem`)
    const row: Row = { turn, item, view: null }
    this.#rows.set(turn.id, row)
    this.#near?.observe(item)
    return row
  }

  #remove({ turn, item }: Row): void {
    this.#near?.unobserve(item)
    item.remove()
    this.#rows.delete(turn.id)
  }

  #draw(row: Row | undefined): void {
    if (row === undefined || row.view !== null) return
    const view = document.createElement('minnow-turn') as TurnView
    view.turn = row.turn
    view.addEventListener('minnow-turn-action', (event) => {
      event.stopPropagation()
      const { detail: action } = event as CustomEvent<TurnAction>
      const detail: TurnActionDetail = { turn: row.turn, action }
      this.dispatchEvent(new CustomEvent('minnow-turn', { detail, bubbles: true, composed: true }))
    })
    row.view = view
    row.item.replaceChildren(view)
    this.#near?.unobserve(row.item)
    this.#update(row)
  }

  #update({ turn, item, view }: Row): void {
    item.dataset['state'] = turn.state
    item.ariaBusy = String(isUnderWay(turn))
    if (view === null) return
    view.busy = this.busy
    view.tinted = this.tinted
    view.lookUp = this.lookUp
    view.waiting = this.waiting
    const place = this.placeOf(turn)
    if (place.number !== view.place.number || place.count !== view.place.count) view.place = place
    view.requestUpdate()
  }

  #addOlder(): void {
    if (this.#older.length === 0 || this.#idle !== undefined || !this.isConnected) return
    this.#idle = setTimeout(() => {
      this.#idle = undefined
      const end = performance.now() + SLICE_MS
      while (this.#older.length > 0 && performance.now() < end) {
        const row = this.#makeRow(this.#older.pop()!)
        this.#list.prepend(row.item)
        this.#update(row)
      }
      this.#addOlder()
    }, 16)
  }

  static override styles = [
    theme,
    css`
      :host {
        display: block;
      }

      ol {
        margin: 0;
        padding: 0;
        list-style: none;
      }

      .turn {
        content-visibility: auto;
        /* What is laid out only when it is near also cuts off what reaches over its edge: the ring of the focus. */
        margin-inline: -0.5rem;
        padding-inline: 0.5rem;
      }

      .turn:nth-last-child(-n + 3) {
        content-visibility: visible;
      }

      .turn + .turn {
        padding-top: 2.5rem;
      }

      p {
        overflow-wrap: anywhere;
        white-space: pre-wrap;
      }

      .question {
        margin-bottom: 0.75rem;
        padding-inline-start: 1rem;
        border-inline-start: 3px solid var(--_accent);
        color: var(--_soft);
      }
    `,
  ]
}

function textOf(tag: 'h2' | 'p', className: string, text: string): HTMLElement {
  const made = document.createElement(tag)
  made.className = className
  made.dir = 'auto'
  made.textContent = text
  return made
}
