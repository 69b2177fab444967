import { EngineError } from '../../contract/error'
import type { Finding } from './finding'
import { createUrlWatch } from './url-watch'

/** Finds personal data: ordered, without overlaps. What it throws means that nothing may be sent. */
export type AnyScan = (text: string) => readonly Finding[] | Promise<readonly Finding[]>

/** '[EMAIL_1]'. Models keep such words; brackets cannot overlap one another, so each stands for itself. */
const PLACEHOLDER = /\[[a-z]{1,12}_\d{1,6}\]/gi
/** The end of a text that may be the beginning of a placeholder. */
const UNFINISHED = /\[(?:[a-z]{0,12}|[a-z]{1,12}_\d{0,6})$/i

/** Redaction may bring words together that were apart; a text that is not clean after so many passes is not sent. */
const MOST_PASSES = 6

/** Puts text back together as it streams in. */
export interface Restorer {
  /** The text that is certain after this piece. */
  push(piece: string): string
  /** What was held back, at the end. */
  flush(): string
}

/** Personal data of one request and the placeholders that stand for it. Lives on the device, as long as the request. */
export interface Vault {
  /** The text with placeholders, on which the scan finds nothing more. The same value has the same placeholder. */
  redact(text: string): Promise<string>
  /** What the scan finds in a text besides placeholders. */
  findings(text: string): Promise<readonly Finding[]>
  /** Undoes `redact`: restore(redact(text)) is text. */
  restore(text: string): string
  /**
   * As `restore`, piece by piece and for text of others: placeholders that may be within an address stay (`UrlWatch`), or
   * an answer could make the page send what they stand for, by a picture's address for instance.
   */
  createRestorer(): Restorer
  /** As `createRestorer`, of a whole text of others. */
  restoreAnswer(text: string): string
  readonly replaced: readonly { readonly kind: string; readonly placeholder: string }[]
}

/** `texts` are all texts that will be redacted: placeholders that stand in them already are not given out. */
export function createVault(scan: AnyScan, texts: readonly string[]): Vault {
  const taken = new Set(
    texts.flatMap((text) => text.match(PLACEHOLDER) ?? []).map((each) => each.toUpperCase()),
  )
  const values = new Map<string, string>() // placeholder → value
  const placeholders = new Map<string, string>() // kind and value → placeholder
  const counts = new Map<string, number>()
  const replaced: { kind: string; placeholder: string }[] = []

  const placeholderOf = (kind: string, value: string): string => {
    const known = placeholders.get(`${kind}\u0000${value}`)
    if (known !== undefined) return known
    let number = counts.get(kind) ?? 0
    let placeholder: string
    do placeholder = `[${kind.toUpperCase()}_${++number}]`
    while (taken.has(placeholder))
    counts.set(kind, number)
    values.set(placeholder, value)
    placeholders.set(`${kind}\u0000${value}`, placeholder)
    replaced.push({ kind, placeholder })
    return placeholder
  }

  const findings = async (text: string): Promise<Finding[]> => {
    const kept = [...text.matchAll(PLACEHOLDER)]
      .filter(([match]) => values.has(match.toUpperCase()))
      .map(({ index, 0: match }) => ({ start: index, end: index + match.length }))
    return [...(await scan(text))].flatMap((finding) => without(finding, kept, text))
  }

  const restore = (text: string): string =>
    text.replace(PLACEHOLDER, (match) => values.get(match.toUpperCase()) ?? match)

  const vault: Vault = {
    replaced,
    findings,
    restore,
    restoreAnswer(text) {
      const restorer = vault.createRestorer()
      return restorer.push(text) + restorer.flush()
    },
    async redact(text) {
      let redacted = text
      for (let pass = 0; pass < MOST_PASSES; pass++) {
        const found = await findings(redacted)
        if (found.length === 0) return redacted
        let result = ''
        let at = 0
        for (const { kind, start, end } of found) {
          result += redacted.slice(at, start) + placeholderOf(kind, redacted.slice(start, end))
          at = end
        }
        redacted = result + redacted.slice(at)
      }
      throw new EngineError(
        'forbidden',
        'Personal data could not be taken out of a text, so nothing was sent.',
      )
    },
    createRestorer() {
      const watch = createUrlWatch()
      let held = ''
      const emit = (text: string): string => {
        let result = ''
        let at = 0
        const say = (part: string): void => {
          result += part
          watch.read(part)
        }
        for (const match of text.matchAll(PLACEHOLDER)) {
          say(text.slice(at, match.index))
          const value = values.get(match[0].toUpperCase())
          say(value === undefined || watch.mayBeInUrl ? match[0] : value)
          at = match.index + match[0].length
        }
        say(text.slice(at))
        return result
      }
      return {
        push(piece) {
          const text = held + piece
          const certain = UNFINISHED.exec(text)?.index ?? text.length
          held = text.slice(certain)
          return emit(text.slice(0, certain))
        },
        flush() {
          const text = held
          held = ''
          return emit(text)
        },
      }
    },
  }
  return vault
}

/** What is left of a finding outside of `kept`, where it holds any letter or digit. */
function without(finding: Finding, kept: readonly { start: number; end: number }[], text: string): Finding[] {
  const parts: Finding[] = []
  let { start } = finding
  for (const hole of [...kept, { start: finding.end, end: finding.end }]) {
    if (hole.end <= start || hole.start > finding.end) continue
    const end = Math.min(hole.start, finding.end)
    if (end > start && /[\p{L}\p{N}]/u.test(text.slice(start, end)))
      parts.push({ kind: finding.kind, start, end })
    start = Math.max(start, hole.end)
  }
  return parts
}
