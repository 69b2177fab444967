/** Languages with strings, the first is the fallback. */
const LANGUAGES = ['en', 'de'] as const
export type Language = (typeof LANGUAGES)[number]

let ofPage: Language = LANGUAGES[0]

/** The first of the wanted languages (BCP 47, for instance `navigator.languages`) that there is. */
export function pickLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const found = LANGUAGES.find((language) => tag.toLowerCase().split('-')[0] === language)
    if (found !== undefined) return found
  }
  return LANGUAGES[0]
}

/** What is spoken where a node says nothing else. */
export function setPageLanguage(language: Language): void {
  ofPage = language
}

/** The `lang` of the nearest element around a node, also around the shadow it is in; that of the page for null. */
export function languageOf(node: Node | null): Language {
  for (let each = node; each !== null; each = each instanceof ShadowRoot ? each.host : each.parentNode) {
    if (each instanceof HTMLElement && each.lang !== '') return pickLanguage([each.lang])
  }
  return ofPage
}
