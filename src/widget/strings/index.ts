import { en, type Strings } from './en'
import type { Language } from './languages'

export type { Strings } from './en'
export { pickLanguage, type Language } from './languages'

let current: Strings = en

/** The strings in force. Call it when something is drawn, not at import: the language is chosen later. */
export function strings(): Strings {
  return current
}

/** Puts a language into force, for what is drawn from now on. English is always there; others are loaded. */
export async function setLanguage(language: Language): Promise<void> {
  current = language === 'de' ? (await import('./de')).de : en
}
