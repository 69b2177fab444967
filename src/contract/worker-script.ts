/** What is used of Trusted Types (https://w3c.github.io/trusted-types), which not all browsers have. */
interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): string }
}

let policy: ReturnType<TrustedTypes['createPolicy']> | null = null

/** Whether a page or worker of this origin may not start a worker from this URL. */
export function isForeign(url: URL): boolean {
  const { location } = globalThis as { location?: { origin: string } }
  return location !== undefined && url.origin !== location.origin
}

/**
 * A module script of another origin as one of this origin, which workers must be: it imports the other one,
 * whose server must allow that (CORS). What the script fetches beside itself still comes from there.
 */
export function foreignWorkerScript(url: URL): string {
  const code = `import ${JSON.stringify(url.href)}`
  const script = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }))
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes }
  if (trustedTypes === undefined) return script
  policy ??= trustedTypes.createPolicy('minnow', { createScriptURL: (each) => each })
  return policy.createScriptURL(script)
}
