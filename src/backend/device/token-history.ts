/** What was done to a KV cache that its tokens alone do not tell. */
type Edit =
  | { readonly kind: 'append'; readonly tokens: number[] }
  | { readonly kind: 'truncate'; readonly length: number }
  | { readonly kind: 'shift'; readonly from: number; readonly to: number }

/** Contexts whose tokens are kept once a cache has slid. */
const KEPT_CONTEXTS = 8

/** Who makes a cache anew. */
export interface Replay {
  append(tokens: readonly number[]): Promise<void>
  truncate(length: number): void
  shift(from: number, to: number): void
}

/**
 * How a session's KV cache came about, so that it can be made again. A cache that has slid holds keys and values of
 * tokens that were seen beside others, long gone: all of them are kept, up to eight contexts; beyond that the tokens
 * of the cache alone must do.
 */
export class TokenHistory {
  readonly #contextLength: number
  readonly #tokens: number[] = []
  /** null while the tokens alone tell all. */
  #edits: Edit[] | null = null

  constructor(contextLength: number) {
    this.#contextLength = contextLength
  }

  get length(): number {
    return this.#tokens.length
  }

  append(tokens: ArrayLike<number>): void {
    let last = this.#edits?.at(-1)
    if (this.#edits !== null && last?.kind !== 'append') {
      last = { kind: 'append', tokens: [] }
      this.#edits.push(last)
    }
    for (let i = 0; i < tokens.length; i++) {
      this.#tokens.push(tokens[i]!)
      if (last?.kind === 'append') last.tokens.push(tokens[i]!)
    }
  }

  truncate(length: number): void {
    if (length === this.#tokens.length) return
    this.#tokens.length = length
    const shifts = this.#edits?.filter((edit) => edit.kind === 'shift') ?? []
    // What is before all that moved is as if nothing had.
    if (shifts.every(({ from }) => length <= from)) this.#edits = null
    else this.#edits?.push({ kind: 'truncate', length })
  }

  shift(from: number, to: number): void {
    if (from === to) return
    this.#edits ??= [{ kind: 'append', tokens: [...this.#tokens] }]
    this.#edits.push({ kind: 'shift', from, to })
    this.#tokens.splice(from, to - from)
    let kept = 0
    for (const edit of this.#edits) if (edit.kind === 'append') kept += edit.tokens.length
    if (kept > KEPT_CONTEXTS * this.#contextLength) this.#edits = null
  }

  async replay(target: Replay): Promise<void> {
    for (const edit of this.#edits ?? [{ kind: 'append', tokens: this.#tokens } as const]) {
      if (edit.kind === 'append') await target.append(edit.tokens)
      else if (edit.kind === 'truncate') target.truncate(edit.length)
      else target.shift(edit.from, edit.to)
    }
  }
}
