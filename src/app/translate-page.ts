import { strings } from '../widget/strings'

/**
 * Puts the strings in force into what `index.html` shows before anything is loaded: `data-text` names an element's text,
 * `data-label` its `aria-label`, `data-placeholder` its placeholder, each as 'section.name'.
 */
export function translatePage(root: ParentNode = document): void {
  document.documentElement.lang = strings().language
  document.documentElement.dir = strings().direction
  for (const element of root.querySelectorAll<HTMLElement>('[data-text]')) {
    element.textContent = stringOf(element.dataset['text'])
  }
  for (const element of root.querySelectorAll<HTMLElement>('[data-label]')) {
    element.ariaLabel = stringOf(element.dataset['label'])
  }
  for (const element of root.querySelectorAll<HTMLInputElement>('[data-placeholder]')) {
    element.placeholder = stringOf(element.dataset['placeholder'])
  }
  const examples = root.querySelectorAll('.example')
  for (const [index, question] of strings().page.exampleQuestions.entries()) {
    const example = examples[index]
    if (example !== undefined) example.textContent = question
  }
}

/** @param key 'section.name' */
function stringOf(key = ''): string {
  const [section = '', name = ''] = key.split('.')
  const words = (strings() as unknown as Readonly<Record<string, Readonly<Record<string, unknown>>>>)[section]
  const found = words?.[name]
  if (typeof found !== 'string') throw new Error(`index.html names the string ${key}, which there is not`)
  return found
}
