/**
 * Finds stop strings in text that comes in pieces. Text that may be the start of a stop string is held back until
 * that is decided; nothing of a stop string is ever given out. What is found does not depend on how the text was
 * cut: the string that is complete first wins, among those the longest.
 */
export class StopStringMatcher {
  readonly #stops: readonly string[]
  #held = ''
  #stopped = false

  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((stop) => stop !== '')
  }

  /** True once a stop string was found; later text is dropped. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** The text that can be given out after this piece. */
  push(piece: string): string {
    if (this.#stopped) return ''
    if (this.#stops.length === 0) return piece
    const text = this.#held + piece
    let end = Infinity
    let start = 0
    for (const stop of this.#stops) {
      const index = text.indexOf(stop)
      if (index < 0) continue
      const stopEnd = index + stop.length
      if (stopEnd < end || (stopEnd === end && index < start)) {
        end = stopEnd
        start = index
      }
    }
    if (end < Infinity) {
      this.#stopped = true
      this.#held = ''
      return text.slice(0, start)
    }
    const held = this.#undecidedLength(text)
    this.#held = text.slice(text.length - held)
    return text.slice(0, text.length - held)
  }

  /** What was held back, when no more text will come. */
  flush(): string {
    const text = this.#held
    this.#held = ''
    return text
  }

  /** Length of the longest end of `text` that begins a stop string. */
  #undecidedLength(text: string): number {
    let longest = 0
    for (const stop of this.#stops) {
      for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
        if (text.endsWith(stop.slice(0, length))) {
          longest = length
          break
        }
      }
    }
    return longest
  }
}
