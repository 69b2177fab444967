/** What stands where a secret stood. */
const MASK = '[key]'

/** Shorter values are no secrets but placeholders, such as "none", and common in honest text. */
const LEAST_LENGTH = 4
/** In answers, which are honest text, they must be longer: "not-needed" is a key of local servers. */
const LEAST_LENGTH_IN_ANSWERS = 12

/** What providers' keys look like, for those this engine never saw whole. */
const KEY_SHAPES = /\bBearer\s+[^\s"',;<>]+|\b(?:sk|pk|rk|gsk|xai|hf|key)[-_][\w-]{12,}|\bAIza[\w-]{20,}/gi

/** The keys an engine has used, so that no text it passes on holds one: servers echo what they were sent. */
export class Secrets {
  readonly #forms = new Set<string>()
  readonly #formsInAnswers = new Set<string>()

  /** @param inAnswers false for what may be no secret at all, and so stand in honest text */
  add(secret: string, { inAnswers = true } = {}): void {
    if (secret.length < LEAST_LENGTH) return
    for (const form of [
      secret,
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(secret),
      btoa(secret),
    ]) {
      this.#forms.add(form)
      if (inAnswers && secret.length >= LEAST_LENGTH_IN_ANSWERS) this.#formsInAnswers.add(form)
    }
  }

  /** The text without any of them, in plain, JSON, URL or base64 form, and without what looks like a key. */
  scrub(text: string): string {
    return without(this.#forms, text).replace(KEY_SHAPES, MASK)
  }

  /** The same for answers: only without keys that were sent, as others may be what was asked for. */
  scrubAnswer(text: string): string {
    return without(this.#formsInAnswers, text)
  }

  /** How many characters at the end of a text may be the beginning of a key that `scrubAnswer` takes out. */
  openEnd(text: string): number {
    const lengths = [...this.#formsInAnswers].map((form) => {
      let length = Math.min(form.length - 1, text.length)
      while (length > 0 && !text.endsWith(form.slice(0, length))) length--
      return length
    })
    return Math.max(0, ...lengths)
  }
}

function without(forms: ReadonlySet<string>, text: string): string {
  const longestFirst = [...forms].sort((a, b) => b.length - a.length)
  return longestFirst.reduce((clean, form) => clean.replaceAll(form, MASK), text)
}
