import { en, type Strings } from './en'

export type { Strings } from './en'

/** Languages with strings, the first is the fallback. */
export const LANGUAGES = ['en', 'de'] as const
export type Language = (typeof LANGUAGES)[number]

let current: Strings = en

/** The strings in force. Call it when something is drawn, not at import: the language is chosen later. */
export function strings(): Strings {
  return current
}

/** The first of the wanted languages (BCP 47, for instance `navigator.languages`) that there is. */
export function pickLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const found = LANGUAGES.find((language) => tag.toLowerCase().split('-')[0] === language)
    if (found !== undefined) return found
  }
  return LANGUAGES[0]
}

/** Puts a language into force, for what is drawn from now on. English is always there; others are loaded. */
export async function setLanguage(language: Language): Promise<void> {
  current = language === 'de' ? (await import('./de')).de : en
}
