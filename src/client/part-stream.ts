/**
 * A queue between a producer of parts and one consumer. Leaving the consumer's loop calls `onLeave`, once.
 * An error comes after all parts before it.
 */
export class PartStream<Part> implements AsyncIterableIterator<Part> {
  readonly #onLeave: () => void
  #parts: Part[] = []
  #next = 0
  #end: { error: unknown } | 'done' | null = null
  #wake: (() => void) | null = null

  constructor(onLeave: () => void) {
    this.#onLeave = onLeave
  }

  push(parts: readonly Part[]): void {
    if (this.#end !== null) return
    if (this.#next === this.#parts.length) {
      this.#parts = []
      this.#next = 0
    }
    this.#parts.push(...parts)
    this.#wakeUp()
  }

  finish(): void {
    this.#end ??= 'done'
    this.#wakeUp()
  }

  /** `discard` drops parts not read yet, as an abort does. */
  fail(error: unknown, { discard = false }: { discard?: boolean } = {}): void {
    if (this.#end !== null) return
    this.#end = { error }
    if (discard) this.#next = this.#parts.length
    this.#wakeUp()
  }

  async next(): Promise<IteratorResult<Part, undefined>> {
    for (;;) {
      const part = this.#parts[this.#next]
      if (part !== undefined) {
        this.#next++
        return { done: false, value: part }
      }
      if (this.#end === 'done') return { done: true, value: undefined }
      if (this.#end !== null) {
        const { error } = this.#end
        this.#end = 'done'
        throw error
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  async return(): Promise<IteratorResult<Part, undefined>> {
    if (this.#end === null) this.#onLeave()
    this.#end = 'done'
    this.#parts = []
    this.#next = 0
    this.#wakeUp()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #wakeUp(): void {
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }
}
