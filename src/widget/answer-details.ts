import { html, nothing, type TemplateResult } from 'lit'
import type { Usage } from '../contract/engine'
import type { SettledRoute } from '../contract/route'
import type { LedgerEntry } from '../router/ledger'
import { countOf, moneyOf, percentOf, secondsOf } from './figure-words'
import { markedText, redactionNote } from './sent-text'
import { strings, type Language, type Strings } from './strings'
import { detailStrings, type DetailStrings } from './strings/details'

/** An answer with what is known of it. */
export interface Answered {
  readonly route: SettledRoute
  /** null where no ledger knows it. */
  readonly entry: LedgerEntry | null
  /** What it took, where no ledger knows. */
  readonly usage: Usage | null
}

/** Before details are drawn in it. */
export function loadDetailWords(language: Language): Promise<void> {
  return detailStrings.load(language)
}

/** Why, cost, tokens, times, and what was sent to the letter. @param of in whose language */
export function answerDetails({ route, entry, usage }: Answered, of: Node): TemplateResult {
  const words = detailStrings.of(of)
  const { language, errors } = strings(of)
  const rows: (readonly [string, string])[] = [[words.why, explain(route, words, errors)]]
  const { confidence, decision } = route
  if (confidence !== null) {
    const { threshold } = decision
    const wanted = threshold === null ? '' : `; ${words.wanted(percentOf(Math.min(1, threshold)))}`
    rows.push([words.confidence, `${words.likely(percentOf(confidence))}${wanted}`])
  }
  const figures =
    entry === null ? figuresOfUsage(usage, words, language) : figuresOfEntry(entry, words, language)
  rows.push([words.cost, costOf(route, words, language)], ...figures)
  return html`
    <dl>
      ${rows.map(
        ([term, text]) =>
          html`<div>
            <dt>${term}</dt>
            <dd>${text}</dd>
          </div>`,
      )}
    </dl>
    <h3>${words.whatWasSent}</h3>
    ${
      route.sent.length === 0
        ? html`<p>${words.nothingSent}</p>`
        : route.sent.map(
            (sent) => html`
              <p class="destination">
                ${words.to} <strong>${sent.to}</strong>, ${words.purposes[sent.purpose]}
                ${sent.attempt > 1 ? `, ${words.attempt(sent.attempt)}` : nothing}
              </p>
              ${redactionNote(sent.redacted, words)}
              <pre tabindex="0" aria-label=${words.exactText}>${markedText(sent.text, sent.redacted)}</pre>
            `,
          )
    }
  `
}

/** What was decided and why, as one or two sentences. */
function explain(
  { source, decision, errorCode }: SettledRoute,
  words: DetailStrings,
  errors: Strings['errors'],
): string {
  const failure =
    errorCode === null
      ? ''
      : ` ${Object.hasOwn(errors, errorCode) ? errors[errorCode as keyof typeof errors] : words.failed(errorCode)}`
  return `${words.who[source.kind]}: ${words.reasons[decision.reason] ?? decision.reason}.${failure}`
}

type Row = readonly [string, string]

function figuresOfUsage(usage: Usage | null, words: DetailStrings, language: string): Row[] {
  if (usage === null) return []
  const { timeToFirstTokenMs, decodeMs } = usage.minnow
  const read = countOf(usage.prompt_tokens, language)
  const firstWord = `${words.firstWord} ${secondsOf(timeToFirstTokenMs, language)}`
  return [
    [words.tokens, words.readAndWrittenHere(read, countOf(usage.completion_tokens, language))],
    [words.time, `${secondsOf(timeToFirstTokenMs + decodeMs, language)}; ${firstWord}`],
  ]
}

function figuresOfEntry({ tokens, latencyMs }: LedgerEntry, words: DetailStrings, language: string): Row[] {
  const count = (value: number): string => countOf(value, language)
  const parts: string[] = []
  if (tokens.localIn + tokens.localOut > 0) {
    const unseen = tokens.wastedLocal > 0 ? ` ${words.notShown(count(tokens.wastedLocal))}` : ''
    parts.push(`${words.here(count(tokens.localIn), count(tokens.localOut))}${unseen}`)
  }
  if (tokens.remoteIn + tokens.remoteOut > 0) {
    parts.push(words.away(count(tokens.remoteIn), count(tokens.remoteOut), tokens.estimated))
  }
  const times = [
    [words.firstWord, latencyMs.firstText ?? 0],
    [words.local, latencyMs.local],
    [words.remote, latencyMs.remote],
    [words.scan, latencyMs.scan],
    [words.consent, latencyMs.consent],
  ] as const
  return [
    [words.tokens, parts.join('; ') || words.none],
    [
      words.time,
      [
        words.inAll(secondsOf(latencyMs.total, language)),
        ...times.filter(([, ms]) => ms > 0).map(([what, ms]) => `${what} ${secondsOf(ms, language)}`),
      ].join('; '),
    ],
  ]
}

function costOf({ cost, sent }: SettledRoute, words: DetailStrings, language: string): string {
  const saved = cost.savedUsd > 0 ? words.saved(moneyOf(cost.savedUsd, language)) : null
  if (cost.spentUsd > 0) {
    const spent = words.spent(moneyOf(cost.spentUsd, language))
    return saved === null ? spent : `${spent}, ${saved}`
  }
  if (sent.length > 0 && !cost.priced) return words.noPrice
  return saved === null ? words.nothing : `${words.nothing}; ${saved}`
}
