import MiniSearch from 'minisearch'
import type { Passage } from './cut-passages'
import type { DocumentText } from './document-text'
import { tellingWordsOf, wordsOf } from './words-of'

/** A passage with the text it stands for. */
export interface IndexedPassage extends Passage {
  /** Of the whole index, stable while it lives. */
  readonly id: number
  readonly documentId: string
  /** The document's name. */
  readonly document: string
  readonly text: string
}

export interface FoundPassage extends IndexedPassage {
  /** BM25+ (https://dl.acm.org/doi/10.1145/2063576.2063584): comparable within one search only. */
  readonly score: number
  /** Share of what the question's telling words weigh that stand in the passage or above it, 0…1. */
  readonly coverage: number
}

interface Entry {
  id: number
  text: string
  above: string
}

/** Finds passages by their words. On the device, in memory; made anew from the texts when a conversation is opened. */
export class PassageIndex {
  readonly #search = new MiniSearch<Entry>({
    fields: ['text', 'above'],
    tokenize: wordsOf,
    processTerm: (term) => term,
    searchOptions: { tokenize: tellingWordsOf, boost: { above: 0.5 } },
  })
  readonly #passages = new Map<number, IndexedPassage>()
  /** In how many passages a word stands. */
  readonly #counts = new Map<string, number>()
  #nextId = 0

  get size(): number {
    return this.#passages.size
  }

  /** Of one document, in the text's order. */
  passagesOf(documentId: string): IndexedPassage[] {
    return [...this.#passages.values()].filter((passage) => passage.documentId === documentId)
  }

  /** One passage at a time, so that a long document can be added in turns. */
  *add(
    document: Pick<DocumentText, 'text'> & { id: string; name: string },
    passages: Iterable<Passage>,
  ): Generator<IndexedPassage> {
    for (const passage of passages) {
      const id = this.#nextId++
      const text = document.text.slice(passage.start, passage.end)
      const indexed = { ...passage, id, documentId: document.id, document: document.name, text }
      this.#passages.set(id, indexed)
      this.#search.add(entryOf(indexed))
      for (const word of wordSet(indexed)) this.#counts.set(word, (this.#counts.get(word) ?? 0) + 1)
      yield indexed
    }
  }

  remove(documentId: string): void {
    for (const passage of this.passagesOf(documentId)) {
      this.#passages.delete(passage.id)
      this.#search.remove(entryOf(passage))
      for (const word of wordSet(passage)) this.#counts.set(word, this.#counts.get(word)! - 1)
    }
  }

  /** The best passages first; at most `limit`. */
  find(question: string, limit: number): FoundPassage[] {
    const words = [...new Set(tellingWordsOf(question))]
    const weight = (word: string): number => this.#weight(word)
    const all = sum(words.map(weight))
    return this.#search
      .search(words.join(' '))
      .slice(0, limit)
      .map(({ id, score }) => {
        const passage = this.#passages.get(Number(id))!
        const held = wordSet(passage)
        const coverage = sum(words.filter((word) => held.has(word)).map(weight)) / all
        return { ...passage, score, coverage }
      })
  }

  /** Rare words weigh more; one that stands nowhere weighs most. */
  #weight(word: string): number {
    return Math.log(1 + (this.size + 1) / ((this.#counts.get(word) ?? 0) + 0.5))
  }
}

function entryOf({ id, text, headings, document }: IndexedPassage): Entry {
  return { id, text, above: [document, ...headings].join('\n') }
}

function wordSet({ text, headings, document }: IndexedPassage): Set<string> {
  return new Set(wordsOf([text, ...headings, document].join('\n')))
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
