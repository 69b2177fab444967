/** Registers an element, unless the name is taken: a page may load Minnow twice. */
export function define(name: string, element: CustomElementConstructor): void {
  if (customElements.get(name) === undefined) customElements.define(name, element)
}
