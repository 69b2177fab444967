import { languageOf, type Language } from './languages'

/** The strings of one part in every language: English comes with the code, others are loaded when they are wanted. */
export class StringTable<Words> {
  readonly #words = new Map<Language, Words>()
  readonly #english: Words
  readonly #load: Readonly<Record<Exclude<Language, 'en'>, () => Promise<Words>>>

  constructor(english: Words, load: Readonly<Record<Exclude<Language, 'en'>, () => Promise<Words>>>) {
    this.#english = english
    this.#load = load
  }

  /** Before anything is drawn in it. */
  async load(language: Language): Promise<void> {
    if (language === 'en' || this.#words.has(language)) return
    this.#words.set(language, await this.#load[language]())
  }

  /** In the language of a node, or of the page. Call it when something is drawn, not at import. */
  of(node: Node | null = null): Words {
    return this.#words.get(languageOf(node)) ?? this.#english
  }
}
