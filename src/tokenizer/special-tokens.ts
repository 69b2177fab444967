import type { Vocabulary } from './vocabulary'

/** Text and whether control tokens in it are meant: true for what a chat template writes, false for what people write. */
export interface Segment {
  readonly text: string
  readonly special: boolean
}

/** A special token found in a text. */
export interface SpecialMatch {
  readonly id: number
  /** In UTF-16 units. */
  readonly start: number
  readonly end: number
}

/** Longer ones are not recognised: each length that occurs is tried at each place where a token could begin. */
const maxSpecialUnits = 256

interface Special {
  readonly id: number
  /** Longer texts are recognised first; among equals, lower ids. */
  readonly order: number
}

/** Finds special tokens in text: control tokens where they are meant, user-defined ones anywhere. */
export class SpecialTokens {
  readonly #vocabulary: Vocabulary
  readonly #byText = new Map<string, Special>()
  /** First UTF-16 unit → lengths of the special tokens that begin with it. */
  readonly #lengths = new Map<number, number[]>()

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary
    const ids = vocabulary.specialIds().filter((id) => {
      const { length } = vocabulary.texts[id]!
      return length > 0 && length <= maxSpecialUnits
    })
    const byteLength = (id: number): number => new TextEncoder().encode(vocabulary.texts[id]).length
    const sized = ids.map((id) => ({ id, bytes: byteLength(id) }))
    sized.sort((a, b) => b.bytes - a.bytes || a.id - b.id)
    for (const [order, { id }] of sized.entries()) {
      const text = vocabulary.texts[id]!
      this.#byText.set(text, { id, order })
      const unit = text.charCodeAt(0)
      const lengths = this.#lengths.get(unit)
      if (lengths === undefined) this.#lengths.set(unit, [text.length])
      else if (!lengths.includes(text.length)) lengths.push(text.length)
    }
  }

  /** Texts of all control tokens. */
  *controlTexts(): Iterable<string> {
    for (const [text, { id }] of this.#byText) if (this.#vocabulary.isControl(id)) yield text
  }

  /**
   * Non-overlapping matches in order. The longest token wins, wherever it stands, then the first place.
   * Control tokens count only where they lie in one segment that has `special`.
   */
  find(text: string, segments: readonly Segment[]): SpecialMatch[] {
    const candidates = this.#candidates(text, segments)
    candidates.sort((a, b) => a.order - b.order || a.start - b.start)
    const matches: SpecialMatch[] = []
    const taken = candidates.length === 0 ? null : new Uint8Array(text.length)
    for (const { id, start, end } of candidates) {
      if (taken === null || taken.subarray(start, end).includes(1)) continue
      taken.fill(1, start, end)
      matches.push({ id, start, end })
    }
    return matches.sort((a, b) => a.start - b.start)
  }

  #candidates(text: string, segments: readonly Segment[]): (SpecialMatch & { order: number })[] {
    const found: (SpecialMatch & { order: number })[] = []
    let segmentEnd = 0
    for (const segment of segments) {
      const segmentStart = segmentEnd
      segmentEnd += segment.text.length
      for (let start = segmentStart; start < segmentEnd; start++) {
        const lengths = this.#lengths.get(text.charCodeAt(start))
        if (lengths === undefined) continue
        for (const length of lengths) {
          const end = start + length
          if (end > text.length) continue
          const special = this.#byText.get(text.slice(start, end))
          if (special === undefined) continue
          const isMeant = segment.special && end <= segmentEnd
          if (isMeant || this.#vocabulary.isUserDefined(special.id)) {
            found.push({ id: special.id, order: special.order, start, end })
          }
        }
      }
    }
    return found
  }
}
