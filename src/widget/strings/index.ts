import { en, type Strings } from './en'
import { setPageLanguage, type Language } from './languages'
import { StringTable } from './table'

export type { Strings } from './en'
export { languageOf, pickLanguage, type Language } from './languages'

const table = new StringTable<Strings>(en, { de: async () => (await import('./de')).de })

/** The strings in the language of a node, or of the page. Call it when something is drawn, not at import. */
export function strings(of: Node | null = null): Strings {
  return table.of(of)
}

/** Before something is drawn in a language that is not the page's. */
export function loadStrings(language: Language): Promise<void> {
  return table.load(language)
}

/** Makes it the page's language, for what is drawn from now on. */
export async function setLanguage(language: Language): Promise<void> {
  await table.load(language)
  setPageLanguage(language)
}
