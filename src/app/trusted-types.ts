/** Trusted Types, which not every browser has and TypeScript's library lacks. */
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): unknown
}

/**
 * Lets the page start workers, and nothing else, from a script: under `require-trusted-types-for 'script'` a string
 * becomes a script's URL only where this agrees. It is the default policy since bundlers find workers by
 * `new Worker(new URL('…', import.meta.url))`, which leaves no place for another. HTML and code in
 * strings have no rule here and are refused.
 */
export function trustOwnScripts(): void {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes }
  trustedTypes?.createPolicy('default', { createScriptURL: ownScript })
}

/** @throws TypeError unless the URL lies in the folder of this page. */
function ownScript(url: string): string {
  const folder = new URL('.', document.baseURI).href
  const { href } = new URL(url, document.baseURI)
  if (!href.startsWith(folder)) throw new TypeError(`${href} is no script of this page.`)
  return href
}
