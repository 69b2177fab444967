import { tellingWordsOf, wordsOf } from './words-of'

/** A passage as sentences are held against it. */
export interface Citable {
  readonly words: ReadonlySet<string>
  /** Words that stand beside each other. */
  readonly pairs: ReadonlySet<string>
}

export interface CitationSource<P extends Citable> {
  /** The passages that may bear out a sentence. */
  passagesFor(sentence: string): readonly P[]
  /** The number of a passage that is cited. */
  labelOf(passage: P): number
}

/** Share of a sentence's weight that must stand in a passage; docs/documents.md says what others gave. */
const CITE_THRESHOLD = 0.6

/**
 * Puts "[1]" behind the sentences of an answer that a passage bears out. The model is not asked for it: small ones cite at
 * random. A sentence is borne out where most of what it says stands in one passage, by weight of its words, and all of
 * its numbers do; longer words weigh more, and numbers most.
 */
export class CitingText<P extends Citable> {
  readonly #source: CitationSource<P>
  readonly #threshold: number
  /** What came of the sentence under way. */
  #sentence = ''
  /** Blanks at the end of what came, which a citation would precede. */
  #blanks = ''

  constructor(source: CitationSource<P>, threshold = CITE_THRESHOLD) {
    this.#source = source
    this.#threshold = threshold
  }

  /** What to show now, for a text that came. */
  push(text: string): string {
    let shown = ''
    for (const [part] of text.matchAll(/\s+|\S+/g)) {
      if (/^\s/.test(part)) {
        this.#blanks += part
        continue
      }
      if (this.#blanks !== '') {
        if (isEnd(this.#sentence, this.#blanks)) shown += this.#mark()
        shown += this.#blanks
        if (this.#sentence !== '') this.#sentence += ' '
        this.#blanks = ''
      }
      shown += part
      this.#sentence += part
    }
    return shown
  }

  /** What is still to be shown when the answer is complete. */
  end(): string {
    const shown = this.#mark() + this.#blanks
    this.restart()
    return shown
  }

  /** Forgets what came, where the answer begins anew. */
  restart(): void {
    this.#sentence = ''
    this.#blanks = ''
  }

  #mark(): string {
    const words = tellingWordsOf(this.#sentence)
    // "1." or "Yes." is said with what follows.
    if (words.length < 2) return ''
    const best = this.#best(words)
    this.#sentence = ''
    return best === null ? '' : ` [${this.#source.labelOf(best)}]`
  }

  #best(words: readonly string[]): P | null {
    const pairs = pairsOf(wordsOf(this.#sentence))
    const total = sumOfWeights(words)
    let best: { passage: P; support: number; shared: number } | null = null
    for (const passage of this.#source.passagesFor(this.#sentence)) {
      const missing = words.filter((word) => !passage.words.has(word))
      const support = 1 - sumOfWeights(missing) / total
      // A wrong number with a source is worse than none.
      if (support < this.#threshold || missing.some((word) => /\d/.test(word))) continue
      const shared = pairs.filter((pair) => passage.pairs.has(pair)).length
      const isBetter =
        best === null || support > best.support || (support === best.support && shared > best.shared)
      if (isBetter) best = { passage, support, shared }
    }
    return best?.passage ?? null
  }
}

export function citable(text: string): Citable {
  const words = wordsOf(text)
  return { words: new Set(words), pairs: new Set(pairsOf(words)) }
}

function isEnd(sentence: string, blanks: string): boolean {
  return blanks.includes('\n') || /[.!?…。！？]["'’”»)\]*_]*$/u.test(sentence)
}

function sumOfWeights(words: readonly string[]): number {
  return words.reduce((sum, word) => sum + (/\d/.test(word) ? 4 : Math.min(word.length, 8)), 0)
}

function pairsOf(words: readonly string[]): string[] {
  return words.slice(1).map((word, i) => `${words[i]!} ${word}`)
}
