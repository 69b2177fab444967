/** What stands where a secret stood. */
const MASK = '[key]'

/** Shorter values are no secrets but placeholders, such as "none", and common in honest text. */
const LEAST_LENGTH = 4

/** What providers' keys look like, for those this engine never saw whole. */
const KEY_SHAPES = /\bBearer\s+[^\s"',;<>]+|\b(?:sk|pk|rk|gsk|xai|hf|key)[-_][\w-]{12,}|\bAIza[\w-]{20,}/gi

/** The keys an engine has used, so that no text it passes on holds one: servers echo what they were sent. */
export class Secrets {
  readonly #forms = new Set<string>()

  add(secret: string): void {
    if (secret.length < LEAST_LENGTH) return
    for (const form of [
      secret,
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(secret),
      btoa(secret),
    ]) {
      this.#forms.add(form)
    }
  }

  /** The text without any of them, in plain, JSON, URL or base64 form. */
  scrub(text: string): string {
    const longestFirst = [...this.#forms].sort((a, b) => b.length - a.length)
    const known = longestFirst.reduce((clean, form) => clean.replaceAll(form, MASK), text)
    return known.replace(KEY_SHAPES, MASK)
  }
}
