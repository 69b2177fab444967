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

/** Some turns that follow each other: the browser decides for all of them whether they are laid out. */
interface Group {
  readonly number: number
  readonly list: HTMLOListElement
  /** A guess, in rem, until it was laid out once. */
  height: number
}

interface Row {
  readonly turn: Turn
  readonly item: HTMLLIElement
  /** null until it was once near the screen; until then its texts are shown as they are written. */
  view: TurnView | null
}

/** Rows that are made at once; the older ones come when there is time. */
const AT_ONCE = 12
/** Turns of a group: the browser looks at each group in each frame. */
const GROUP_SIZE = 10
/** Milliseconds that rows may take at a time, where they are not to be seen yet. */
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
  readonly #root: HTMLElement
  readonly #rows = new Map<string, Row>()
  readonly #groups = new Map<number, Group>()
  /** Rows that are near the screen and not drawn yet. */
  #undrawn: Row[] = []
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
    this.#root = document.createElement('div')
  }

  /** Shows these turns, oldest first; what is there already stays. */
  show(turns: readonly Turn[]): void {
    const wanted = new Map(turns.map((turn) => [turn.id, turn]))
    for (const [id, row] of this.#rows) if (wanted.get(id) !== row.turn) this.#remove(row)
    const isOther = this.#rows.size === 0
    const known = turns.findIndex(({ id }) => this.#rows.has(id))
    const first = Math.max(0, Math.min(known < 0 ? Infinity : known, turns.length - AT_ONCE))
    this.#older = turns.slice(0, first)
    for (let index = first; index < turns.length; index++) {
      const turn = turns[index]!
      const row = this.#rows.get(turn.id) ?? this.#makeRow(turn)
      const { list } = this.#groupOf(row, index)
      // Only what is not there yet is put there: what is moved would lose its focus.
      if (row.item.parentNode !== list) list.append(row.item)
      this.#update(row)
    }
    for (const turn of turns.slice(-2)) this.#draw(this.#rows.get(turn.id))
    this.#workSoon()
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
          if (!isIntersecting) continue
          this.#near?.unobserve(target)
          for (const item of target.children) {
            const row = this.#rows.get((item as HTMLElement).dataset['turn'] ?? '')
            if (row !== undefined) this.#undrawn.push(row)
          }
        }
        this.#workSoon()
      },
      { root: this.scroller, rootMargin: '100% 0px' },
    )
    for (const { list } of this.#groups.values()) this.#near.observe(list)
    // After layout and before paint: what grew is never seen where it was.
    this.#size = new ResizeObserver(() => {
      if (this.#follows) this.scrollToEnd()
    })
    this.#size.observe(this.#root)
    this.#scrolls.addEventListener('scroll', this.#onScroll, { passive: true })
    this.#workSoon()
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
    return html`${this.#root}`
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
    const { you, minnow } = strings(this).turn
    item.append(
      textOf('h2', 'visually-hidden', you),
      textOf('p', 'question', turn.question),
      textOf('h2', 'visually-hidden', minnow),
      textOf('p', 'answer', turn.answer),
    )
    const row: Row = { turn, item, view: null }
    this.#rows.set(turn.id, row)
    return row
  }

  #remove({ turn, item }: Row): void {
    const list = item.parentElement
    item.remove()
    this.#rows.delete(turn.id)
    if (list?.childElementCount !== 0) return
    const group = [...this.#groups.values()].find((each) => each.list === list)
    if (group !== undefined) this.#groups.delete(group.number)
    this.#near?.unobserve(list)
    list.remove()
  }

  /** The group of the turn at this place. */
  #groupOf({ turn, item }: Row, index: number): Group {
    const number = Math.floor(index / GROUP_SIZE)
    let group = this.#groups.get(number)
    if (group === undefined) {
      group = { number, list: document.createElement('ol'), height: 0 }
      const later = [...this.#groups.keys()].filter((each) => each > number)
      const next = later.length === 0 ? undefined : this.#groups.get(Math.min(...later))
      this.#root.insertBefore(group.list, next?.list ?? null)
      this.#groups.set(number, group)
      this.#near?.observe(group.list)
    }
    if (item.parentNode !== group.list) {
      // Lines of sixty characters, and what stands around them.
      const lines = Math.ceil(turn.question.length / 60) + Math.ceil(turn.answer.length / 60)
      group.height += lines * 1.75 + 6
      group.list.style.setProperty('contain-intrinsic-block-size', `auto ${group.height}rem`)
    }
    return group
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
    this.#update(row)
  }

  #update({ turn, item, view }: Row): void {
    if (item.dataset['state'] !== turn.state) {
      item.dataset['state'] = turn.state
      item.ariaBusy = String(isUnderWay(turn))
    }
    if (view === null) return
    view.busy = this.busy
    view.tinted = this.tinted
    view.lookUp = this.lookUp
    view.waiting = this.waiting
    const place = this.placeOf(turn)
    if (place.number !== view.place.number || place.count !== view.place.count) view.place = place
    view.requestUpdate()
  }

  /** Draws what is near and adds older rows, a little at a time. */
  #workSoon(): void {
    const hasWork = this.#older.length > 0 || this.#undrawn.length > 0
    if (!hasWork || this.#idle !== undefined || !this.isConnected) return
    this.#idle = setTimeout(() => {
      this.#idle = undefined
      const end = performance.now() + SLICE_MS
      while (performance.now() < end && this.#workOnce());
      this.#workSoon()
    }, 16)
  }

  /** The nearest first: groups come from above to below. False where nothing is left. */
  #workOnce(): boolean {
    const row = this.#undrawn.pop()
    if (row !== undefined) {
      if (this.#rows.get(row.turn.id) === row) this.#draw(row)
      return true
    }
    const turn = this.#older.pop()
    if (turn === undefined) return false
    const older = this.#makeRow(turn)
    this.#groupOf(older, this.#older.length).list.prepend(older.item)
    this.#update(older)
    return true
  }

  static override styles = [
    theme,
    css`
      :host {
        display: block;
      }

      ol {
        content-visibility: auto;
        /* What is laid out only when it is near also cuts off what reaches over its edge: the ring of the focus. */
        margin: 0 -0.5rem;
        padding: 0 0.5rem;
        list-style: none;
      }

      /* Nor may one that is on the screen change its mind. */
      ol:nth-last-child(-n + 2) {
        content-visibility: visible;
      }

      .turn + .turn,
      ol + ol {
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
