import type { Turn } from './turn'

/** All turns of a conversation, and the way through them that is shown. */
export class TurnTree {
  readonly #turns = new Map<string, Turn>()
  /** By id. What was not there when a turn came is not its parent, so there are no circles. */
  readonly #parents = new Map<string, Turn | null>()
  /** Oldest first. */
  readonly #children = new Map<Turn | null, Turn[]>()
  /** The child that is shown; the newest where none was chosen. */
  readonly #chosen = new Map<Turn | null, Turn>()

  /** @param leaf id of the last turn that is shown; default: the newest way. */
  constructor(turns: Iterable<Turn> = [], leaf: string | null = null) {
    for (const turn of [...turns].toSorted((a, b) => a.at - b.at)) this.insert(turn)
    const last = leaf === null ? undefined : this.#turns.get(leaf)
    if (last !== undefined) this.select(last)
  }

  all(): Turn[] {
    return [...this.#turns.values()]
  }

  get(id: string): Turn | undefined {
    return this.#turns.get(id)
  }

  /** The turns that are shown, from the first on. */
  path(): Turn[] {
    const path: Turn[] = []
    for (let next = this.#childOf(null); next !== undefined; next = this.#childOf(next)) path.push(next)
    return path
  }

  /** From the first turn to this one. */
  pathTo(turn: Turn): Turn[] {
    const path: Turn[] = []
    for (let at: Turn | null = turn; at !== null; at = this.#parents.get(at.id) ?? null) path.push(at)
    return path.reverse()
  }

  /** The turns with the same parent, itself among them, oldest first. */
  siblings(turn: Turn): readonly Turn[] {
    return this.#children.get(this.#parents.get(turn.id) ?? null) ?? []
  }

  /** Adds a turn and shows it. */
  add(turn: Turn): void {
    this.insert(turn)
    this.select(turn)
  }

  /** Shows a turn instead of its siblings. */
  select(turn: Turn): void {
    for (const at of this.pathTo(turn)) this.#chosen.set(this.#parents.get(at.id) ?? null, at)
  }

  /** Adds a turn; it is shown where nothing else of its place was chosen. */
  insert(turn: Turn): void {
    const parent = (turn.parent === null ? null : this.#turns.get(turn.parent)) ?? null
    this.#turns.set(turn.id, turn)
    this.#parents.set(turn.id, parent)
    const siblings = this.#children.get(parent)
    if (siblings === undefined) this.#children.set(parent, [turn])
    else siblings.push(turn)
  }

  #childOf(parent: Turn | null): Turn | undefined {
    return this.#chosen.get(parent) ?? this.#children.get(parent)?.at(-1)
  }
}
