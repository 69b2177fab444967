import { pickLanguage } from './languages'

/** What `<minnow-chat>` says before it is opened; apart from the other strings, since it is in the first script. */
export interface ShellStrings {
  ask: string
  close: string
  loading: string
  /** Of the small print. */
  disclaimer: string
  failed: string
}

const en: ShellStrings = {
  ask: 'Ask Minnow',
  close: 'Close',
  loading: 'Loading…',
  disclaimer: 'Answered by a small model on your device. Check what matters.',
  failed: 'This could not be loaded. Check the connection and open it again.',
}

const de: ShellStrings = {
  ask: 'Minnow fragen',
  close: 'Schließen',
  loading: 'Wird geladen …',
  disclaimer: 'Ein kleines Modell auf deinem Gerät antwortet. Prüfe, was wichtig ist.',
  failed: 'Das konnte nicht geladen werden. Prüfe die Verbindung und öffne es noch einmal.',
}

/** @param tag BCP 47; null: the first of the browser's languages that there is. */
export function shellStrings(tag: string | null): ShellStrings {
  return pickLanguage(tag === null ? navigator.languages : [tag]) === 'de' ? de : en
}
